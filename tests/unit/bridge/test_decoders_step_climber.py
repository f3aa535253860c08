"""Step Climber Data: bit 0 the wrong way round, fields that the machine does not know."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from strapline_bridge.decoders import UndecodableError
from strapline_bridge.decoders.step_climber import decode, parse


def test_steps_come_with_floors_and_cadence() -> None:
    reading = decode(bytes.fromhex("0200020032001400"))
    assert (reading.metric, reading.value) == ("steps", 50)
    assert [(one.metric, one.value) for one in reading.also] == [("floors", 2), ("cadence", 20)]


def test_a_part_without_steps_is_no_reading() -> None:
    reading = decode(bytes.fromhex("410050"))
    assert reading.value is None
    assert reading.also == ()


def test_energy_that_is_not_available_is_none() -> None:
    data = parse(bytes.fromhex("1100ffffffffff"))
    assert (data.energy_kcal, data.energy_kcal_per_h, data.energy_kcal_per_min) == (None,) * 3


@pytest.mark.parametrize("value", ["", "00", "0000030064", "4100", "11000a000a00"])
def test_what_is_cut_off_is_refused(value: str) -> None:
    with pytest.raises(UndecodableError):
        decode(bytes.fromhex(value))


@given(st.binary(max_size=24))
@example(bytes.fromhex("02000a0064003c00"))
def test_the_readings_are_what_the_record_says(value: bytes) -> None:
    try:
        record = parse(value)
    except UndecodableError as error:
        with pytest.raises(UndecodableError, match=re.escape(str(error))):
            decode(value)
        return
    reading = decode(value)
    also = [("floors", record.floors), ("cadence", record.steps_per_min)]
    assert (reading.metric, reading.value) == ("steps", record.steps)
    assert [(one.metric, one.value) for one in reading.also] == [
        (metric, value) for metric, value in also if value is not None
    ]
