"""Advertisements fit into the 31 bytes of a legacy one, byte for byte."""

from __future__ import annotations

import pytest

from strapline_simulator.advertising import advertisement, scan_response
from strapline_simulator.profiles import Profile, foot_pod, mi_band, watch
from strapline_simulator.twins import ACTIVITY_MONITOR, FOOT_POD, MI_BAND, STEP_CLIMBER


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


def test_twins_are_advertised_by_their_services() -> None:
    assert advertisement(foot_pod("P")).hex() == "020106" + "03031418"
    assert advertisement(mi_band("B")).hex() == "020106" + "0303e0fe"


def test_what_does_not_fit_is_left_out() -> None:
    kinds = [twin for kind in (FOOT_POD, STEP_CLIMBER, ACTIVITY_MONITOR, MI_BAND) for twin in kind]
    profile = Profile(name="N", steps=True, twins=tuple(kinds))
    # Five short services, each once; no room is left for the long one.
    assert advertisement(profile).hex() == "020106" + "0b030d18141826183e18e0fe"
