"""WebSockets that are none: frames in order, delayed, cut, swallowed, by the seed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any, Final, Protocol

from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from strapline_protocol.opening import SUBPROTOCOL
from tests.simulation.virtual import VirtualLoop

#: Frames under way after which a sender waits.
_MOST_UNDER_WAY: Final = 4
_LOST: Final = 1006


class End(Protocol):
    """One side of a connection."""

    def heard(self, frame: bytes) -> None:
        """A frame has come."""

    def lost(self, code: int, reason: str) -> None:
        """The connection is over; called once."""

    def roomier(self) -> None:
        """A frame that this side sent has arrived."""


class Link:
    """One connection.

    Attributes:
        silent: what is sent is swallowed, and neither side is told.
    """

    def __init__(self, loop: VirtualLoop, random: Random, *, calm: bool) -> None:
        self.open = True
        self.silent = False
        self._loop = loop
        self._random = random
        self._calm = calm
        self._ends: dict[bool, End] = {}
        self._free_s = {True: 0.0, False: 0.0}
        self.under_way = {True: 0, False: 0}

    def join(self, client: End, server: End) -> None:
        """Give it its two sides."""
        self._ends = {True: client, False: server}

    def send(self, frame: bytes, *, to_client: bool) -> None:
        """Put a frame on its way, behind those before it."""
        if self.open:
            self.under_way[to_client] += 1
            self._arrive(to_client, lambda: self._deliver(frame, to_client))

    def close(self, code: int, reason: str, *, to_client: bool) -> None:
        """One side ends it: what it sent before still arrives."""
        if self.open:
            self._arrive(to_client, lambda: self.cut(code, reason))

    def cut(self, code: int = _LOST, reason: str = "") -> None:
        """Break it; all that is under way goes with it."""
        if not self.open:
            return
        self.open = False
        for end in self._ends.values():
            # Each side notices in its own time.
            delay_s = self._random.random() * (0.01 if self._calm else 0.2)
            self._loop.from_outside(delay_s, _lost(end, code, reason))

    def _deliver(self, frame: bytes, to_client: bool) -> None:
        self.under_way[to_client] -= 1
        self._ends[to_client].heard(frame)
        self._ends[not to_client].roomier()

    def _arrive(self, to_client: bool, action: Callable[[], None]) -> None:
        slow = not self._calm and self._random.random() < 0.04
        delay_s = self._random.random() * (1.5 if slow else 0.005 if self._calm else 0.05)
        at_s = max(self._free_s[to_client] + 1e-6, self._loop.time() + delay_s)
        self._free_s[to_client] = at_s
        self._loop.from_outside(at_s - self._loop.time(), lambda: self._if_open(action))

    def _if_open(self, action: Callable[[], None]) -> None:
        if self.open and not self.silent:
            action()


def _lost(end: End, code: int, reason: str) -> Callable[[], None]:
    return lambda: end.lost(code, reason)


class _Transport:
    """The kernel's buffers are not simulated."""

    def get_extra_info(self, name: str) -> None:
        return None


class BridgeSocket:
    """What a bridge's connection takes for a WebSocket of the library's."""

    subprotocol = SUBPROTOCOL
    transport = _Transport()

    def __init__(self, link: Link) -> None:
        self._link = link
        self._came: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._end: Close | None = None

    # What the link calls

    def heard(self, frame: bytes) -> None:
        self._came.append(frame)
        self._news.set()

    def lost(self, code: int, reason: str) -> None:
        self._end = Close(code, reason)
        self._news.set()
        self._room.set()

    def roomier(self) -> None:
        self._room.set()

    # What the bridge calls

    async def recv(self, *, decode: bool) -> bytes:
        """The next frame."""
        assert decode is False, "a bridge reads bytes"
        while not self._came:
            if self._end is not None:
                raise self._closed()
            self._news.clear()
            await self._news.wait()
        return self._came.popleft()

    async def send(self, frame: bytes, *, text: bool) -> None:
        """Send it once there is room."""
        assert text, "a bridge speaks text"
        while self._end is None and self._link.under_way[False] >= _MOST_UNDER_WAY:
            self._room.clear()
            await self._room.wait()
        if self._end is not None or not self._link.open:
            raise self._closed()
        self._link.send(frame, to_client=False)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End it from this side."""
        self._link.close(code, reason, to_client=False)

    def _closed(self) -> ConnectionClosedError:
        end = self._end
        told = end if end is not None and end.code != _LOST else None
        return ConnectionClosedError(told, None)


class Dialling:
    """What ``async with connect(...)`` is for a bridge."""

    def __init__(self, dial: Callable[[], Any]) -> None:
        self._dial = dial
        self._socket: BridgeSocket | None = None

    async def __aenter__(self) -> BridgeSocket:
        socket: BridgeSocket = await self._dial()
        self._socket = socket
        return socket

    async def __aexit__(self, *error: object) -> None:
        if self._socket is not None:
            await self._socket.close()
