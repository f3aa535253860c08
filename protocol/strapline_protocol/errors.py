"""The error tree: whose fault it is decides whether to retry, drop or mend.

::

    StraplineError
    ├── LocalProtocolError         we broke the contract: a bug here, never retried
    └── RemoteProtocolError        the other end broke it
        ├── MalformedMessageError  not a message of this protocol; closes with 4400
        ├── UnknownTypeError       a newer peer's message: answered with ERROR, nothing closes
        └── MessageTooLargeError   over the agreed size; closes with 4413
"""

from __future__ import annotations


class StraplineError(Exception):
    """Base of all errors that this project raises on purpose."""


class LocalProtocolError(StraplineError):
    """This end tried something that the protocol does not allow in its state."""


class RemoteProtocolError(StraplineError):
    """The other end sent something that the protocol does not allow."""


class MalformedMessageError(RemoteProtocolError):
    """A frame that is not a valid message; the text says which field and why, not its value."""


class UnknownTypeError(RemoteProtocolError):
    """A well-formed object whose ``type`` this version does not know."""

    def __init__(self, type_name: str) -> None:
        super().__init__(f"unknown message type {type_name!r}")
        self.type_name = type_name


class MessageTooLargeError(RemoteProtocolError):
    """A frame over the size that this end agreed to read."""
