"""The best wall time this bridge can name: its own when synchronised, else a server's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from strapline_bridge.clock import (
    BootClock,
    ClockState,
    Suspensions,
    SystemAwakeClock,
    SystemBootClock,
    SystemWallClock,
    TimeSource,
    WallClock,
    clock_state,
    read_anchor,
)
from strapline_bridge.outbox import ClockMoment
from strapline_bridge.outbox.zero import USUAL_DRIFT_PPM
from strapline_protocol.opening import ClockState as ServerClockState
from strapline_protocol.opening import Hello
from strapline_protocol.publishing import ClockSource, ClockStatus

_NS_PER_MS: Final = 1_000_000
#: How far a server that does not call its own clock synchronised may be off.
_UNSYNCHRONISED_MS: Final = 60 * 60 * 1_000
_SOURCES: Final = {
    TimeSource.SYSTEM: ClockSource.SYSTEM,
    TimeSource.ESTIMATE: ClockSource.ESTIMATE,
}


class Timekeeper:
    """Both clocks of this machine, and what servers have said of the time in this run."""

    def __init__(
        self,
        boot: BootClock | None = None,
        wall: WallClock | None = None,
        state: Callable[[], ClockState] = clock_state,
        awake: BootClock | None = None,
    ) -> None:
        """Set up.

        Args:
            awake: stands still while the machine is suspended; beside a boot clock that is
                given, one that is not.
        """
        if awake is None:
            awake = SystemAwakeClock() if boot is None else boot
        self.boot = SystemBootClock() if boot is None else boot
        self.suspensions = Suspensions(self.boot, awake)
        self.wall = SystemWallClock() if wall is None else wall
        self._state = state
        self._told: ClockMoment | None = None

    def moment(self) -> ClockMoment:
        """Boot clock and wall time of now, from the best source there is."""
        anchor = read_anchor(0, self.boot, self.wall, self._state)
        own = ClockMoment(
            boot_ns=anchor.elapsed_ms * _NS_PER_MS,
            wall_ms=anchor.wall_ms,
            uncertainty_ms=anchor.uncertainty_ms,
            source=_SOURCES[anchor.source],
        )
        told = self._told
        if told is None or own.source is ClockSource.SYSTEM:
            return own
        since_ms = (own.boot_ns - told.boot_ns) // _NS_PER_MS
        drifted_ms = since_ms * USUAL_DRIFT_PPM // 1_000_000
        return ClockMoment(
            own.boot_ns, told.wall_ms + since_ms, told.uncertainty_ms + drifted_ms, told.source
        )

    def status(self) -> ClockStatus:
        """What this bridge's wall time rests on, for STATUS."""
        moment = self.moment()
        return ClockStatus(source=moment.source, uncertainty_ms=moment.uncertainty_ms)

    def greeted(self, hello: Hello, before_ns: int, after_ns: int) -> ClockMoment:
        """What a HELLO tells of the time.

        Args:
            before_ns, after_ns: boot clock before the connection was begun and once HELLO had
                come; the server read its clock at some moment between them.
        """
        synchronised = hello.clock_state is ServerClockState.SYNCHRONISED
        within_ms = -(-(after_ns - before_ns) // (2 * _NS_PER_MS)) + 1
        told = ClockMoment(
            boot_ns=(before_ns + after_ns) // 2,
            wall_ms=hello.server_time,
            uncertainty_ms=within_ms + (0 if synchronised else _UNSYNCHRONISED_MS),
            source=ClockSource.SERVER if synchronised else ClockSource.SERVER_UNSYNCHRONISED,
        )
        known = self._told
        if known is None or synchronised or known.source is not ClockSource.SERVER:
            self._told = told
        return told
