"""What is folded out of the readings: each device's newest, and sums by minute and hour.

Every fold is commutative, so any order of arrival ends in the same state. Aggregates are kept
by UTC minute and hour; a person's day is summed out of them. The sums of the present day are
kept in :class:`DayCache`, since each live reading asks for them.
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
from strapline_server.store.ordered import counter_of
from strapline_server.store.people import User
from strapline_server.store.steps import Steps
from strapline_server.store.sums import HOUR_MINUTES, MINUTE_MS, Folded, Sum

_MOST_DAYS: Final = 10_000


@dataclass(slots=True)
class Minute:
    """Usable readings of one minute and counter; ``last`` is (time in ms, number, value)."""

    count: int
    low: float
    high: float
    total: float
    last: tuple[int, int, float]

    def add(self, value: float, moment: tuple[int, int, float]) -> None:
        """Take in one more."""
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
    sum: Sum


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

    def get(self, user_key: int, metric: str, begins_ms: int, ends_ms: int) -> Sum | None:
        """The sums of exactly this day."""
        day = self._days.get((user_key, metric))
        if day is None or (day.begins_ms, day.ends_ms) != (begins_ms, ends_ms):
            return None
        return day.sum

    def put(self, user_key: int, metric: str, day: _CachedDay) -> None:
        """Keep one."""
        self._days[user_key, metric] = day
        self._days.move_to_end((user_key, metric))
        if len(self._days) > _MOST_DAYS:
            self._days.popitem(last=False)

    def fold(self, user_key: int, metric: str, device_key: int, minutes: dict[int, Minute]) -> None:
        """Add new minutes to a day that is kept."""
        day = self._days.get((user_key, metric))
        if day is None:
            return
        if day.device_key != device_key:
            self.forget(user_key, metric)
            return
        for minute, new in minutes.items():
            if day.begins_ms // MINUTE_MS <= minute < day.ends_ms // MINUTE_MS:
                day.sum.add(new.count, new.total, new.low, new.high)


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
        minutes = self.fold_minutes(user_key, device_key, series, at_ms, fit)
        key: dict[str, Value] = {
            "user_key": user_key,
            "metric": series.metric,
            "device_key": device_key,
            "counter": counter_of(series),
        }
        for hour, (found, covered) in _hours(minutes).items():
            self._transaction.run(
                "fold_hour",
                **key,
                hour=hour,
                count=found.count,
                low=found.low,
                high=found.high,
                total=float(found.total),
                covered=covered,
            )
        if self._cache is not None:
            self._cache.fold(user_key, series.metric, device_key, minutes)

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
    ) -> dict[int, Minute]:
        """Sums by UTC minute, which are not yet in those of its hour."""
        sums = minutes_of(series, at_ms, fit)
        counter = counter_of(series)
        if counter and series.counter is not None:
            self._transaction.run(
                "insert_counter",
                user_key=user_key,
                device_key=device_key,
                counter=counter,
                origin=series.counter.from_,
            )
        key: dict[str, Value] = {
            "user_key": user_key,
            "metric": series.metric,
            "device_key": device_key,
            "counter": counter,
        }
        for minute, found in sums.items():
            self._transaction.run(
                "fold_minute",
                **key,
                minute=minute,
                count=found.count,
                low=found.low,
                high=found.high,
                total=float(found.total),
                last_ms=found.last[0],
                last_seq=found.last[1],
                last_value=found.last[2],
            )
        return sums

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
                key=row["device_key"],
                strap_key=row["strap_key"],
            )
            for row in self._transaction.all("latest", user_key=user_key, metric=metric)
        ]

    def between(self, user_key: int, metric: str, from_ms: int, to_ms: int) -> Sum:
        """What was measured from ``from_ms`` to before ``to_ms``, each minute of one source.

        For exact moments, such as those of a session: whole hours and minutes come out of what
        was folded, what is left of a minute at either end out of the readings. An end on a whole
        minute, or one that no reading has reached, costs little.
        """
        return Folded(self._transaction, user_key, metric).between(from_ms, to_ms)

    def day(self, user: User, metric: str) -> Day:
        """The user's present day of one metric."""
        begins_ms, ends_ms = day_of(self._transaction.now_ms, zone_named(user.zone))
        if metric == STEPS.name:
            folded = Folded(self._transaction, user.key, metric)
            steps = Steps(self._transaction, folded, lambda _: (begins_ms, ends_ms))
            taken = steps.day(begins_ms // MINUTE_MS)
            counted = taken.steps if taken.count else None
            return Day(ends_ms, steps=counted, source_key=steps.device_key)
        found = None
        if self._cache is not None:
            found = self._cache.get(user.key, metric, begins_ms, ends_ms)
        if found is None:
            found = self._measured(user.key, metric, begins_ms, ends_ms)
        return Day(ends_ms, found.count, found.total, found.low, found.high)

    def _measured(self, user_key: int, metric: str, begins_ms: int, ends_ms: int) -> Sum:
        folded = Folded(self._transaction, user_key, metric)
        found = folded.over(begins_ms // MINUTE_MS, ends_ms // MINUTE_MS).get(None, Sum())
        if self._cache is not None and len(folded.place) == 1:
            (device_key,) = folded.place
            self._cache.put(user_key, metric, _CachedDay(begins_ms, ends_ms, device_key, found))
        return found


def minutes_of(series: Series, at_ms: Sequence[int], fit: Sequence[bool]) -> dict[int, Minute]:
    """Readings that are fit, by UTC minute."""
    sums: dict[int, Minute] = {}
    for value, at, number, good in zip(series.value, at_ms, series.numbers(), fit, strict=True):
        if not good or value is None:
            continue
        moment = (at, number, value)
        minute = at // MINUTE_MS
        if minute in sums:
            sums[minute].add(value, moment)
        else:
            sums[minute] = Minute(1, value, value, value, moment)
    return sums


def _hours(minutes: dict[int, Minute]) -> dict[int, tuple[Sum, int]]:
    """The sums of each UTC hour, and which of its minutes they are of."""
    hours: dict[int, tuple[Sum, int]] = {}
    for minute, found in minutes.items():
        hour, place = divmod(minute, HOUR_MINUTES)
        together, covered = hours.get(hour, (Sum(), 0))
        together.add(found.count, found.total, found.low, found.high)
        hours[hour] = (together, covered | 1 << place)
    return hours
