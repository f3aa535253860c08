"""2A37: the flags' every combination, an independent encoder, and bytes at random."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic.alias_generators import to_camel

from strapline_bridge.decoders import UndecodableError
from strapline_bridge.decoders.heart_rate import decode
from strapline_protocol.metrics import HEART_RATE

_U16 = st.integers(0, 0xFFFF)


def _encode(
    rate: int, *, wide: bool, contact: bool | None, energy_kj: int | None, rr: list[int]
) -> bytes:
    """The specification's layout once more, written with struct."""
    flags = wide | (contact is True) << 1 | (contact is not None) << 2
    flags |= (energy_kj is not None) << 3 | bool(rr) << 4
    head = struct.pack("<BH" if wide else "<BB", flags, rate)
    energy = b"" if energy_kj is None else struct.pack("<H", energy_kj)
    return head + energy + struct.pack(f"<{len(rr)}H", *rr)


@given(
    rate=_U16,
    contact=st.none() | st.booleans(),
    energy_kj=st.none() | _U16,
    rr=st.lists(_U16, max_size=64),
)
def test_gives_back_what_an_encoder_put_in(
    rate: int, contact: bool | None, energy_kj: int | None, rr: list[int]
) -> None:
    sent = _encode(rate, wide=rate > 255, contact=contact, energy_kj=energy_kj, rr=rr)
    reading = decode(sent)
    assert reading.metric == "heart_rate"
    assert reading.value == rate
    assert reading.columns.get("contact") is contact
    assert reading.columns.get("energy_kj") == energy_kj
    assert reading.columns.get("rr", []) == rr
    assert ("zero" in reading.quality) == (rate == 0)
    assert ("noContact" in reading.quality) == (contact is False)


@given(st.binary(max_size=600))
def test_any_bytes_decode_or_are_refused(value: bytes) -> None:
    try:
        reading = decode(value)
    except UndecodableError:
        return
    assert type(reading.value) is int
    assert 0 <= reading.value <= 0xFFFF
    assert {to_camel(name) for name in reading.columns} <= set(HEART_RATE.columns)


def test_rate_zero_is_kept_and_marked() -> None:
    reading = decode(bytes.fromhex("0000"))
    assert (reading.value, reading.quality) == (0, ("zero",))


def test_off_the_body_is_said() -> None:
    reading = decode(bytes.fromhex("0448"))
    assert (reading.value, reading.columns, reading.quality) == (
        72,
        {"contact": False},
        ("noContact",),
    )
    assert decode(bytes.fromhex("0400")).quality == ("noContact", "zero")


def test_contact_bit_without_support_means_nothing() -> None:
    assert "contact" not in decode(bytes.fromhex("0248")).columns


def test_energy_shifts_the_intervals() -> None:
    reading = decode(bytes.fromhex("184632005203"))
    assert reading.columns == {"energy_kj": 50, "rr": [850]}


def test_half_an_interval_at_the_end_is_left() -> None:
    assert decode(bytes.fromhex("1039230435")).columns["rr"] == [0x0423]


def test_bytes_that_no_flag_announces_are_not_read() -> None:
    assert decode(bytes.fromhex("004bffff")) == decode(bytes.fromhex("004b"))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "shorter than flags and rate"),
        ("04", "shorter than flags and rate"),
        ("0112", "a 16-bit rate is cut off"),
        ("084b12", "the energy is cut off"),
        ("184b1200", "none is there"),
        ("104b12", "none is there"),
        ("104b" + "0004" * 65, "more than 64"),
    ],
)
def test_refuses(value: str, reason: str) -> None:
    with pytest.raises(UndecodableError, match=reason):
        decode(bytes.fromhex(value))


def test_a_refusal_does_not_repeat_the_measurement() -> None:
    with pytest.raises(UndecodableError) as refused:
        decode(bytes.fromhex("01c8"))
    assert "c8" not in str(refused.value)
    assert "200" not in str(refused.value)
