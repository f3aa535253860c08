"""Heart, steps and battery become the values that a strap notifies."""

from __future__ import annotations

from datetime import date
from itertools import chain

import pytest

from strapline_simulator.profiles import Profile, chest_strap, watch
from strapline_simulator.recording import BeatPlayer, Recording, rest_recording
from strapline_simulator.sensors import BatterySensor, HeartSensor, StepSensor

STEADY = Recording((1000,) * 8, "made up")
CONTACT, SUPPORTED, ENERGY, RR = 0x02, 0x04, 0x08, 0x10


def heart(profile: Profile, recording: Recording = STEADY) -> HeartSensor:
    return HeartSensor(profile, recording)


def next_value(sensor: HeartSensor, seconds: float = 1.0) -> bytes:
    value = sensor.advance(seconds)
    assert value is not None
    return value


def test_exact_bytes_of_a_steady_heart() -> None:
    # Worn (0x06) with an interval (0x10): 60 bpm, 1024/1024 s.
    assert next_value(heart(chest_strap("S"))).hex() == "163c0004"


def test_intervals_are_those_of_the_recording() -> None:
    profile = chest_strap("S", number=3, beats_scale=0.8)
    sensor = heart(profile, rest_recording())
    player = BeatPlayer(rest_recording(), offset_s=profile.beats_offset_s, scale=0.8)
    for _ in range(300):
        value, beats = next_value(sensor), player.advance(1)
        assert value[1] == beats.bpm
        start = 4 if value[0] & ENERGY else 2
        intervals = [
            int.from_bytes(value[at : at + 2], "little") for at in range(start, len(value), 2)
        ]
        assert intervals == [round(ms * 1.024) for ms in beats.rr_ms]
        assert bool(value[0] & RR) == bool(beats.rr_ms)


def test_a_strap_that_is_seldom_asked_forgets_the_oldest_intervals() -> None:
    value = next_value(heart(chest_strap("S"), Recording((500, 600, 700, 800) * 3, "made up")), 60)
    assert len(value) == 2 + 2 * 8
    assert len(next_value(heart(chest_strap("S")), 8)) == 2 + 2 * 8


def test_energy_comes_with_each_tenth_measurement_and_rises() -> None:
    sensor = heart(chest_strap("S", beats_scale=0.45), rest_recording())
    values = [next_value(sensor) for _ in range(600)]
    with_energy = [i for i, value in enumerate(values, start=1) if value[0] & ENERGY]
    assert with_energy == list(range(10, 601, 10))
    energies = [int.from_bytes(values[i - 1][2:4], "little") for i in with_energy]
    assert energies == sorted(energies)
    assert 100 < energies[-1] < 600  # kJ in ten minutes of hard work
    sensor.reset_energy()
    assert sensor.energy_kj == 0


def test_energy_stays_at_the_end_of_its_field() -> None:
    sensor = heart(chest_strap("S"))
    sensor._energy_kj = 70_000.0
    assert sensor.energy_kj == 0xFFFF


def test_off_the_body_contact_goes_first_and_then_the_rate() -> None:
    sensor = heart(chest_strap("S"))
    next_value(sensor)
    sensor.worn = False
    values = [next_value(sensor) for _ in range(6)]
    assert all(value[0] & (CONTACT | SUPPORTED | RR) == SUPPORTED for value in values)
    assert [value[1] for value in values] == [60, 60, 60, 0, 0, 0]
    assert sensor.off_body_s == 6
    sensor.worn = True
    assert next_value(sensor)[:2].hex() == "163c"
    assert sensor.off_body_s == 0


def test_a_strap_without_contact_bit_says_nothing_of_contact() -> None:
    profile = Profile(name="S", contact_bit=False, energy=False)
    sensor = heart(profile)
    sensor.worn = False
    assert all(next_value(sensor)[0] & (CONTACT | SUPPORTED) == 0 for _ in range(20))
    assert sensor.encode(70, (), None) == b"\x00\x46"


def test_a_watch_speaks_on_change_only() -> None:
    sensor = heart(watch("W"))
    assert sensor.advance(1) == b"\x00\x3c"
    assert [sensor.advance(1) for _ in range(5)] == [None] * 5
    sensor.worn = False
    assert [sensor.advance(1) for _ in range(5)] == [None, None, None, b"\x00\x00", None]


def test_a_measurement_by_hand_carries_the_contact_of_the_moment() -> None:
    sensor = heart(chest_strap("S"))
    assert sensor.encode(70, [1000.0], None).hex() == "16460004"
    sensor.worn = False
    assert sensor.encode(70, [], None).hex() == "0446"
    assert sensor.encode(70, [], contact=True).hex() == "0646"


def test_steps_come_when_they_are_taken_and_begin_anew_at_midnight() -> None:
    today = [date(2026, 3, 1)]
    profile = Profile(name="S", steps=True, steps_so_far=100)
    sensor = StepSensor(profile, lambda: today[0])
    assert sensor.value == (100).to_bytes(4, "little")
    totals = [int.from_bytes(value, "little") for value in chain(_changes(sensor, 100, 0.1))]
    assert totals == sorted(set(totals))
    assert 110 < totals[-1] < 125
    today[0] = date(2026, 3, 2)
    assert sensor.advance(1) == bytes(4)
    assert int.from_bytes(_changes(sensor, 10, 1.0)[-1], "little") < 25


def _changes(sensor: StepSensor, times: int, seconds: float) -> list[bytes]:
    values = [sensor.advance(seconds) for _ in range(times)]
    return [value for value in values if value is not None]


def test_steps_by_hand() -> None:
    sensor = StepSensor(Profile(name="S", steps=True), lambda: date(2026, 3, 1))
    assert sensor.set_total(70_000).hex() == "70110100"
    assert sensor.value.hex() == "70110100"
    with pytest.raises(ValueError, match="step count"):
        sensor.set_total(-1)
    assert sensor.value.hex() == "70110100"


def test_the_battery_speaks_on_change() -> None:
    profile = Profile(name="S", battery_percent=50, battery_drain_percent_per_h=60)
    sensor = BatterySensor(profile)
    assert sensor.value == b"\x32"
    assert [sensor.advance(30) for _ in range(4)] == [None, b"\x31", None, b"\x30"]
    assert sensor.set(5) == b"\x05"
