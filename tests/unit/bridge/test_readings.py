"""Readings: values that compare, and marks that the protocol can carry."""

from __future__ import annotations

from pydantic import TypeAdapter

from strapline_bridge.readings import NO_COLUMNS, Quality, Reading, make_reading
from strapline_protocol.base import Code


def test_readings_compare_by_what_they_say() -> None:
    assert Reading("battery", 40) == Reading("battery", 40, NO_COLUMNS, ())
    assert Reading("battery", 40) != Reading("battery", 41)


def test_every_mark_is_a_code_of_the_protocol() -> None:
    code: TypeAdapter[str] = TypeAdapter(Code)
    for quality in Quality:
        assert code.validate_python(quality.value) == quality.value


def test_the_quick_maker_makes_the_same() -> None:
    also = (make_reading(("cadence", 85, NO_COLUMNS, (), (), "")),)
    made = make_reading(("speed", 3.5, {"contact": True}, ("zero",), also, "1.2"))
    assert type(made) is Reading
    assert made == Reading(
        metric="speed",
        value=3.5,
        columns={"contact": True},
        quality=("zero",),
        also=(Reading("cadence", 85),),
        session="1.2",
    )
