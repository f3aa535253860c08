"""Blocks: the readings themselves, found by time; and moving a stream's when its zero moves."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from strapline_protocol.base import SAFE_INTEGER
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.metrics import metric_named
from strapline_protocol.publishing import Zero
from strapline_protocol.series import Series
from strapline_server.state import usable
from strapline_server.store.aggregates import Aggregates, DayCache
from strapline_server.store.columns import LONGEST_BLOCK_MS, cut, pack, sound, wall_times
from strapline_server.store.database import Transaction, Value
from strapline_server.store.notes import fold_notes_anew
from strapline_server.store.sums import HOUR_MS

_ALWAYS: Final = SAFE_INTEGER
#: Blocks of as many readings are not worth merging.
_LARGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Place:
    """Whose readings, of what, out of which stream."""

    user_key: int
    metric: str
    device_key: int
    stream_key: int

    @property
    def key(self) -> dict[str, Value]:
        """As the queries name it."""
        return {
            "user_key": self.user_key,
            "metric": self.metric,
            "device_key": self.device_key,
            "stream_key": self.stream_key,
        }


def insert_blocks(
    transaction: Transaction,
    place: Place,
    series: Series,
    at_ms: Sequence[int],
    received_ms: tuple[int, int],
    *,
    warm: bool = True,
) -> None:
    """Store readings.

    Args:
        transaction: to do it in.
        place: whose they are, and of what.
        series: the readings, and
        at_ms: their wall times.
        received_ms: when the first and when the last of them was committed.
        warm: small blocks are to be merged with others of their hour.
    """
    committed_ms, judged_ms = received_ms
    for part, times in cut(series, at_ms):
        numbers, elapsed = part.numbers(), part.elapsed()
        values = [value for value in part.value if value is not None]
        transaction.run(
            "insert_block",
            **place.key,
            first_seq=numbers[0],
            last_seq=numbers[-1],
            first_elapsed_ms=min(elapsed),
            last_elapsed_ms=max(elapsed),
            from_ms=min(times),
            to_ms=max(times),
            count=len(part),
            low=min(values, default=None),
            high=max(values, default=None),
            # As a float: 2,000 large numbers are more than SQLite's 64 bits.
            total=float(sum(values)) if values else None,
            committed_ms=committed_ms,
            judged_ms=judged_ms,
            data=pack(part, for_good=not warm),
        )
        if warm and len(part) < _LARGE:
            transaction.run("warm_up", **place.key, hour=min(times) // LONGEST_BLOCK_MS)


@dataclass(slots=True)
class Moved:
    """What of one user's metric and device moved, from and to where."""

    user_key: int
    metric: str
    device_key: int
    from_ms: int
    to_ms: int
    count: int = 0
    #: UTC hours that lost or got any of it: what is between them is as it was.
    hours: IntervalSet = field(default_factory=IntervalSet)

    @property
    def key(self) -> dict[str, Value]:
        """As the queries name it."""
        return {
            "user_key": self.user_key,
            "metric": self.metric,
            "device_key": self.device_key,
        }

    def include(self, from_ms: int, to_ms: int, count: int = 0) -> None:
        """Take in a stretch of time."""
        self.from_ms = min(self.from_ms, from_ms)
        self.to_ms = max(self.to_ms, to_ms)
        self.count += count
        self.hours.add(from_ms // HOUR_MS, to_ms // HOUR_MS)


class Rebase:
    """A newer zero of one stream: its blocks move, and all that was folded out of them."""

    def __init__(self, transaction: Transaction, cache: DayCache) -> None:
        self._transaction = transaction
        self._cache = cache
        self._aggregates = Aggregates(transaction)

    def move(self, stream_key: int, old: Zero, new: Zero) -> list[Moved]:
        """Move all blocks whose wall time is another now. The stream's row has the new zero."""
        found: dict[tuple[int, str, int], Moved] = {}
        for row in self._transaction.all("blocks_of_stream", stream_key=stream_key):
            if not _moves(row, old, new):
                continue
            if (block := sound(row["block_key"], row["data"])) is None:
                continue
            key = (row["user_key"], row["metric"], row["device_key"])
            moved = found.setdefault(key, Moved(*key, row["from_ms"], row["to_ms"]))
            moved.include(row["from_ms"], row["to_ms"], row["count"])
            moved.include(*self._move_block(row, block[0], new))
        for moved in found.values():
            if metric_named(moved.metric).said:
                fold_notes_anew(self._transaction, moved.user_key, moved.metric, moved.device_key)
                continue
            self._cache.forget(moved.user_key, moved.metric)
            for first, last in moved.hours.ranges():
                self._fold_hours_anew(moved, first, last)
            self._fold_latest_anew(moved)
        return list(found.values())

    def _move_block(self, row: sqlite3.Row, series: Series, zero: Zero) -> tuple[int, int]:
        at_ms = wall_times(zero, series.elapsed())
        self._transaction.run("delete_block", block_key=row["block_key"])
        place = Place(row["user_key"], row["metric"], row["device_key"], row["stream_key"])
        received_ms = (row["committed_ms"], row["judged_ms"])
        insert_blocks(self._transaction, place, series, at_ms, received_ms)
        return min(at_ms), max(at_ms)

    def _fold_hours_anew(self, moved: Moved, first: int, last: int) -> None:
        """All sums of these UTC hours, by minute and by hour, out of the readings."""
        key = moved.key
        hours = {"first_hour": first, "last_hour": last}
        self._transaction.run("delete_minutes", **key, **hours)
        rows = self._transaction.all(
            "blocks_of_device",
            **key,
            from_ms=first * HOUR_MS,
            to_ms=(last + 1) * HOUR_MS,
            longest_ms=LONGEST_BLOCK_MS,
        )
        for row in rows:
            if (block := sound(row["block_key"], row["data"])) is None:
                continue
            series, _ = block
            at_ms = wall_times(Zero.model_validate_json(row["zero"]), series.elapsed())
            fit = [
                good and first <= at // HOUR_MS <= last
                for good, at in zip(usable(series), at_ms, strict=True)
            ]
            self._aggregates.fold_minutes(moved.user_key, moved.device_key, series, at_ms, fit)
        self._transaction.run("delete_hours", **key, **hours)
        self._transaction.run("fold_hours_anew", **key, **hours)

    def _fold_latest_anew(self, moved: Moved) -> None:
        key = moved.key
        self._transaction.run("forget_latest", **key)
        newest_usable = -1
        rows = self._transaction.each(
            "blocks_of_device", **key, from_ms=0, to_ms=_ALWAYS, longest_ms=LONGEST_BLOCK_MS
        )
        for row in rows:
            if row["to_ms"] < newest_usable:
                break
            if (block := sound(row["block_key"], row["data"])) is None:
                continue
            series, _ = block
            at_ms = wall_times(Zero.model_validate_json(row["zero"]), series.elapsed())
            fit = usable(series)
            found = self._aggregates.fold_latest(
                moved.user_key, moved.device_key, series, at_ms, row["judged_ms"], fit
            )
            newest_usable = max(newest_usable, -1 if found is None else found)
        rows.close()


def _moves(row: sqlite3.Row, old: Zero, new: Zero) -> bool:
    """Whether a block's times, or what they rest on, are other than they were."""
    first, last = row["first_elapsed_ms"], row["last_elapsed_ms"]
    if (row["from_ms"], row["to_ms"]) != (new.wall_ms(first), new.wall_ms(last)):
        return True
    if old.source is not new.source:
        return True
    return any(first < anchor.elapsed_ms < last for anchor in (*old.anchors, *new.anchors))
