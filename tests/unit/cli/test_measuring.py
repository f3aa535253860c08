"""How the account of a measured run is printed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from strapline.account import Account, Latency
from strapline.measuring import report

WHOLE = Account(1_234, 1_234, 1_234, 1_234, 0, 0, 6, Latency(4.91, 10.7))


def test_programs_get_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    report(WHOLE, 30.0, as_json=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0]) == {
        "notified": 1234,
        "stored": 1234,
        "acknowledged": 1234,
        "delivered": 1234,
        "lost": 0,
        "doubled": 0,
        "latency_ms": {"p50": 4.91, "p99": 10.7},
        "read": 6,
        "seconds": 30.0,
    }


def test_without_a_delivery_there_is_no_latency(capsys: pytest.CaptureFixture[str]) -> None:
    report(replace(WHOLE, delivered=0, latency=None), 1.0, as_json=True)
    assert json.loads(capsys.readouterr().out)["latency_ms"] is None


@pytest.mark.parametrize(
    ("account", "told"),
    [
        (WHOLE, "1,234 readings taken, and all of them are here."),
        (replace(WHOLE, delivered=1_232, lost=2), "2 lost"),
        (replace(WHOLE, doubled=1), "1 doubled"),
        (replace(WHOLE, delivered=0, latency=None), "nothing came"),
    ],
)
def test_people_get_a_table_and_a_verdict(
    account: Account, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report(account, 30.0, as_json=False)
    out = capsys.readouterr().out
    assert told in out
    assert "counted inside the straps" in out
