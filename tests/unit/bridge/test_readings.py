"""Readings: values that compare, and marks that the protocol can carry."""

from __future__ import annotations

from pydantic import TypeAdapter

from strapline_bridge.readings import NO_COLUMNS, Quality, Reading
from strapline_protocol.base import Code


def test_readings_compare_by_what_they_say() -> None:
    assert Reading("battery", 40) == Reading("battery", 40, NO_COLUMNS, ())
    assert Reading("battery", 40) != Reading("battery", 41)


def test_every_mark_is_a_code_of_the_protocol() -> None:
    code: TypeAdapter[str] = TypeAdapter(Code)
    for quality in Quality:
        assert code.validate_python(quality.value) == quality.value
