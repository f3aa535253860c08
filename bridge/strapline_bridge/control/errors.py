"""What a question at the control socket can come to instead of an answer."""

from __future__ import annotations

from strapline_bridge.errors import BridgeError


class ControlError(BridgeError):
    """The service was not reached, or did not do what it was asked.

    Attributes:
        kind: the error's class in the service, as ``OutboxReadError``; empty where the fault is
            the socket's own.
    """

    def __init__(self, what: str, remedy: str, kind: str = "") -> None:
        super().__init__(what, remedy)
        self.kind = kind
