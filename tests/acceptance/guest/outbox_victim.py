"""The bridge's own outbox under a power cut: what fills it, and what is found in it afterwards."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, Never

from strapline_bridge.intake import Arrived
from strapline_bridge.outbox import ClockMoment, Limits, Outbox, OutboxObserver, Place, Row, Run
from strapline_bridge.outbox import database as outbox_database
from strapline_bridge.outbox.damage import readable
from strapline_bridge.readings import Reading
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.publishing import ClockSource
from strapline_protocol.series import Series
from tests.acceptance.guest.cuts import Found, Said, Told

NAME: Final = "outbox.db"
#: Rows are joined early and often, so that cuts come in the middle of that too.
_LIMITS: Final = Limits(join_rows=24)
_PAGE_READINGS: Final = 500
_STORE: Final = "store"
_MS: Final = 1_000_000


def value_of(moment: int) -> int:
    """The heart rate at a moment: whatever is read back must be it."""
    return 40 + moment % 150


def _clock() -> ClockMoment:
    return ClockMoment(time.monotonic_ns(), time.time_ns() // _MS, 50, ClockSource.SYSTEM)


class _Telling(OutboxObserver):
    """Says what the outbox says, at once; keeps what could be acknowledged."""

    def __init__(self, tell: Callable[[Said], None]) -> None:
        self._tell = tell
        self.unanswered: list[tuple[str, int, int]] = []

    def committed(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._say(Told.COMMITTED, row.stream, row.first_seq, row.last_seq)
            self.unanswered.append((row.stream, row.first_seq, row.last_seq))

    def acknowledged(self, stream: str, numbers: IntervalSet) -> None:
        for first, last in numbers:
            self._say(Told.ACKNOWLEDGED, stream, first, last)

    def _say(self, told: Told, stream: str, first: int, last: int) -> None:
        self._tell(Said(told, stream, first, last, time.monotonic_ns() // _MS))


async def write(
    folder: Path, tell: Callable[[Said], None], chance: random.Random, interval_ms: int
) -> Never:
    """Fill it in bursts, with a server that answers for some or with none, until the power goes."""
    telling = _Telling(tell)
    outbox = await _open(folder, telling, interval_ms=interval_ms)
    moment = 0
    # Without a server rows are joined instead.
    online = chance.random() < 0.5
    while True:
        burst = range(moment, moment + chance.randint(1, 12))
        moment = burst.stop
        tell(Said(Told.TAKEN, "", burst[0], burst[-1], time.monotonic_ns() // _MS))
        for one in burst:
            outbox.put(_reading(one))
        await asyncio.sleep(chance.random() * 0.03)
        if online and chance.random() < 0.3 and telling.unanswered:
            answered = chance.sample(telling.unanswered, (len(telling.unanswered) + 1) // 2)
            for stream, first, last in answered:
                outbox.acknowledge(stream, [(first, last)], _STORE)
            telling.unanswered.clear()


async def _open(folder: Path, *observers: OutboxObserver, interval_ms: int = 0) -> Outbox:
    return await Outbox.open(
        folder / NAME,
        Run("boot", 0),
        _clock,
        limits=_LIMITS,
        observers=observers,
        interval_ms=interval_ms,
    )


def _reading(moment: int) -> Arrived:
    reading = Reading("heart_rate", value_of(moment), {"rr": [1_000, 990], "contact": True})
    return Arrived("ilse", f"strap-{moment % 2}", moment * _MS, reading)


async def check(folder: Path) -> Found:
    """Open it as the bridge does, and look at every reading."""
    found = Found()
    async with await _open(folder) as outbox:
        pending = await _pending(outbox)
        for record in outbox.records():
            found.acknowledged[record.id] = record.settled.ranges()
            if pending.pop(record.id, []) != record.pending():
                found.faults.append("what is pending is not what the outbox gives out")
            if record.accounted().minus(record.settled):
                found.faults.append("readings were given up")
    if pending:
        found.faults.append("readings of no stream are given out")
    _look_into(folder / NAME, found)
    return found


async def _pending(outbox: Outbox) -> dict[str, list[tuple[int, int]]]:
    """What a server would be sent, by stream; an error where it is sent twice."""
    numbers: dict[str, IntervalSet] = {}
    place, count = Place(), 0
    while True:
        page = await outbox.page(place, outbox.behind(), _PAGE_READINGS)
        for row in page.rows:
            count += len(row.series)
            for span in row.series.ranges():
                numbers.setdefault(row.stream, IntervalSet()).add(*span)
        if page.end:
            break
        place = page.next
    assert count == sum(map(len, numbers.values())), "a reading is given out twice"
    return {stream: found.ranges() for stream, found in numbers.items()}


def _look_into(path: Path, found: Found) -> None:
    """The file itself: the same one, sound, each reading once, each with its own value."""
    if any(".damaged" in other.name for other in path.parent.iterdir()):
        found.faults.append("the file had to be salvaged")
    with closing(sqlite3.connect(path)) as database:
        (sound,) = database.execute("PRAGMA integrity_check").fetchone()
        rows = database.execute(
            "SELECT id, payload FROM series_row JOIN stream ON stream.key = series_row.stream"
        ).fetchall()
    if sound != "ok":
        found.faults.append(f"integrity_check: {sound}")
    held: dict[str, IntervalSet] = {}
    count = 0
    for stream, payload in rows:
        found.merged += payload.startswith("[")
        for series in readable(payload):
            if series.metric != "heart_rate":
                continue
            count += len(series)
            numbers = held.setdefault(stream, IntervalSet())
            for span in series.ranges():
                numbers.add(*span)
            moments = series.elapsed()
            found.last_moment[stream] = max(found.last_moment.get(stream, -1), *moments)
            if wrong(series, moments):
                found.faults.append("a reading has another value than was measured")
    if count != sum(map(len, held.values())):
        found.faults.append("a reading is there twice")
    found.held = {stream: numbers.ranges() for stream, numbers in held.items()}


def wrong(series: Series, moments: Sequence[int]) -> bool:
    """Whether any of these has not the value of its moment."""
    return list(series.value) != [value_of(moment) for moment in moments]


def without_fsyncs() -> None:
    """From now on this process's outboxes never ask the disk to keep anything."""
    pragmas = [
        "PRAGMA synchronous = OFF" if pragma == "PRAGMA synchronous = FULL" else pragma
        for pragma in outbox_database._PRAGMAS
    ]
    assert tuple(pragmas) != outbox_database._PRAGMAS
    outbox_database._PRAGMAS = tuple(pragmas)  # type: ignore[misc, assignment]  # this process ends soon
