"""Profiles that cannot be are refused; those that come along differ from one another."""

from __future__ import annotations

from statistics import mean

import pytest

from strapline_simulator.profiles import (
    DEMO_PROFILES,
    BodyLocation,
    Profile,
    chest_strap,
    straps,
    watch,
)
from strapline_simulator.recording import BeatPlayer, rest_recording


def test_a_name_must_fit_a_scan_response() -> None:
    assert Profile(name="ü" * 14).name == "ü" * 14
    for name in ("", "ü" * 15):
        with pytest.raises(ValueError, match="cannot be advertised: give one of 1 to 29 bytes"):
            Profile(name=name)


def test_a_wearable_measures_something() -> None:
    with pytest.raises(ValueError, match="measures nothing"):
        Profile(name="Brick", heart_rate=False)


def test_the_demo_has_three_athletes_with_rate_and_steps() -> None:
    assert len(DEMO_PROFILES) == 3
    assert all(profile.heart_rate and profile.steps for profile in DEMO_PROFILES)
    assert len({profile.beats_scale for profile in DEMO_PROFILES}) == 3


def test_the_athletes_of_the_demo_look_different() -> None:
    rest, easy, hard = (mean_rate_bpm(profile) for profile in DEMO_PROFILES)
    assert 70 < rest < 85 < easy < 110 < hard < 140


def mean_rate_bpm(profile: Profile) -> float:
    player = BeatPlayer(
        rest_recording(), offset_s=profile.beats_offset_s, scale=profile.beats_scale
    )
    return mean(player.advance(1).bpm for _ in range(300))


def test_a_watch_has_the_habits_of_a_watch() -> None:
    profile = watch("Watch")
    assert profile.body_location is BodyLocation.WRIST
    assert profile.rate_on_change_only
    assert profile.steps
    assert not profile.rr_intervals
    assert not profile.contact_bit
    assert not profile.energy


def test_many_straps_are_all_different() -> None:
    profiles = straps(16)
    for field in ("name", "serial_number", "beats_scale", "beats_offset_s", "walk_seed"):
        assert len({getattr(profile, field) for profile in profiles}) == 16, field
    assert profiles[0].beats_scale == 1.0
    assert profiles[-1].beats_scale == pytest.approx(0.55)
    assert straps(1) == (chest_strap("Strap 01", number=1),)
