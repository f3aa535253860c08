"""A fault tells what is wrong and what to do, in that order."""

from __future__ import annotations

from strapline_bridge.errors import BridgeError
from strapline_protocol.errors import StraplineError


def test_says_what_and_what_to_do() -> None:
    error = BridgeError("the disk is full", "Make room")
    assert str(error) == "the disk is full. Make room."
    assert (error.what, error.remedy) == ("the disk is full", "Make room")
    assert isinstance(error, StraplineError)
