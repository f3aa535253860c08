"""Advertisements fit into the 31 bytes of a legacy one, byte for byte."""

from __future__ import annotations

import pytest

from strapline_simulator.advertising import advertisement, scan_response
from strapline_simulator.profiles import Profile, watch


def test_a_chest_strap() -> None:
    profile = Profile(name="Strap 1")
    assert advertisement(profile).hex() == "020106" + "03030d18"
    assert scan_response(profile) == b"\x08\x09Strap 1"


def test_a_watch_offers_steps_too() -> None:
    motion = "d042193a3b43238efe48fc7800000300"
    assert advertisement(watch("W")).hex() == "020106" + "03030d18" + "1107" + motion


@pytest.mark.parametrize("heart_rate", [False, True])
def test_everything_fits(heart_rate: bool) -> None:
    profile = Profile(name="N" * 29, heart_rate=heart_rate, steps=True)
    assert len(advertisement(profile)) <= 31
    assert len(scan_response(profile)) == 31
