"""What a program wants sent, until a session stands: bounded, and what falls out is counted."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from strapline_protocol.codec import LARGEST_MESSAGE, decode_client, encode
from strapline_protocol.errors import RemoteProtocolError, UnknownTypeError
from strapline_protocol.watching import SyncAsked

OUTGOING_BOUND: Final = 64


def frame_of(kind: str, payload: Mapping[str, JsonValue]) -> bytes:
    """``{"type": kind, **payload}`` as a frame.

    Raises:
        ValueError: it is no message, or one that the service says by itself.
    """
    try:
        frame = json.dumps({**payload, "type": kind}, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise ValueError(f"{kind} is not sent: {error}") from None
    try:
        message = decode_client(frame, LARGEST_MESSAGE)
    except UnknownTypeError:
        # A newer server's: one that does not know it says so, and nothing closes.
        return frame
    except RemoteProtocolError as error:
        raise ValueError(f"{kind} is not sent: {error}") from None
    if isinstance(message, SyncAsked):
        return encode(message)
    raise ValueError(f"{kind} is not sent: the service says that by itself")


class Outgoing:
    """First in, first out. When full, the oldest wish gives way to the newest.

    Attributes:
        dropped: how many were given up because too many waited.
    """

    def __init__(self, bound: int = OUTGOING_BOUND) -> None:
        self._waiting: deque[bytes] = deque()
        self._bound = bound
        self._some = asyncio.Event()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def push(self, frame: bytes) -> None:
        """Take one in, at once."""
        if len(self._waiting) >= self._bound:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(frame)
        self._some.set()

    def put_back(self, frame: bytes) -> None:
        """It could not be sent, and is the oldest again."""
        if len(self._waiting) >= self._bound:
            self.dropped += 1
            return
        self._waiting.appendleft(frame)
        self._some.set()

    async def next(self) -> bytes:
        """The oldest; waits until there is one."""
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
        return self._waiting.popleft()
