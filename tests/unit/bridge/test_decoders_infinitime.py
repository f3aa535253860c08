"""InfiniTime's steps: the whole range of the field, and values of other lengths."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.decoders import UndecodableError
from strapline_bridge.decoders.infinitime import decode


@given(st.integers(0, 2**32 - 1))
def test_gives_back_what_an_encoder_put_in(steps: int) -> None:
    reading = decode(struct.pack("<I", steps))
    assert (reading.metric, reading.value) == ("steps", steps)


@given(st.binary(max_size=20).filter(lambda value: len(value) != 4))
def test_any_other_length_is_refused(value: bytes) -> None:
    with pytest.raises(UndecodableError, match="four bytes"):
        decode(value)
