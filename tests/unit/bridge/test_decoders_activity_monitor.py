"""Step Counter Activity Summary: what counts as steps, which count it is, segments."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from strapline_bridge.decoders import UndecodableError
from strapline_bridge.decoders.activity_monitor import decode, parse

_FULL = "801f020001000000000002000000e803006400000a0000d00700100e00"


def test_all_kinds_of_steps_are_steps_of_this_sub_session() -> None:
    reading = decode(bytes.fromhex(_FULL))
    assert (reading.metric, reading.value, reading.session) == ("steps", 1_110, "2.1")


def test_a_summary_without_steps_is_no_reading() -> None:
    assert decode(bytes.fromhex("c000010002000a00000001000000")).value is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "heading"),
        (_FULL[:26], "heading"),
        ("81" + _FULL[2:], "several"),
        ("00" + _FULL[2:], "several"),
        (_FULL[:-2], "cut off"),
    ],
)
def test_parts_are_refused(value: str, reason: str) -> None:
    with pytest.raises(UndecodableError) as refused:
        decode(bytes.fromhex(value))
    assert reason in refused.value.reason


@given(st.binary(max_size=32) | st.binary(max_size=31).map(lambda rest: b"\x80" + rest))
@example(bytes.fromhex("80070100020010000000050000006400 00c800000a0000"))
def test_the_readings_are_what_the_record_says(value: bytes) -> None:
    try:
        record = parse(value)
    except UndecodableError as error:
        with pytest.raises(UndecodableError, match=re.escape(str(error))):
            decode(value)
        return
    reading = decode(value)
    counts = [record.walking_steps, record.intensity_steps, record.floor_steps]
    told = [count for count in counts if count is not None]
    assert (reading.metric, reading.value) == ("steps", sum(told) if told else None)
    assert reading.session == f"{record.session}.{record.sub_session}"
