"""What wearables say of themselves: texts to their NUL, and what of them may be passed on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.decoders import DECODERS, DESCRIPTIONS, UndecodableError
from strapline_bridge.decoders.describing import (
    BODY_LOCATION,
    MAKER,
    MODEL,
    PNP_ID,
    SERIAL_NUMBER,
    SYSTEM_ID,
    body_location,
    shareable,
)
from strapline_protocol.publishing import DeviceAbout


def test_maker_serial_number_and_what_is_made_of_the_address_have_no_way_out() -> None:
    for secret in (MAKER, SERIAL_NUMBER, SYSTEM_ID, PNP_ID):
        assert DESCRIPTIONS[secret].field is None


def test_what_may_leave_is_what_the_message_has_fields_for() -> None:
    fields = {one.field for one in DESCRIPTIONS.values() if one.field is not None}
    assert fields == set(DeviceAbout.model_fields)


def test_no_measurement_is_among_them() -> None:
    assert not set(DESCRIPTIONS) & set(DECODERS)


def test_a_text_ends_at_nul() -> None:
    assert DESCRIPTIONS[MAKER].decode(b"Test\0Extra") == "Test"
    assert DESCRIPTIONS[MODEL].decode(b"H10 \0") == "H10"


@pytest.mark.parametrize("value", [b"\xff\xfe", b"x" * 513])
def test_what_is_no_text_is_refused(value: bytes) -> None:
    with pytest.raises(UndecodableError):
        DESCRIPTIONS[MODEL].decode(value)


def test_reserved_locations_are_refused() -> None:
    assert body_location(b"\x06") == "foot"
    with pytest.raises(UndecodableError) as refused:
        body_location(b"\x07")
    assert refused.value.characteristic == BODY_LOCATION


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("H10", "H10"),
        ("  H10\n\x1b[31m ", "H10[31m"),
        ("H10 1A2B3C", "H10 1A2B3C"),
        ("H10 123456", None),
        ("H10 7E2A9B12", None),
        ("Defaced band", "Defaced band"),
        ("", None),
        ("\u202e\0", None),
        ("x" * 100, "x" * 64),
    ],
)
def test_what_may_be_passed_on(text: str, kept: str | None) -> None:
    assert shareable(text) == kept


@given(st.text(max_size=80))
def test_what_is_passed_on_always_fits_the_message(text: str) -> None:
    kept = shareable(text)
    assert kept is None or DeviceAbout(model=kept).model == kept


@given(st.sampled_from(sorted(DESCRIPTIONS)), st.binary(max_size=40))
def test_any_bytes_mean_something_or_are_refused(uuid: str, value: bytes) -> None:
    try:
        told = DESCRIPTIONS[uuid].decode(value)
    except UndecodableError:
        return
    assert isinstance(told, str | tuple)
