"""The one error of all decoders."""

from __future__ import annotations

from strapline_protocol.errors import RemoteProtocolError


class UndecodableError(RemoteProtocolError):
    """A wearable sent bytes that its characteristic's format does not allow.

    Attributes:
        characteristic: UUID, 128 bits, lower case.
        value: the bytes; they are somebody's measurement, so ``str()`` does not show them.
        reason: what is wrong with them.
    """

    def __init__(self, characteristic: str, value: bytes, reason: str) -> None:
        super().__init__(f"characteristic {characteristic[:8]}: {reason} ({len(value)} bytes)")
        self.characteristic = characteristic
        self.value = value
        self.reason = reason
