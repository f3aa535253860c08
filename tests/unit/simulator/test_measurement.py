"""The encoders, against the layout in the specification and a decoder written from it here."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_simulator.measurement import (
    battery_level,
    heart_rate_measurement,
    rr_units,
    step_count,
)


@dataclass(frozen=True)
class Decoded:
    bpm: int
    contact: bool | None
    energy_kj: int | None
    rr: tuple[int, ...]


def decode(value: bytes) -> Decoded:
    """Read a Heart Rate Measurement as the GATT specification supplement (3.113) lays it out."""
    flags, rest = value[0], value[1:]
    width = 2 if flags & 0x01 else 1
    bpm, rest = int.from_bytes(rest[:width], "little"), rest[width:]
    energy = None
    if flags & 0x08:
        energy, rest = int.from_bytes(rest[:2], "little"), rest[2:]
    rr: tuple[int, ...] = ()
    if flags & 0x10:
        rr = struct.unpack(f"<{len(rest) // 2}H", rest)
        rest = b""
    assert rest == b"", "bytes left over"
    return Decoded(bpm, bool(flags & 0x02) if flags & 0x04 else None, energy, rr)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (heart_rate_measurement(72), "0048"),
        (heart_rate_measurement(0), "0000"),
        (heart_rate_measurement(255), "00ff"),
        (heart_rate_measurement(256), "010001"),
        (heart_rate_measurement(72, contact=False), "0448"),
        (heart_rate_measurement(72, contact=True), "0648"),
        (heart_rate_measurement(72, energy_kj=258), "08480201"),
        (heart_rate_measurement(72, rr=[1024]), "10480004"),
        (heart_rate_measurement(300, rr=[1, 2], contact=True, energy_kj=3), "1f2c01030001000200"),
    ],
)
def test_layout_by_hand(value: bytes, expected: str) -> None:
    assert value.hex() == expected


@given(
    bpm=st.integers(0, 0xFFFF),
    rr=st.lists(st.integers(0, 0xFFFF), max_size=9),
    contact=st.sampled_from([None, False, True]),
    energy_kj=st.none() | st.integers(0, 0xFFFF),
)
def test_everything_said_is_read_back(
    bpm: int, rr: list[int], contact: bool | None, energy_kj: int | None
) -> None:
    value = heart_rate_measurement(bpm, rr=rr, contact=contact, energy_kj=energy_kj)
    assert decode(value) == Decoded(bpm, contact, energy_kj, tuple(rr))


@given(bpm=st.integers(0, 0xFFFF))
def test_rate_is_as_short_as_it_can_be(bpm: int) -> None:
    assert len(heart_rate_measurement(bpm)) == (2 if bpm <= 255 else 3)


@pytest.mark.parametrize("bpm", [-1, 0x1_0000])
def test_rate_out_of_range_is_refused(bpm: int) -> None:
    with pytest.raises(ValueError, match=f"heart rate in bpm is {bpm}"):
        heart_rate_measurement(bpm)


def test_interval_and_energy_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="RR interval"):
        heart_rate_measurement(60, rr=[0x1_0000])
    with pytest.raises(ValueError, match="energy in kJ"):
        heart_rate_measurement(60, energy_kj=-1)


@given(st.floats(0, 60_000))
def test_an_interval_is_rounded_not_cut(interval_ms: float) -> None:
    assert abs(rr_units(interval_ms) * 1000 / 1024 - interval_ms) <= 1000 / 1024 / 2 + 1e-9


def test_units_of_intervals() -> None:
    assert rr_units(1000) == 1024
    assert rr_units(664) == 680  # 679.9
    with pytest.raises(ValueError, match="RR interval"):
        rr_units(64_000)


def test_battery_level() -> None:
    assert battery_level(0) == b"\x00"
    assert battery_level(100) == b"\x64"
    with pytest.raises(ValueError, match="battery level in percent is 101"):
        battery_level(101)


def test_step_count() -> None:
    assert step_count(0) == bytes(4)
    assert step_count(10_000).hex() == "10270000"
    with pytest.raises(ValueError, match="step count"):
        step_count(2**32)
