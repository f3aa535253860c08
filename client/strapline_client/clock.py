"""The server's clock as this program knows it; its own wall clock is never asked for an age."""

from __future__ import annotations

import time
from typing import Final

#: Linux's monotonic clock stands still while the machine sleeps, and what is old would look fresh.
_CLOCK: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def monotonic_ms() -> int:
    """This machine's monotonic clock, with the time that it slept."""
    return time.clock_gettime_ns(_CLOCK) // 1_000_000


class ServerClock:
    """Own monotonic time plus the largest offset to ``serverTime`` seen in this connection.

    A message can be late and never early, so the largest offset is the nearest to the truth.
    """

    __slots__ = ("_begun", "_offset_ms")

    def __init__(self) -> None:
        self._offset_ms: int | None = None
        self._begun = False

    def begin(self) -> None:
        """A connection begins: it measures anew, and until it has, the last offset goes on."""
        self._begun = True

    def heard(self, server_time_ms: int, monotonic_ms: int) -> None:
        """A message said the server's time, at this moment of the own clock."""
        offset_ms = server_time_ms - monotonic_ms
        if self._offset_ms is None or self._begun or offset_ms > self._offset_ms:
            self._offset_ms = offset_ms
        self._begun = False

    def now_ms(self, monotonic_ms: int) -> int | None:
        """The server's time in ms since 1970 UTC; None before its first word."""
        return None if self._offset_ms is None else monotonic_ms + self._offset_ms
