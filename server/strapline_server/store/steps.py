"""Steps taken in any stretch of time, out of totals that only say how far a counter is.

One device counts on one day: of those that have counted steps the one that comes first. Of its
counters each adds what it goes beyond where it was when the day began, and beyond what it
reached since: so the steps of a day's stretches are together those of the day, however they are
cut, and a total that falls takes nothing back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from strapline_server.store.database import Transaction, Value
from strapline_server.store.sums import HOUR_MINUTES, MINUTE_MS, Folded

#: The day of a minute: its first millisecond and the next day's first.
DayOf = Callable[[int], tuple[int, int]]


@dataclass(slots=True)
class Taken:
    """How many readings counted in a stretch of time, and how many steps."""

    count: int = 0
    steps: int = 0

    def include(self, other: Taken) -> None:
        """Take in another stretch."""
        self.count += other.count
        self.steps += other.steps


@dataclass(slots=True)
class _CountedDay:
    """One day, its device, and how far each of the device's counters is."""

    first_minute: int
    end_minute: int
    device_key: int | None
    reached: dict[str, int] = field(default_factory=dict)


class Steps:
    """One user's steps within one transaction, asked for in order of time."""

    __slots__ = ("_day", "_day_of", "_folded", "_transaction")

    def __init__(self, transaction: Transaction, folded: Folded, day_of: DayOf) -> None:
        self._transaction = transaction
        self._folded = folded
        self._day_of = day_of
        self._day = _CountedDay(0, 0, None)

    @property
    def device_key(self) -> int | None:
        """Which device counts on the day that was asked for last."""
        return self._day.device_key

    def minutes(self, first_minute: int, end_minute: int) -> Iterator[tuple[int, Taken]]:
        """Each minute that anything is known of, and what it counts."""
        rows = self._folded.each(
            "minutes_in_time", first_minute=first_minute, end_minute=end_minute
        )
        with closing(rows):
            for minute, of_minute in groupby(rows, itemgetter("minute")):
                self._begin(minute)
                yield minute, self._count(of_minute)

    def hours(self, first_hour: int, end_hour: int) -> Iterator[tuple[int, Taken]]:
        """Each hour that anything is known of, and what it counts."""
        rows = self._folded.each("hours_in_time", first_hour=first_hour, end_hour=end_hour)
        with closing(rows):
            for hour, of_hour in groupby(rows, itemgetter("hour")):
                begins, ends = hour * HOUR_MINUTES, (hour + 1) * HOUR_MINUTES
                self._begin(begins)
                taken = Taken()
                if ends <= self._day.end_minute:
                    taken = self._count(of_hour)
                else:
                    # Midnight is in it: each part has a day, and a device, of its own.
                    for _, of_minute in self.minutes(begins, ends):
                        taken.include(of_minute)
                yield hour, taken

    def day(self, minute: int) -> Taken:
        """The whole day of this minute."""
        return self._count(self._open(minute))

    def device_of(self, minute: int) -> int | None:
        """Which device counts on the whole day of this minute."""
        self._open(minute)
        return self.device_key

    def reading(self, minute: int, device_key: int, counter: str, value: int) -> Taken:
        """What a reading counts for; the first that is asked for is the first of its minute."""
        self._begin(minute)
        if device_key != self._day.device_key or not counter:
            return Taken()
        return Taken(1, self._reach(counter, value))

    def _begin(self, minute: int) -> None:
        """Be in this minute's day, with its counters where they were when the minute began."""
        day = self._day
        if day.first_minute <= minute < day.end_minute:
            return
        self._open(minute)
        self._count(self._folded.pieces(self._day.first_minute, minute))

    def _open(self, minute: int) -> list[sqlite3.Row]:
        """Be at the beginning of this minute's day; all that it has."""
        begins_ms, ends_ms = self._day_of(minute)
        first, end = begins_ms // MINUTE_MS, ends_ms // MINUTE_MS
        pieces = list(self._folded.pieces(first, end))
        devices = {row["device_key"] for row in pieces if row["counter"]}
        device_key = min(devices, key=self._folded.rank, default=None)
        self._day = _CountedDay(first, end, device_key)
        return pieces

    def _count(self, rows: Iterable[sqlite3.Row]) -> Taken:
        taken = Taken()
        for row in rows:
            if row["device_key"] == self._day.device_key and row["counter"]:
                taken.count += row["count"]
                taken.steps += self._reach(row["counter"], int(row["high"]))
        return taken

    def _reach(self, counter: str, value: int) -> int:
        """How far this is beyond what the counter reached before."""
        reached = self._day.reached.get(counter)
        if reached is None:
            reached = self._before(counter)
        self._day.reached[counter] = max(reached, value)
        return max(0, value - reached)

    def _before(self, counter: str) -> int:
        """A counter's total when the day began; where it began later, what it counts from."""
        key: dict[str, Value] = {
            "user_key": self._folded.user_key,
            "device_key": self._day.device_key,
            "counter": counter,
        }
        first_minute = self._day.first_minute
        row = self._transaction.one("counter_before", **key, first_minute=first_minute)
        if row is not None:
            return int(row["last_value"])
        row = self._transaction.one("counter_origin", **key)
        return int(row["origin"]) if row is not None else 0
