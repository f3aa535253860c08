"""`strapline bridge scan` on simulated straps."""

from __future__ import annotations

import json

import pytest

from strapline.scanning import look_around


async def test_programs_get_what_is_near_with_addresses(capsys: pytest.CaptureFixture[str]) -> None:
    await look_around(1.0, adapter=None, simulate=True, as_json=True)
    near = json.loads(capsys.readouterr().out)
    assert {one["name"] for one in near} == {"Strap Aspen", "Strap Birch", "Strap Cedar"}
    assert near[0].keys() == {"address", "name", "rssiDbm", "offers"}
    assert "heart rate" in near[0]["offers"]


async def test_people_get_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    await look_around(1.0, adapter=None, simulate=True, as_json=False)
    out = capsys.readouterr().out
    assert "3 straps near." in out
    assert "D0:5E:00:00:00:01" in out
    assert "▂▄▆█" in out
