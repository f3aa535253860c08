"""The boot clock that stamps readings, and what it says of wall time: injectable values."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

_NS_PER_MS: Final = 1_000_000


class BootClock(Protocol):
    """A clock that only goes forward, sleep included, and knows nothing of the date."""

    def now_ns(self) -> int:
        """Nanoseconds since an arbitrary moment, fixed for this boot."""
        ...


class WallClock(Protocol):
    """The system's idea of the date, which may jump."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        ...


class SystemBootClock:
    """``CLOCK_BOOTTIME``, which counts suspend too; the monotonic clock where there is none."""

    __slots__ = ()
    _CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", None)

    def now_ns(self) -> int:
        if self._CLOCK is None:
            return time.monotonic_ns()
        return time.clock_gettime_ns(self._CLOCK)


class SystemWallClock:
    """The system's wall clock."""

    __slots__ = ()

    def now_ms(self) -> int:
        return time.time_ns() // _NS_PER_MS


class TimeSource(StrEnum):
    """Where a wall time comes from; the bridge's own part of ``source`` in a stream's anchors."""

    SYSTEM = "system"
    ESTIMATE = "estimate"


@dataclass(frozen=True, slots=True)
class ClockState:
    """How far the wall clock may be trusted."""

    source: TimeSource
    uncertainty_ms: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """One point at which boot clock and wall clock were read together.

    Attributes:
        elapsed_ms: boot clock since the stream's zero.
        wall_ms: milliseconds since 1970 UTC at that moment.
        uncertainty_ms: ``wall_ms`` is right within this much.
    """

    elapsed_ms: int
    wall_ms: int
    uncertainty_ms: int
    source: TimeSource
