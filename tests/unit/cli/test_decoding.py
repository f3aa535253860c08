"""`strapline bridge decode`: bytes in every spelling, meaning in words and in JSON."""

from __future__ import annotations

import json

import pytest

from strapline.decoding import bytes_of, explain
from strapline.errors import CommandError


@pytest.mark.parametrize(
    "text", ["0648", "06 48", "0x0648", "0x06 0x48", "06:48", "06-48", "(0x) 06-48", " 0648\n"]
)
def test_bytes_as_people_write_them(text: str) -> None:
    assert bytes_of(text) == b"\x06\x48"


def test_no_bytes_are_bytes() -> None:
    assert bytes_of("") == b""


@pytest.mark.parametrize(("text", "said"), [("064", "two digits"), ("zz", "hexadecimal")])
def test_anything_else_is_refused(text: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        bytes_of(text)
    with pytest.raises(CommandError, match="512"):
        bytes_of("00" * 513)


def test_a_rate_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("2A37", "164f0203", as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "heart rate measurement  00002a37-0000-1000-8000-00805f9b34fb",
        "  → heart rate 79 bpm",
        "    contact: True",
        "    rr: 770/1024 s (752 ms)",
    ]


def test_large_numbers_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("2a53", "070003125600010000f0", as_json=False)
    assert "→ distance 402653184.1 m" in capsys.readouterr().out


def test_marks_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("2a37", "0400", as_json=False)
    assert "heart rate 0 bpm  (noContact, zero)" in capsys.readouterr().out


def test_a_rate_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("heart rate measurement", "0448", as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "characteristic": "00002a37-0000-1000-8000-00805f9b34fb",
        "name": "heart rate measurement",
        "readings": [
            {
                "metric": "heart_rate",
                "value": 72,
                "unit": "bpm",
                "contact": False,
                "quality": ["noContact"],
            }
        ],
        "fields": {},
    }


def test_why_bytes_mean_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert not explain("2A37", "0112", as_json=False)
    assert capsys.readouterr().out == "Means nothing: a 16-bit rate is cut off (2 bytes).\n"
    assert not explain("2A37", "0112", as_json=True)
    assert json.loads(capsys.readouterr().out)["refused"] == "a 16-bit rate is cut off"
