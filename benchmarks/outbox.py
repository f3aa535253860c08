"""An outbox with readings in it, as a bridge that was offline for hours has one."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from strapline_bridge.clock import SystemBootClock, boot_id
from strapline_bridge.daemon import OUTBOX_NAME
from strapline_bridge.intake import Arrived
from strapline_bridge.outbox import ClockMoment, Outbox, Run
from strapline_bridge.outbox.rows import LONGEST_ROW
from strapline_bridge.readings import Reading
from strapline_protocol.publishing import ClockSource

_SECOND_NS: Final = 1_000_000_000


async def fill(state: Path, wearers: Sequence[str], count: int, ago_ms: int = 0) -> None:
    """Store so many heart-rate readings of a few wearables, one a second each.

    Args:
        state: a folder that is there.
        wearers: who wears each of them.
        ago_ms: how long ago the last was taken.
    """
    wearables = len(wearers)
    seconds = count // wearables
    wall_ms = time.time_ns() // 1_000_000 - ago_ms
    # As it is when rows have been merged: an outbox that stays offline does that.
    a_commit = LONGEST_ROW * wearables

    def ended_now() -> ClockMoment:
        return ClockMoment(seconds * _SECOND_NS, wall_ms, 5, ClockSource.SYSTEM)

    # Of another boot, whose clock began when the first of them was taken.
    run = Run("0" * 32, 0)
    chance = random.Random(1)  # noqa: S311  # wandering heart rates
    async with await Outbox.open(state / OUTBOX_NAME, run, ended_now) as outbox:
        for number in range(count):
            second, wearable = divmod(number, wearables)
            outbox.put(
                Arrived(
                    user=wearers[wearable],
                    device=f"wearable-{wearable}",
                    boot_ns=second * _SECOND_NS,
                    reading=_reading(chance),
                )
            )
            if (number + 1) % a_commit == 0:
                await outbox.flush()
        await outbox.finish()


def _reading(chance: random.Random) -> Reading:
    rate = chance.randint(60, 160)
    intervals = [60 * 1_024 // rate + chance.randint(-20, 20)]
    return Reading("heart_rate", rate, {"rr": intervals, "contact": True})


async def pending(state: Path) -> int:
    """Readings in an outbox that no server has accounted for; nobody may have it open."""
    clock = SystemBootClock()

    def now() -> ClockMoment:
        return ClockMoment(clock.now_ns(), time.time_ns() // 1_000_000, 5, ClockSource.SYSTEM)

    run = Run(boot_id(), clock.now_ns())
    async with await Outbox.open(state / OUTBOX_NAME, run, now) as outbox:
        return outbox.status().pending
