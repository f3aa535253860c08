"""The clock by which a simulation lets its straps live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

#: Further behind than this the machine has slept or stalled: the straps do not catch up.
CATCH_UP_S: Final = 5.0


class Ticking(Protocol):
    """Something that lives when it is told to."""

    async def tick(self, seconds: float, *, elapsed_s: float, wait: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How often straps notify, and how fast their wearers live.

    Attributes:
        rate_hz: ticks per second of the recorded heart; 1 is the habit of real straps.
        speed: how much faster than life the recording is played. Steps and battery keep to
            real time: a bridge refuses steps that nobody can take.

    Raises:
        ValueError: a pace of nothing.
    """

    rate_hz: float = 1.0
    speed: float = 1.0

    def __post_init__(self) -> None:
        if self.rate_hz <= 0 or self.speed <= 0:
            raise ValueError(f"a pace of {self.rate_hz} Hz times {self.speed}: give more than 0")

    @property
    def interval_s(self) -> float:
        """Real time between two ticks."""
        return 1.0 / (self.rate_hz * self.speed)


async def keep_pace(strap: Ticking, pace: Pace, *, delay_s: float = 0.0) -> None:
    """Tick for ever, evenly, without drifting."""
    loop = asyncio.get_running_loop()
    due_s = loop.time() + delay_s
    while True:
        await asyncio.sleep(max(0.0, due_s - loop.time()))
        await strap.tick(1.0 / pace.rate_hz, elapsed_s=pace.interval_s, wait=False)
        due_s += pace.interval_s
        if loop.time() - due_s > CATCH_UP_S:
            due_s = loop.time()


@asynccontextmanager
async def paced(straps: Sequence[Ticking], pace: Pace) -> AsyncIterator[None]:
    """Tick each strap by the clock, spread evenly over an interval.

    Raises:
        Exception: what a tick raised, unless the body of the context raised first.
    """
    apart_s = pace.interval_s / max(1, len(straps))
    tasks = [
        asyncio.create_task(keep_pace(strap, pace, delay_s=index * apart_s))
        for index, strap in enumerate(straps)
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
