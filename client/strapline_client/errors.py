"""What a program that watches has to handle; whether to try again is the first question.

::

    StraplineError
    └── ClientError
        ├── StoppedError         the server ended it for good: what it said, and what to do
        ├── NotConnectedError    asked while there is no session, or it ended before the answer
        ├── RequestRefusedError  the server answered that it will not
        └── TokenSourceError     the program's own function gave no token; tried again
"""

from __future__ import annotations

from typing import Final

from strapline_protocol.closing import CloseCode
from strapline_protocol.errors import StraplineError

#: After these the same token is refused again, however often it is shown.
_REFUSALS: Final = frozenset({CloseCode.UNAUTHENTICATED, CloseCode.NOT_ALLOWED})
_ANOTHER: Final = (
    "Get a new token (`strapline server token --viewer NAME --all` on the server prints one) and "
    "start with it, or give a function that gets one."
)


class ClientError(StraplineError):
    """Base of what this package raises."""


class StoppedError(ClientError):
    """The service has stopped and will not connect again by itself.

    Attributes:
        code: the close code, from :class:`strapline_protocol.closing.CloseCode`.
        reason: the server's own words.
    """

    def __init__(self, code: int, reason: str) -> None:
        told = f"the server ended the session for good ({code}): {reason}"
        super().__init__(f"{told}. {_ANOTHER}" if code in _REFUSALS else told)
        self.code = code
        self.reason = reason


class NotConnectedError(ClientError):
    """No session stands now. The service is trying to get one; ask again."""


class RequestRefusedError(ClientError):
    """The server did not do what was asked.

    Attributes:
        code: one of :class:`strapline_protocol.opening.ErrorCode`, or a newer server's own.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code


class TokenSourceError(ClientError):
    """The function that should give a token raised; its error is the cause."""
