"""An hour of an outbox, as fast as it goes: readings come, commits are made, a server answers.

Run as ``python -m benchmarks.hour FOLDER STRAPS INTERVAL_S online|offline``. It says ``begin``,
waits for a line, lives through the hour, says ``end``, and waits for its stdin to be closed. What
is written depends on which readings share a commit, and not on how long it takes.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from strapline_bridge.daemon import OUTBOX_NAME
from strapline_bridge.intake import Arrived
from strapline_bridge.outbox import ClockMoment, Outbox, OutboxObserver, Row, Run
from strapline_bridge.readings import Reading
from strapline_protocol.publishing import ClockSource

_SECONDS: Final = 3_600
_SECOND_NS: Final = 1_000_000_000


class _Server(OutboxObserver):
    """Has at once what was committed, and says so before the next commit."""

    def __init__(self) -> None:
        self._came: list[Row] = []

    def committed(self, rows: Sequence[Row]) -> None:
        self._came += rows

    def answer(self, outbox: Outbox) -> None:
        for row in self._came:
            outbox.acknowledge(row.stream, [(row.first_seq, row.last_seq)], "store")
        self._came.clear()


def _clock() -> ClockMoment:
    return ClockMoment(time.monotonic_ns(), time.time_ns() // 1_000_000, 5, ClockSource.SYSTEM)


def _reading(strap: int, straps: int, second: int, chance: random.Random) -> Arrived:
    rate = chance.randint(60, 160)
    intervals = [60 * 1_024 // rate + chance.randint(-20, 20)]
    reading = Reading("heart_rate", rate, {"rr": intervals, "contact": True})
    # Each strap has its own moment within a second.
    boot_ns = second * _SECOND_NS + strap * _SECOND_NS // straps
    return Arrived(f"user-{strap}", f"strap-{strap}", boot_ns, reading)


async def live(folder: Path, straps: int, interval_s: int, *, online: bool) -> None:
    """Through the hour; a commit for each reading, or for all that came in an interval."""
    chance = random.Random(1)  # noqa: S311  # wandering heart rates
    server = _Server()
    observers = [server] if online else []
    async with await Outbox.open(
        folder / OUTBOX_NAME, Run("0" * 32, 0), _clock, observers=observers
    ) as outbox:
        print("begin", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for second in range(_SECONDS):
            for strap in range(straps):
                outbox.put(_reading(strap, straps, second, chance))
                if not interval_s:
                    await outbox.flush()
                    server.answer(outbox)
            if interval_s and (second + 1) % interval_s == 0:
                await outbox.flush()
                server.answer(outbox)
        print("end", flush=True)
        await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    where, count, every, how = sys.argv[1:]
    asyncio.run(live(Path(where), int(count), int(every), online=how == "online"))
