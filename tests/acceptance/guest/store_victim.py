"""The server's own store under a power cut: what fills it, and what is found in it afterwards."""

from __future__ import annotations

import asyncio
import random
import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, Never

from strapline_protocol.asking import HistoryParams
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.opening import Role
from strapline_protocol.publishing import (
    Acknowledged,
    Anchor,
    ClockSource,
    Lane,
    Readings,
    Stream,
    Zero,
)
from strapline_protocol.series import Series
from strapline_server.store import Grant, Store, Work
from strapline_server.store.database import FILE_NAME, Database
from tests.acceptance.guest.cuts import Found, Said, Told
from tests.acceptance.guest.outbox_victim import value_of

_USER: Final = "ilse"
_BRIDGE: Final = "bridge-pi"
_MS: Final = 1_000_000
#: A past whose hours are over, so that its blocks cool while more of them come.
_BEGIN_MS: Final = 1_795_521_600_000
_NOW_MS: Final = _BEGIN_MS + 86_400_000
#: Between two readings: an hour is over soon.
_STEP_MS: Final = 7_000
#: As many readings as one message brings: what is larger was merged.
_COUNTS: Final = (1, 1, 5, 40)


def _now_ms() -> int:
    return _NOW_MS


def _zero() -> Zero:
    anchor = Anchor(elapsed_ms=0, wall_ms=_BEGIN_MS, uncertainty_ms=5, source=ClockSource.SYSTEM)
    return Zero(version=1, anchors=[anchor])


async def write(
    folder: Path, tell: Callable[[Said], None], chance: random.Random, interval_ms: int
) -> Never:
    """Commit what bridges send, and merge what cools, until the power goes."""
    assert not interval_ms, "a store commits at once"
    store, grant = await _open(folder)
    stream = secrets.token_urlsafe(16)
    declared = Stream(stream=stream, next_seq=0, zero=_zero())
    await store.commit([Work(grant, declared)])
    async with asyncio.TaskGroup() as both:
        both.create_task(_cool(store))
        both.create_task(_publish(store, grant, stream, tell, chance))
    raise AssertionError("neither of them ends")


async def _open(folder: Path) -> tuple[Store, Grant]:
    store = Store(folder, _now_ms)
    await store.open()
    await store.add_user(_USER, "Ilse", "UTC")
    await store.put_grant(_BRIDGE, Role.BRIDGE, "Pi", [_USER], None)
    grant = await store.grant(_BRIDGE)
    assert grant is not None
    return store, grant


async def _cool(store: Store) -> Never:
    while True:
        await store.cool()
        await asyncio.sleep(0.05)


async def _publish(
    store: Store,
    grant: Grant,
    stream: str,
    tell: Callable[[Said], None],
    chance: random.Random,
) -> Never:
    number = 0
    while True:
        works = []
        for _ in range(chance.randint(1, 3)):
            count = chance.choice(_COUNTS)
            works.append(Work(grant, _readings(stream, number, count)))
            number += count
        outcome = await store.commit(works)
        for answer in (one for answers in outcome.answers for one in answers):
            assert isinstance(answer, Acknowledged)
            for first, last in answer.ranges:
                at_ms = time.monotonic_ns() // _MS
                tell(Said(Told.COMMITTED, stream, first, last, at_ms))
        await asyncio.sleep(chance.random() * 0.02)


def _readings(stream: str, first: int, count: int) -> Readings:
    series = Series(
        user=_USER,
        # Each run has a strap of its own: their moments are the same.
        device=f"strap-{stream}",
        metric="heart_rate",
        seq=[first] + [1] * (count - 1),
        elapsed_ms=[first * _STEP_MS] + [_STEP_MS] * (count - 1),
        value=[value_of(number) for number in range(first, first + count)],
        contact=[True] * count,
    )
    return Readings(stream=stream, lane=Lane.BACKLOG, series=[series])


async def check(folder: Path) -> Found:
    """Open it as the server does; read all of its history, and what it accounts for."""
    found = Found()
    store, grant = await _open(folder)
    try:
        held = await _history(store, found)
        for stream, numbers in held.items():
            found.held[stream] = numbers.ranges()
            declared = Stream(stream=stream, next_seq=0, zero=_zero())
            outcome = await store.commit([Work(grant, declared)])
            (answer,) = outcome.answers[0]
            if not isinstance(answer, Acknowledged) or answer.ranges != numbers.ranges():
                found.faults.append("what it accounts for is not what it holds")
        facts = await store.facts()
        if facts.readings != sum(map(len, held.values())):
            found.faults.append("it counts other readings than it holds")
    finally:
        await store.close()
    with closing(sqlite3.connect(folder / FILE_NAME)) as database:
        (sound,) = database.execute("PRAGMA integrity_check").fetchone()
        (found.merged,) = database.execute(
            "SELECT count(*) FROM blocks WHERE count > ?", (3 * max(_COUNTS),)
        ).fetchone()
    if sound != "ok":
        found.faults.append(f"integrity_check: {sound}")
    return found


async def _history(store: Store, found: Found) -> dict[str, IntervalSet]:
    """The numbers of each stream in it; faults go into ``found``."""
    held: dict[str, IntervalSet] = {}
    count, after = 0, None
    while True:
        asked = HistoryParams(
            user=_USER, metric="heart_rate", from_ms=0, to_ms=_NOW_MS, limit=10_000, after=after
        )
        page = await store.history(_BRIDGE, asked)
        assert page is not None
        for series in page.series:
            numbers = series.numbers()
            count += len(numbers)
            assert series.stream is not None
            for number in numbers:
                held.setdefault(series.stream, IntervalSet()).add(number, number)
            if list(series.value) != [value_of(number) for number in numbers]:
                found.faults.append("a reading has another value than was measured")
        if page.next is None:
            break
        after = page.next
    if count != sum(map(len, held.values())):
        found.faults.append("a reading is there twice")
    return held


def without_fsyncs() -> None:
    """From now on this process's stores never ask the disk to keep anything."""
    connect = Database._connect

    def unsafely(self: Database, pragma: str) -> sqlite3.Connection:
        connection = connect(self, pragma)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    Database._connect = unsafely  # type: ignore[method-assign]  # this process ends soon
