"""The bounded queue between the connection and a program that reads at its own speed."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, Self

from strapline_client.events import Lagged, Update, WebSocketEventType

#: A minute of a hundred wearers at 1 Hz; a reader that is further behind wants the state, not this.
DEFAULT_BOUND: Final = 6_000


class Updates:
    """An async iterator over updates from the moment that it was made.

    When it is full the oldest update is left out for the newest, and the reader is told in its
    place with a :class:`Lagged`: the state that comes with each update is whole all the same.
    The iteration ends when the service is stopped: with :class:`StoppedError` where the server
    stopped it, with the error itself where this package failed.

    Attributes:
        left_out: how many updates were left out since the beginning.
    """

    def __init__(self, bound: int = DEFAULT_BOUND) -> None:
        if bound < 1:
            raise ValueError("a queue holds at least one update")
        self._bound = bound
        self._waiting: deque[Update] = deque()
        self._unsaid = 0
        self._changed = asyncio.Event()
        self._ended = False
        self._error: Exception | None = None
        self.left_out = 0

    def put(self, update: Update) -> int:
        """Take one update in, at once; how many were left out for it."""
        full = len(self._waiting) >= self._bound
        if full:
            self._waiting.popleft()
            self._unsaid += 1
            self.left_out += 1
        self._waiting.append(update)
        self._changed.set()
        return int(full)

    def end(self, error: Exception | None = None) -> None:
        """Nothing more comes; what waits is still handed out."""
        self._ended = True
        self._error = error
        self._changed.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Update:
        while True:
            if self._unsaid:
                lagged = Lagged(self._unsaid)
                self._unsaid = 0
                return Update(WebSocketEventType.LAGGED, lagged)
            if self._waiting:
                return self._waiting.popleft()
            if self._ended:
                raise self._error or StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
