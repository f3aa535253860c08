"""The error tree."""

from __future__ import annotations

from strapline_protocol.errors import (
    LocalProtocolError,
    MalformedMessageError,
    MessageTooLargeError,
    RemoteProtocolError,
    StraplineError,
    UnknownTypeError,
)


def test_ours_and_theirs_are_apart() -> None:
    assert not issubclass(LocalProtocolError, RemoteProtocolError)
    for theirs in (MalformedMessageError, MessageTooLargeError, UnknownTypeError):
        assert issubclass(theirs, RemoteProtocolError)
    assert issubclass(LocalProtocolError, StraplineError)
    assert issubclass(RemoteProtocolError, StraplineError)


def test_an_unknown_type_is_named_without_its_control_characters() -> None:
    error = UnknownTypeError("A\x1b[2J")
    assert error.type_name == "A\x1b[2J"
    assert str(error) == r"unknown message type 'A\x1b[2J'"
