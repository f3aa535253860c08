"""What is folded out of the readings: each device's newest, minutes, and the day's steps.

Every fold is commutative, so any order of arrival ends in the same state. Aggregates are kept
by UTC minute; a person's day is summed out of them. The minutes of the present day are kept in
:class:`DayCache`, since each live reading asks for them.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from strapline_protocol.metrics import STEPS
from strapline_protocol.series import Series
from strapline_server.days import day_of, zone_named
from strapline_server.state import AHEAD_MS, Day, Source, usable
from strapline_server.store.database import Transaction, Value
from strapline_server.store.people import User

MINUTE_MS: Final = 60_000
_MOST_DAYS: Final = 10_000
#: A counter begins below 0 after its field has wrapped: the widest that there is has 32 bits.
_LEAST_ORIGIN: Final = -(2**32)


@dataclass(slots=True)
class _Sum:
    """Readings of one minute and counter."""

    count: int
    low: float
    high: float
    total: float
    last: tuple[int, int, float]

    def add(self, value: float, moment: tuple[int, int, float]) -> None:
        self.count += 1
        self.low = min(self.low, value)
        self.high = max(self.high, value)
        self.total += value
        self.last = max(self.last, moment)


@dataclass(slots=True)
class _CachedDay:
    begins_ms: int
    ends_ms: int
    device_key: int
    count: int
    total: float
    low: float | None
    high: float | None


@dataclass(slots=True)
class DayCache:
    """The present day's sums of metrics with one source; dropped when a commit fails."""

    _days: OrderedDict[tuple[int, str], _CachedDay] = field(default_factory=OrderedDict)

    def clear(self) -> None:
        """Forget all: what was folded may have been rolled back."""
        self._days.clear()

    def forget(self, user_key: int, metric: str) -> None:
        """Forget one, whose past has changed."""
        self._days.pop((user_key, metric), None)

    def get(self, user_key: int, metric: str, begins_ms: int, ends_ms: int) -> _CachedDay | None:
        """The sums of exactly this day."""
        day = self._days.get((user_key, metric))
        if day is None or (day.begins_ms, day.ends_ms) != (begins_ms, ends_ms):
            return None
        return day

    def put(self, user_key: int, metric: str, day: _CachedDay) -> None:
        """Keep one."""
        self._days[user_key, metric] = day
        self._days.move_to_end((user_key, metric))
        if len(self._days) > _MOST_DAYS:
            self._days.popitem(last=False)

    def fold(self, user_key: int, metric: str, device_key: int, minutes: dict[int, _Sum]) -> None:
        """Add new minutes to a day that is kept."""
        day = self._days.get((user_key, metric))
        if day is None:
            return
        if day.device_key != device_key:
            self.forget(user_key, metric)
            return
        for minute, new in minutes.items():
            if day.begins_ms <= minute * MINUTE_MS < day.ends_ms:
                day.count += new.count
                day.total += new.total
                day.low = new.low if day.low is None else min(day.low, new.low)
                day.high = new.high if day.high is None else max(day.high, new.high)


class Aggregates:
    """Folding and reading within one transaction."""

    __slots__ = ("_cache", "_transaction")

    def __init__(self, transaction: Transaction, cache: DayCache | None = None) -> None:
        self._transaction = transaction
        self._cache = cache

    def fold(
        self,
        user_key: int,
        device_key: int,
        series: Series,
        at_ms: Sequence[int],
        committed_ms: int,
    ) -> None:
        """Take in readings that were not in before."""
        fit = usable(series)
        self.fold_latest(user_key, device_key, series, at_ms, committed_ms, fit)
        self.fold_minutes(user_key, device_key, series, at_ms, fit)

    def fold_latest(
        self,
        user_key: int,
        device_key: int,
        series: Series,
        at_ms: Sequence[int],
        committed_ms: int,
        fit: Sequence[bool],
    ) -> int | None:
        """The device's newest reading, where this holds a newer one that is not ahead of time.

        Returns the time of the newest usable one here.
        """
        latest = committed_ms + AHEAD_MS
        moments = list(zip(at_ms, series.numbers(), strict=True))
        present = [index for index, at in enumerate(at_ms) if at <= latest]
        key: dict[str, Value] = {
            "user_key": user_key,
            "metric": series.metric,
            "device_key": device_key,
        }
        if not present:
            self._transaction.run("see_device", **key)
            return None
        newest = max(present, key=moments.__getitem__)
        good = [index for index in present if fit[index]]
        best = max(good, key=moments.__getitem__) if good else None
        quality = series.quality[best] if series.quality is not None and best is not None else None
        values: dict[str, Value] = {
            **key,
            "at_ms": moments[newest][0],
            "seq": moments[newest][1],
            "value": series.value[newest],
            "on_change": int(series.on_change),
            "usable_ms": None if best is None else moments[best][0],
            "usable_seq": None if best is None else moments[best][1],
            "usable_value": None if best is None else series.value[best],
            "quality": json.dumps(quality) if quality else None,
        }
        if self._transaction.run("update_latest", **values) == 0:
            self._transaction.run("see_device", **key)
            self._transaction.run("update_latest", **values)
        return None if best is None else moments[best][0]

    def fold_minutes(
        self,
        user_key: int,
        device_key: int,
        series: Series,
        at_ms: Sequence[int],
        fit: Sequence[bool],
    ) -> None:
        """Sums by UTC minute."""
        sums: dict[int, _Sum] = {}
        rows = zip(series.value, at_ms, series.numbers(), fit, strict=True)
        for value, at, number, good in rows:
            if not good or value is None:
                continue
            moment = (at, number, value)
            minute = at // MINUTE_MS
            if minute in sums:
                sums[minute].add(value, moment)
            else:
                sums[minute] = _Sum(1, value, value, value, moment)
        counter = ""
        # A reading whose counter cannot be is kept, and counts nothing.
        if series.counter is not None and series.counter.from_ >= _LEAST_ORIGIN:
            counter = series.counter.id
            self._transaction.run(
                "insert_counter",
                user_key=user_key,
                device_key=device_key,
                counter=counter,
                origin=series.counter.from_,
            )
        for minute, found in sums.items():
            self._transaction.run(
                "fold_minute",
                user_key=user_key,
                metric=series.metric,
                minute=minute,
                device_key=device_key,
                counter=counter,
                count=found.count,
                low=found.low,
                high=found.high,
                total=float(found.total),
                last_ms=found.last[0],
                last_seq=found.last[1],
                last_value=found.last[2],
            )
        if self._cache is not None:
            self._cache.fold(user_key, series.metric, device_key, sums)

    def sources(self, user_key: int, metric: str) -> list[Source]:
        """Each device's newest, in order of rank."""
        return [
            Source(
                device=row["device"],
                newest_ms=row["newest_ms"],
                usable_ms=row["usable_ms"],
                usable_value=row["usable_value"],
                quality=json.loads(row["quality"]) if row["quality"] else None,
                on_change=bool(row["on_change"]),
            )
            for row in self._transaction.all("latest", user_key=user_key, metric=metric)
        ]

    def day(self, user: User, metric: str) -> Day:
        """The user's present day of one metric."""
        begins_ms, ends_ms = day_of(self._transaction.now_ms, zone_named(user.zone))
        if metric == STEPS.name:
            return Day(ends_ms, steps=self._steps(user.key, begins_ms, ends_ms))
        if self._cache is not None:
            kept = self._cache.get(user.key, metric, begins_ms, ends_ms)
            if kept is not None:
                return Day(ends_ms, kept.count, kept.total, kept.low, kept.high)
        row = self._transaction.one(
            "day", user_key=user.key, metric=metric, **_minutes(begins_ms, ends_ms)
        )
        if row is None or not row["count"]:
            return Day(ends_ms)
        day = Day(ends_ms, row["count"], row["total"], row["low"], row["high"])
        self._keep(user.key, metric, begins_ms, day)
        return day

    def _keep(self, user_key: int, metric: str, begins_ms: int, day: Day) -> None:
        if self._cache is None:
            return
        devices = self._transaction.all("latest", user_key=user_key, metric=metric)
        if len(devices) != 1:
            return
        kept = _CachedDay(
            begins_ms,
            day.ends_ms,
            devices[0]["device_key"],
            day.count,
            day.total,
            day.low,
            day.high,
        )
        self._cache.put(user_key, metric, kept)

    def _steps(self, user_key: int, begins_ms: int, ends_ms: int) -> int | None:
        """Differences within each counter, of the one device that counts on this day."""
        minutes = _minutes(begins_ms, ends_ms)
        source = self._transaction.one(
            "source_of_day", user_key=user_key, metric=STEPS.name, **minutes
        )
        if source is None:
            return None
        device_key = source["device_key"]
        rows = self._transaction.all(
            "counters_of_day", user_key=user_key, device_key=device_key, **minutes
        )
        return sum(
            max(
                0,
                int(row["last_value"])
                - self._before(user_key, device_key, row["counter"], minutes["first_minute"]),
            )
            for row in rows
        )

    def _before(self, user_key: int, device_key: int, counter: str, first_minute: int) -> int:
        """A counter's total when the day began; where it began later, what it counts from."""
        key: dict[str, Value] = {
            "user_key": user_key,
            "device_key": device_key,
            "counter": counter,
        }
        row = self._transaction.one("counter_before", **key, first_minute=first_minute)
        if row is not None:
            return int(row["last_value"])
        row = self._transaction.one("counter_origin", **key)
        return int(row["origin"]) if row is not None else 0


def _minutes(begins_ms: int, ends_ms: int) -> dict[str, int]:
    return {"first_minute": begins_ms // MINUTE_MS, "end_minute": ends_ms // MINUTE_MS}
