"""Which finished streams are told again in a connection, so that a server says what it lacks.

A server whose database was put back from an older copy may keep its name and epoch. What it
answers to STREAM is then the only sign that it has lost what it once acknowledged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container
from typing import Final

from strapline_bridge.outbox import Outbox
from strapline_protocol.base import SAFE_INTEGER

#: Streams that are told at the beginning of a connection: the latest, about 12 KiB.
_AT_ONCE: Final = 64
#: What is older follows at this pace, so that many short runs cost a slow link little.
_EACH_S: Final = 5.0


class Recall:
    """Goes through the streams of which acknowledged rows are kept, once, latest first."""

    def __init__(
        self,
        outbox: Outbox,
        store: str,
        *,
        at_once: int = _AT_ONCE,
        each_s: float = _EACH_S,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin a connection.

        Args:
            store: the server's database; only what it has acknowledged can be missing there.
            at_once: streams that may be told without waiting.
            each_s: time for one more.
        """
        self._outbox = outbox
        self._store = store
        self._at_once = at_once
        self._each_s = each_s
        self._now_s = now_s
        self._began_s = now_s()
        self._given = 0
        self._before = SAFE_INTEGER

    async def next(self, told: Container[str]) -> str | None:
        """The next stream to tell, or None while there is none, or its time has not come.

        Args:
            told: streams that this connection has told already.

        Raises:
            OutboxReadError: the disk does not answer.
        """
        while self._before and self._given < self._allowed():
            record = await self._outbox.latest_kept(self._store, self._before)
            self._before = 0 if record is None else record.key
            if record is not None and record.id not in told:
                self._given += 1
                return record.id
        return None

    def _allowed(self) -> int:
        return self._at_once + int((self._now_s() - self._began_s) / self._each_s)
