"""The boot clock that stamps readings, and what it says of wall time: injectable values."""

from __future__ import annotations

import ctypes
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
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
    _CLOCK: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)

    def now_ns(self) -> int:
        if self._CLOCK is None:
            return time.monotonic_ns()
        return time.clock_gettime_ns(self._CLOCK)


class SystemWallClock:
    """The system's wall clock."""

    __slots__ = ()

    def now_ms(self) -> int:
        return time.time_ns() // _NS_PER_MS


class SystemAwakeClock:
    """``CLOCK_MONOTONIC``, which stands still while the machine is suspended."""

    __slots__ = ()

    def now_ns(self) -> int:
        return time.monotonic_ns()


class Suspensions:
    """Tells for how long the machine was suspended: the boot clock counts that, the other not."""

    def __init__(self, boot: BootClock, awake: BootClock) -> None:
        self._boot = boot
        self._awake = awake
        self._ahead_ns: int | None = None

    def slept_ns(self) -> int:
        """Since this was asked last; 0 at first.

        The clocks are read one after the other, and what this process waited for the processor
        in between is no sleep: so at first the boot clock is taken to be ahead by the most that
        it may be, and later by the least.
        """
        before_ns = self._awake.now_ns()
        boot_ns = self._boot.now_ns()
        least_ns = boot_ns - self._awake.now_ns()
        if self._ahead_ns is None:
            self._ahead_ns = boot_ns - before_ns
        slept_ns = max(0, least_ns - self._ahead_ns)
        self._ahead_ns += slept_ns
        return slept_ns


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


#: A machine without a clock of its own starts where it stopped: nobody knows how long ago.
UNKNOWN_MS: Final = 24 * 60 * 60 * 1_000
#: What a synchronised clock that does not tell its error is trusted to.
_SYNCHRONISED_MS: Final = 100
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_TIMESYNCD: Final = Path("/run/systemd/timesync/synchronized")


class _Timex(ctypes.Structure):
    """The head of the kernel's ``struct timex`` (adjtimex(2)) and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


_STA_UNSYNC: Final = 0x0040
_TIME_ERROR: Final = 5


@dataclass(frozen=True, slots=True)
class KernelClock:
    """What the kernel says of its own clock: synchronised or not, and its greatest error."""

    synchronised: bool
    max_error_us: int


def kernel_clock() -> KernelClock | None:
    """Ask adjtimex(2), changing nothing; ``None`` where the system does not answer."""
    if sys.platform != "linux":
        return None
    timex = _Timex()
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        outcome = libc.adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    if outcome < 0:
        return None
    synchronised = outcome != _TIME_ERROR and not timex.status & _STA_UNSYNC
    return KernelClock(synchronised, timex.maxerror)


def clock_state(
    ask_kernel: Callable[[], KernelClock | None] = kernel_clock, mark: Path = _TIMESYNCD
) -> ClockState:
    """Whether the system's clock is synchronised, and within what error.

    Args:
        ask_kernel: reads the kernel's own account.
        mark: the file that systemd-timesyncd makes once it has the time; it stands in where
            the kernel does not answer, as in some containers.
    """
    kernel = ask_kernel()
    if kernel is None:
        synchronised, error_ms = mark.exists(), _SYNCHRONISED_MS
    else:
        # timesyncd sets the error to 0 at each step and the kernel lets it grow from there.
        error_ms = max(-(-kernel.max_error_us // 1_000), 1)
        synchronised = kernel.synchronised
    if synchronised:
        return ClockState(TimeSource.SYSTEM, error_ms)
    return ClockState(TimeSource.ESTIMATE, UNKNOWN_MS)


def read_anchor(
    zero_ns: int,
    boot_clock: BootClock,
    wall_clock: WallClock,
    state: Callable[[], ClockState] = clock_state,
) -> Anchor:
    """Read both clocks at once, for a stream whose boot clock began at ``zero_ns``.

    The boot clock is read before and after, and the middle taken: a scheduler that steps in
    between moves the anchor by half of what it took, and the uncertainty says so.
    """
    trust = state()
    before_ns = boot_clock.now_ns()
    wall_ms = wall_clock.now_ms()
    after_ns = boot_clock.now_ns()
    middle_ns = (before_ns + after_ns) // 2
    return Anchor(
        elapsed_ms=(middle_ns - zero_ns) // _NS_PER_MS,
        wall_ms=wall_ms,
        uncertainty_ms=trust.uncertainty_ms + (after_ns - before_ns) // (2 * _NS_PER_MS),
        source=trust.source,
    )


def boot_id(path: Path = _BOOT_ID) -> str:
    """An id of this boot of the machine; where the system has none, one that is never met again.

    Two boot-clock times may be compared only when they carry the same one.
    """
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return str(uuid.uuid4())
    return text or str(uuid.uuid4())
