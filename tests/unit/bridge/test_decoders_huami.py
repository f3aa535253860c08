"""Steps of Mi Band and Amazfit: as long as the flags say, and no longer."""

from __future__ import annotations

import pytest

from strapline_bridge.decoders import UndecodableError
from strapline_bridge.decoders.huami import decode


def test_steps_come_with_the_distance() -> None:
    reading = decode(bytes.fromhex("0c99010000fd00000008000000"))
    assert (reading.metric, reading.value) == ("steps", 409)
    assert [(one.metric, one.value) for one in reading.also] == [("distance", 253)]


def test_the_short_form_has_steps_alone() -> None:
    reading = decode(bytes.fromhex("00ffff0000"))
    assert reading.value == 65_535
    assert reading.also == ()


@pytest.mark.parametrize(
    "value",
    ["", "00720100", "0c99010000fd000000080000", "0c99010000", "000000000000", "80720100000000"],
)
def test_anything_else_is_refused(value: str) -> None:
    with pytest.raises(UndecodableError):
        decode(bytes.fromhex(value))
