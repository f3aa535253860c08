"""A clock that is only moved by what is due, and connections that delay and break."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from functools import partial
from itertools import count
from random import Random
from typing import Protocol


class Clock:
    """Virtual milliseconds, and what is to happen at which."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()

    def after(self, delay_ms: int, action: Callable[[], None]) -> None:
        """Let it happen then."""
        heapq.heappush(self._due, (self.now_ms + delay_ms, next(self._order), action))

    def run(self, for_ms: int) -> None:
        """Let pass so much time, and all that is due in it happen."""
        end_ms = self.now_ms + for_ms
        while self._due and self._due[0][0] <= end_ms:
            self.now_ms, _, action = heapq.heappop(self._due)
            action()
        self.now_ms = end_ms


class End(Protocol):
    """One side of a connection."""

    def heard(self, frame: bytes) -> None:
        """A frame has come."""

    def lost(self, code: int, reason: str) -> None:
        """The connection is over; called once."""


class Link:
    """One WebSocket: frames keep their order, and all that is under way goes with a cut."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self.open = True
        self._clock = clock
        self._random = random
        self._ends: dict[bool, End] = {}
        self._free_ms = {True: 0, False: 0}

    def join(self, client: End, server: End) -> None:
        """Give it its two sides."""
        self._ends = {True: client, False: server}

    def send(self, frame: bytes, *, to_client: bool) -> None:
        """Put a frame on its way, behind those before it."""
        if self.open:
            self._arrive(to_client, lambda: self._ends[to_client].heard(frame))

    def cut(self, code: int = 1006, reason: str = "") -> None:
        """Break it; a close code of the server's still reaches the client."""
        if self.open:
            self.open = False
            for end in self._ends.values():
                # Each side notices in its own time.
                self._clock.after(self._random.randrange(200), partial(end.lost, code, reason))

    def close(self, code: int, reason: str) -> None:
        """The server's end of it: what was sent before still arrives."""
        if self.open:
            self._arrive(True, lambda: self.cut(code, reason))

    def _arrive(self, to_client: bool, action: Callable[[], None]) -> None:
        slow = self._random.random() < 0.05
        delay_ms = self._random.randrange(2_000 if slow else 60)
        at_ms = max(self._free_ms[to_client], self._clock.now_ms + delay_ms)
        self._free_ms[to_client] = at_ms
        self._clock.after(at_ms - self._clock.now_ms, lambda: self._if_open(action))

    def _if_open(self, action: Callable[[], None]) -> None:
        if self.open:
            action()
