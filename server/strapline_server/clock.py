"""The machine's clocks, and whether the kernel calls its own synchronised."""

from __future__ import annotations

import ctypes
import time
from typing import Final

from strapline_protocol.opening import ClockState

#: adjtimex(2): the clock is not synchronised.
_TIME_ERROR: Final = 5
#: More than any kernel's struct timex.
_TIMEX_BYTES: Final = 512


def wall_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def monotonic_ms() -> int:
    """Milliseconds on a clock that only goes forward."""
    return time.monotonic_ns() // 1_000_000


def clock_state() -> ClockState:
    """What adjtimex(2) says; where there is none, nothing is promised."""
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is None:
        return ClockState.UNSYNCHRONISED
    # All zero: mode 0 reads and sets nothing.
    state = adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    known = 0 <= state < _TIME_ERROR
    return ClockState.SYNCHRONISED if known else ClockState.UNSYNCHRONISED
