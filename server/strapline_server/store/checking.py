"""Sums by minute and hour, made once more out of the readings and held against those stored.

Blocks are read in order of time, and no minute is kept for longer than a block may still add to
it. Sums of a stretch in which a block is damaged cannot be judged, and are passed over.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from strapline_protocol.intervals import IntervalSet
from strapline_protocol.metrics import metric_named
from strapline_protocol.publishing import Zero
from strapline_server.state import usable
from strapline_server.store.aggregates import Minute, minutes_of
from strapline_server.store.columns import sound, wall_times
from strapline_server.store.database import Transaction, Value
from strapline_server.store.ordered import counter_of
from strapline_server.store.people import User
from strapline_server.store.sums import HOUR_MINUTES, HOUR_MS, MINUTE_MS
from strapline_server.verified import SumsVerified

#: Sums of the same values differ by so much, as they were added in another order.
_SAME: Final = 1e-9


class _Key(NamedTuple):
    """Of a sum: which minute or hour, device and counter."""

    at: int
    device_key: int
    counter: str


class _Alike(Protocol):
    """A sum that can be held against a row."""

    def equals(self, row: sqlite3.Row) -> bool: ...


@dataclass(frozen=True, slots=True)
class _OfMinute:
    minute: Minute

    def equals(self, row: sqlite3.Row) -> bool:
        minute = self.minute
        exact = (row["count"], row["low"], row["high"])
        last = (row["last_ms"], row["last_seq"], row["last_value"])
        return (
            exact == (minute.count, minute.low, minute.high)
            and last == minute.last
            and _close(row["total"], minute.total)
        )


@dataclass(slots=True)
class _OfHour:
    count: int = 0
    low: float = math.inf
    high: float = -math.inf
    total: float = 0.0
    covered: int = 0

    def add(self, minute: int, found: Minute) -> None:
        self.count += found.count
        self.low, self.high = min(self.low, found.low), max(self.high, found.high)
        self.total += found.total
        self.covered |= 1 << minute % HOUR_MINUTES

    def equals(self, row: sqlite3.Row) -> bool:
        exact = (row["count"], row["low"], row["high"], row["covered"])
        return exact == (self.count, self.low, self.high, self.covered) and _close(
            row["total"], self.total
        )


@dataclass(slots=True)
class _Against:
    """Sums in order against the rows in order.

    Attributes:
        length_ms: of what each is of.
        unknown: minutes or hours that cannot be judged.
    """

    rows: Iterator[sqlite3.Row]
    name: str
    length_ms: int
    unknown: IntervalSet = field(default_factory=IntervalSet)
    checked: int = 0
    differing: int = 0
    from_ms: int | None = None
    _row: sqlite3.Row | None = None

    def begin(self) -> None:
        """Read the first row."""
        self._row = next(self.rows, None)

    def hold(self, key: _Key, found: _Alike) -> None:
        """The next sum, which is there once, and as it should be, or differs."""
        self._pass_over(key)
        row = self._row
        if row is None or self._key(row) != key:
            self._judge(key, same=False)
            return
        self._judge(key, same=found.equals(row))
        self._row = next(self.rows, None)

    def end(self) -> None:
        """There is no more that should be there."""
        self._pass_over(None)

    def _pass_over(self, key: _Key | None) -> None:
        """Rows that no reading is in."""
        while self._row is not None and (key is None or self._key(self._row) < key):
            self._judge(self._key(self._row), same=False)
            self._row = next(self.rows, None)

    def _key(self, row: sqlite3.Row) -> _Key:
        return _Key(row[self.name], row["device_key"], row["counter"])

    def _judge(self, key: _Key, *, same: bool) -> None:
        if key.at in self.unknown:
            return
        self.checked += 1
        if not same:
            self.differing += 1
            at_ms = max(0, key.at * self.length_ms)
            self.from_ms = at_ms if self.from_ms is None else min(self.from_ms, at_ms)


def check_sums(
    transaction: Transaction, user: User, read: Callable[[int], None]
) -> list[SumsVerified]:
    """Of each metric of a user that is summed.

    Args:
        transaction: of one moment.
        user: whose.
        read: told how many blocks were read.
    """
    return [
        _check(transaction, user, row["metric"], read)
        for row in transaction.all("measured_of_user", user_key=user.key)
        if not metric_named(row["metric"]).said
    ]


def _check(
    transaction: Transaction, user: User, metric: str, read: Callable[[int], None]
) -> SumsVerified:
    key: dict[str, Value] = {"user_key": user.key, "metric": metric}
    minutes = _Against(transaction.each("minutes_of_metric", **key), "minute", MINUTE_MS)
    hours = _Against(transaction.each("hours_of_metric", **key), "hour", HOUR_MS)
    minutes.begin()
    hours.begin()
    open_minutes: dict[_Key, Minute] = {}
    open_hours: dict[_Key, _OfHour] = {}
    for row in transaction.each("blocks_by_time", **key):
        at = row["from_ms"] // MINUTE_MS
        _settle_minutes(open_minutes, at, minutes, open_hours)
        _settle_hours(open_hours, at // HOUR_MINUTES, hours)
        read(1)
        if (block := sound(row["block_key"], row["data"])) is None:
            minutes.unknown.add(at, row["to_ms"] // MINUTE_MS)
            hours.unknown.add(row["from_ms"] // HOUR_MS, row["to_ms"] // HOUR_MS)
            continue
        series = block[0]
        at_ms = wall_times(Zero.model_validate_json(row["zero"]), series.elapsed())
        for minute, found in minutes_of(series, at_ms, usable(series)).items():
            place = _Key(minute, row["device_key"], counter_of(series))
            known = open_minutes.get(place)
            open_minutes[place] = found if known is None else _together(known, found)
    _settle_minutes(open_minutes, None, minutes, open_hours)
    _settle_hours(open_hours, None, hours)
    minutes.end()
    hours.end()
    firsts = [one.from_ms for one in (minutes, hours) if one.from_ms is not None]
    return SumsVerified(
        user=user.id,
        metric=metric,
        checked=minutes.checked + hours.checked,
        differing=minutes.differing + hours.differing,
        from_ms=min(firsts, default=None),
    )


def _settle_minutes(
    minutes: dict[_Key, Minute],
    before: int | None,
    against: _Against,
    hours: dict[_Key, _OfHour],
) -> None:
    """Minutes that no later block reaches."""
    for key in sorted(key for key in minutes if before is None or key.at < before):
        found = minutes.pop(key)
        against.hold(key, _OfMinute(found))
        hour = key._replace(at=key.at // HOUR_MINUTES)
        hours.setdefault(hour, _OfHour()).add(key.at, found)


def _settle_hours(hours: dict[_Key, _OfHour], before: int | None, against: _Against) -> None:
    for key in sorted(key for key in hours if before is None or key.at < before):
        against.hold(key, hours.pop(key))


def _together(one: Minute, other: Minute) -> Minute:
    return Minute(
        one.count + other.count,
        min(one.low, other.low),
        max(one.high, other.high),
        one.total + other.total,
        max(one.last, other.last),
    )


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_SAME, abs_tol=_SAME)
