"""RSC Measurement: units, and each field's edge."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from strapline_bridge.decoders import UndecodableError
from strapline_bridge.decoders.running import decode, parse


def test_speed_cadence_and_distance_in_the_registrys_units() -> None:
    reading = decode(bytes.fromhex("070003b4560010270000"))
    assert (reading.metric, reading.value) == ("speed", 3.0)
    assert [(one.metric, one.value) for one in reading.also] == [
        ("cadence", 180),
        ("distance", 1_000.0),
    ]


def test_without_a_distance_there_is_none() -> None:
    assert [one.metric for one in decode(bytes.fromhex("00010002")).also] == ["cadence"]


def test_bytes_behind_the_last_field_are_not_read() -> None:
    assert parse(bytes.fromhex("0001000299")) == parse(bytes.fromhex("00010002"))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("000100", "shorter than"),
        ("0100010056", "stride"),
        ("02000100000000", "distance"),
        ("030001005600000000", "distance"),
    ],
)
def test_what_is_cut_off_is_refused(value: str, reason: str) -> None:
    with pytest.raises(UndecodableError) as refused:
        decode(bytes.fromhex(value))
    assert reason in refused.value.reason


@given(st.binary(max_size=12))
@example(bytes.fromhex("070003b4560010270000"))
def test_the_readings_are_what_the_record_says(value: bytes) -> None:
    try:
        record = parse(value)
    except UndecodableError as error:
        with pytest.raises(UndecodableError, match=re.escape(str(error))):
            decode(value)
        return
    reading = decode(value)
    told = [(one.metric, one.value) for one in (reading, *reading.also)]
    distance = record.distance_dm
    assert told == [("speed", record.speed_256 / 256), ("cadence", record.cadence)] + (
        [] if distance is None else [("distance", distance / 10)]
    )
