"""Twins: what each tells of the same walk, and at midnight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import pytest

from strapline_bridge.decoders import DECODERS
from strapline_simulator.profiles import (
    Profile,
    activity_monitor,
    foot_pod,
    mi_band,
    step_climber,
)
from strapline_simulator.twins import TwinSensor
from strapline_simulator.walk import Walk

_TODAY = date(2026, 11, 24)


def _sensor(profile: Profile, today: Callable[[], date] = lambda: _TODAY) -> tuple[str, TwinSensor]:
    twin = profile.twins[0]
    return twin.characteristic, twin.make(profile, today)


def _told(uuid: str, values: Sequence[bytes]) -> list[dict[str, float | int | None]]:
    readings = [DECODERS[uuid].decode(value) for value in values]
    return [{one.metric: one.value for one in (reading, *reading.also)} for reading in readings]


def test_a_pod_tells_cadence_and_distance_of_the_walk() -> None:
    uuid, sensor = _sensor(foot_pod("pod", number=7))
    walk = Walk(seed=7)
    for _ in range(200):
        (told,) = _told(uuid, sensor.advance(1.0))
        walk.advance(1.0)
        assert told["cadence"] == round(walk.cadence_per_min)
        assert told["distance"] == pytest.approx(walk.total * 0.72, abs=0.06)
        speed = told["speed"]
        assert speed == pytest.approx(round(walk.cadence_per_min) / 60 * 0.72, abs=0.01)


def test_a_climber_tells_steps_and_floors_each_second() -> None:
    uuid, sensor = _sensor(step_climber("climber", number=3))
    walk = Walk(seed=3)
    for _ in range(100):
        (told,) = _told(uuid, sensor.advance(1.0))
        assert told["steps"] == walk.advance(1.0)
        assert told["floors"] == walk.total // 16


@pytest.mark.parametrize("profile", [activity_monitor("m", number=5), mi_band("b", number=5)])
def test_others_speak_on_change(profile: Profile) -> None:
    uuid, sensor = _sensor(profile)
    walk = Walk(seed=5)
    for _ in range(300):
        before = walk.total
        told = _told(uuid, sensor.advance(0.2))
        assert bool(told) == (walk.advance(0.2) != before)
        assert not told or told[0]["steps"] == walk.total


def test_an_activity_monitor_begins_a_sub_session_at_midnight() -> None:
    days = [_TODAY]
    uuid, sensor = _sensor(activity_monitor("m"), lambda: days[0])
    sensor.advance(300)
    before = DECODERS[uuid].decode(sensor.value)
    days[0] = date(2026, 11, 25)
    (value,) = sensor.advance(1)
    after = DECODERS[uuid].decode(value)
    assert before.value
    assert after.value == 0
    assert (before.session, after.session) == ("1.1", "1.2")


def test_a_band_is_silent_at_midnight_and_begins_at_nothing() -> None:
    days = [_TODAY]
    uuid, sensor = _sensor(mi_band("b"), lambda: days[0])
    sensor.advance(300)
    days[0] = date(2026, 11, 25)
    assert sensor.advance(1) == ()
    assert DECODERS[uuid].decode(sensor.value).value == 0


def test_a_pods_features_are_read_and_never_sent() -> None:
    profile = foot_pod("pod")
    features = profile.twins[1]
    sensor = features.make(profile, lambda: _TODAY)
    assert not features.sends
    assert sensor.value == b"\x06\0"
    assert sensor.advance(100) == ()
