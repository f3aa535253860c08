"""One timer for all connections: a wheel whose slots hold those that want to be woken then.

A connection has no timer of its own. It says when it wants to be woken, at most one moment at
a time; it is woken at that tick or the next, looks at all its deadlines and says when next.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

_LOG = logging.getLogger(__name__)

TICK_MS: Final = 100
_AFTER_FAULT_MS: Final = 1_000
#: Not on the wheel.
NOWHERE: Final = -1


class Sleeper(Protocol):
    """What can be woken. ``wheel_slot`` is the wheel's own."""

    wheel_slot: int

    def wake(self, now_ms: int) -> int | None:
        """Do what is due; when to be woken next on the same clock, None for never."""


class Wheel:
    """Slots of :data:`TICK_MS` on a monotonic clock in ms."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._slots: dict[int, list[Sleeper]] = {}
        self._turned = clock() // TICK_MS
        self._handle: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Turn from now on."""
        self._handle = loop.call_later(TICK_MS / 1000, self._tick, loop)

    def stop(self) -> None:
        """Turn no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def wake_at(self, sleeper: Sleeper, due_ms: int) -> None:
        """Wake this one then; earlier, if it is due earlier already."""
        slot = max(self._turned + 1, -(-due_ms // TICK_MS))
        if sleeper.wheel_slot != NOWHERE and sleeper.wheel_slot <= slot:
            return
        sleeper.wheel_slot = slot
        self._slots.setdefault(slot, []).append(sleeper)

    def remove(self, sleeper: Sleeper) -> None:
        """Never wake this one again. Its place in the slot goes when the slot does."""
        sleeper.wheel_slot = NOWHERE

    def turn(self) -> None:
        """Wake all that are due by now."""
        now_ms = self._clock()
        while self._turned < now_ms // TICK_MS:
            self._turned += 1
            for sleeper in self._slots.pop(self._turned, ()):
                # One that was moved to an earlier slot is in this one still, and not due.
                if sleeper.wheel_slot != self._turned:
                    continue
                sleeper.wheel_slot = NOWHERE
                self._wake(sleeper, now_ms)

    def _wake(self, sleeper: Sleeper, now_ms: int) -> None:
        try:
            due_ms = sleeper.wake(now_ms)
        except Exception:  # noqa: BLE001  # logged; the others of its slot are due too
            _LOG.exception("what was due failed")
            due_ms = now_ms + _AFTER_FAULT_MS
        if due_ms is not None:
            self.wake_at(sleeper, due_ms)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._handle = loop.call_later(TICK_MS / 1000, self._tick, loop)
        self.turn()
