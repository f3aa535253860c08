"""Step Counter Activity Summary: what counts as steps, which count it is, segments."""

from __future__ import annotations

import pytest

from strapline_bridge.decoders import UndecodableError
from strapline_bridge.decoders.activity_monitor import decode

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
