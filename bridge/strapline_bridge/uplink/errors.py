"""What a question to the server can come to instead of an answer.

::

    BridgeError
    └── UplinkError
        ├── NotConnectedError     nobody could be asked
        └── NotAnsweredError      the server did not answer, or refused
"""

from __future__ import annotations

from strapline_bridge.errors import BridgeError


class UplinkError(BridgeError):
    """The server could not be asked."""


class NotConnectedError(UplinkError):
    """There is no connection, or it ended before the answer came."""


class NotAnsweredError(UplinkError):
    """The server said no, or nothing, or something else than was asked.

    Attributes:
        code: the server's; empty where it said nothing.
    """

    def __init__(self, what: str, remedy: str, code: str = "") -> None:
        super().__init__(what, remedy)
        self.code = code
