"""2A19: every byte there is, and values of other lengths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.decoders import UndecodableError
from strapline_bridge.decoders.battery import decode


def test_zero_to_a_hundred_and_nothing_else() -> None:
    for percent in range(101):
        assert decode(bytes([percent])).value == percent
    for beyond in range(101, 256):
        with pytest.raises(UndecodableError, match="over 100"):
            decode(bytes([beyond]))


@given(st.binary(max_size=20).filter(lambda value: len(value) != 1))
def test_any_other_length_is_refused(value: bytes) -> None:
    with pytest.raises(UndecodableError, match="one byte"):
        decode(value)
