"""What was folded, summed over any stretch of time: in each minute one source counts.

Sums are kept by device, since the order of devices may change, and what each measured does not.
An hour's sums are enough where the devices that share it have no minute in common, or one has
all that the others have; else that hour's minutes tell.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Final

from strapline_server.store.database import Transaction, Value
from strapline_server.store.ordered import in_order

MINUTE_MS: Final = 60_000
HOUR_MINUTES: Final = 60
HOUR_MS: Final = HOUR_MINUTES * MINUTE_MS


@dataclass(slots=True)
class Sum:
    """Usable readings of a stretch of time; without any, ``low`` and ``high`` are None."""

    count: int = 0
    total: float = 0.0
    low: float | None = None
    high: float | None = None

    def add(self, count: int, total: float, low: float | None, high: float | None) -> None:
        """Take in others."""
        self.count += count
        self.total += total
        if low is not None:
            self.low = low if self.low is None else min(self.low, low)
        if high is not None:
            self.high = high if self.high is None else max(self.high, high)

    def include(self, other: Sum) -> None:
        """Take in what another holds."""
        self.add(other.count, other.total, other.low, other.high)


#: Rows that are read as they are asked for.
Rows = Generator[sqlite3.Row, None, None]
#: What each device counts for, by its key; under None what all together count for.
Counted = dict[int | None, Sum]


@dataclass(slots=True)
class _Covered:
    """A device's readings of an hour, and in which of its minutes they are."""

    sum: Sum = field(default_factory=Sum)
    minutes: int = 0


class Folded:
    """One user's metric as it was folded, within one transaction.

    Attributes:
        place: of each device by its key: in a minute the lowest that is there counts.
        rows_read: how many sums were read, which is what a question costs.
    """

    __slots__ = ("_apart", "_key", "_transaction", "metric", "place", "rows_read", "user_key")

    def __init__(
        self, transaction: Transaction, user_key: int, metric: str, *, apart: bool = False
    ) -> None:
        """With ``apart`` each device counts for itself."""
        self._transaction = transaction
        self.user_key = user_key
        self.metric = metric
        self._key: dict[str, Value] = {"user_key": user_key, "metric": metric}
        self._apart = apart
        order = transaction.all("source_order", **self._key)
        self.place = {row["device_key"]: place for place, row in enumerate(order)}
        self.rows_read = 0

    def minutes(self, first_minute: int, end_minute: int) -> Iterator[tuple[int, Counted]]:
        """Each minute that has something, and what."""
        rows = self.each("minutes_in_time", first_minute=first_minute, end_minute=end_minute)
        with closing(rows):
            for minute, of_minute in groupby(rows, itemgetter("minute")):
                yield minute, self._of_minute(of_minute)

    def hours(self, first_hour: int, end_hour: int) -> Iterator[tuple[int, Counted]]:
        """Each hour that has something, and what."""
        rows = self.each("hours_in_time", first_hour=first_hour, end_hour=end_hour)
        with closing(rows):
            for hour, of_hour in groupby(rows, itemgetter("hour")):
                begins = hour * HOUR_MINUTES
                yield hour, self._of_hour(of_hour, begins, begins + HOUR_MINUTES)

    def over(self, first_minute: int, end_minute: int) -> Counted:
        """What these minutes have together."""
        hours: dict[int, list[sqlite3.Row]] = {}
        for row in self.pieces(first_minute, end_minute):
            hours.setdefault(row["hour"], []).append(row)
        found: Counted = {}
        for hour, rows in hours.items():
            begins = hour * HOUR_MINUTES
            ends = min(end_minute, begins + HOUR_MINUTES)
            _include(found, self._of_hour(rows, max(first_minute, begins), ends))
        return found

    def between(self, from_ms: int, to_ms: int) -> Sum:
        """What was measured from ``from_ms`` to before ``to_ms``, each minute of one source.

        Whole minutes come out of what was folded, what is left of a minute at either end out of
        the readings: there too the source counts that comes first of those that have any.
        """
        first, end = -(-from_ms // MINUTE_MS), to_ms // MINUTE_MS
        if end < first:
            # Both ends lie within one minute.
            return self._measured(from_ms, to_ms)
        found = self._measured(from_ms, first * MINUTE_MS)
        found.include(self.over(first, end).get(None, Sum()))
        found.include(self._measured(end * MINUTE_MS, to_ms))
        return found

    def next_minute(self, first_minute: int) -> int | None:
        """The first minute that has something, from this one on."""
        row = self._transaction.one("next_minute", **self._key, first_minute=first_minute)
        return None if row is None else int(row["minute"])

    def each(self, query: str, **bounds: Value) -> Rows:
        """Rows of this user's metric, counted as they are read."""
        rows = self._transaction.each(query, **self._key, **bounds)
        with closing(rows):
            for row in rows:
                self.rows_read += 1
                yield row

    def pieces(self, first_minute: int, end_minute: int) -> Rows:
        """Sums of whole hours, and of minutes where an hour is not whole, in any order."""
        first_hour, end_hour = -(-first_minute // HOUR_MINUTES), end_minute // HOUR_MINUTES
        return self.each(
            "sums_in_time",
            first_hour=first_hour,
            end_hour=end_hour,
            first_minute=first_minute,
            head_minute=min(end_minute, first_hour * HOUR_MINUTES),
            tail_minute=max(first_hour, end_hour) * HOUR_MINUTES,
            end_minute=end_minute,
        )

    def _of_minute(self, rows: Iterable[sqlite3.Row]) -> Counted:
        devices: dict[int, Sum] = {}
        for row in rows:
            found = devices.setdefault(row["device_key"], Sum())
            found.add(row["count"], row["total"], row["low"], row["high"])
        if self._apart:
            return dict(devices.items())
        return {None: devices[min(devices, key=self.rank)]}

    def _of_hour(self, rows: Iterable[sqlite3.Row], first_minute: int, end_minute: int) -> Counted:
        devices: dict[int, _Covered] = {}
        for row in rows:
            found = devices.setdefault(row["device_key"], _Covered())
            found.sum.add(row["count"], row["total"], row["low"], row["high"])
            found.minutes |= row["covered"]
        if self._apart:
            return {device: found.sum for device, found in devices.items()}
        together = _Covered()
        for device in sorted(devices, key=self.rank):
            found = devices[device]
            if not found.minutes & together.minutes:
                together.sum.include(found.sum)
                together.minutes |= found.minutes
            elif found.minutes & ~together.minutes:
                # It fills some of its minutes and yields in others.
                minutes: Counted = {}
                for _, counted in self.minutes(first_minute, end_minute):
                    _include(minutes, counted)
                return minutes
        return {None: together.sum}

    def rank(self, device_key: int) -> int:
        """Its place, or after all that have one."""
        return self.place.get(device_key, len(self.place))

    def _measured(self, from_ms: int, to_ms: int) -> Sum:
        if from_ms >= to_ms:
            return Sum()
        devices: dict[int, Sum] = {}
        for found in in_order(self._transaction, self.user_key, self.metric, from_ms, to_ms):
            value = found.usable
            if value is not None:
                devices.setdefault(found.block.device_key, Sum()).add(1, value, value, value)
        return devices[min(devices, key=self.rank)] if devices else Sum()


def _include(found: Counted, other: Counted) -> None:
    for device, counted in other.items():
        found.setdefault(device, Sum()).include(counted)
