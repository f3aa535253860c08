"""A user's metric by stretches of equal length, one after another: seconds to days.

Minutes, hours and days come out of what was folded, so that they cost what they hold whatever
was measured in them. Seconds come out of the readings: of what is held by the wearer those of
one source at each moment, the first that is not silent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from strapline_protocol.asking import Resolution
from strapline_protocol.metrics import STEPS, metric_named
from strapline_server.days import day_of, zone_named
from strapline_server.state import YIELD_MS, YOUNG_MS
from strapline_server.store.database import Transaction
from strapline_server.store.ordered import Found, counter_of, in_order
from strapline_server.store.people import User
from strapline_server.store.steps import Steps, Taken
from strapline_server.store.sums import HOUR_MS, MINUTE_MS, Folded, Sum

SECOND_MS: Final = 1_000

#: What one stretch holds of each device that counts; under None what all together count for.
_Held = Mapping[int | None, Sum | Taken]


class Stretch(NamedTuple):
    """One stretch: where it begins, of which device (-1: of the wearer), and what it holds.

    None where it holds nothing that counts, though something was read for it: so whoever asks can
    stop there, however long nothing follows.
    """

    at_ms: int
    device_key: int
    held: Sum | Taken | None


class Coarse:
    """One question within one transaction.

    Attributes:
        readings: how many readings were read for it so far.
    """

    def __init__(self, transaction: Transaction, user: User, metric: str) -> None:
        self._transaction = transaction
        self._user = user
        self._metric = metric
        self._zone = zone_named(user.zone)
        self._day = (0, 0)
        self._apart = metric_named(metric).by_device
        self._folded = Folded(transaction, user.key, metric, apart=self._apart)
        self._steps = (
            Steps(transaction, self._folded, self._day_of) if metric == STEPS.name else None
        )
        self.readings = 0

    @property
    def cost(self) -> int:
        """How much was read for it so far: readings and sums."""
        return self.readings + self._folded.rows_read

    def stretches(self, resolution: Resolution, from_ms: int, to_ms: int) -> Iterator[Stretch]:
        """Those that begin from ``from_ms`` to before ``to_ms``, in order.

        None is read earlier than it is needed, and none of which nothing is stored is among them.
        """
        ways: dict[Resolution, Callable[[int, int], Iterator[tuple[int, _Held]]]] = {
            Resolution.SECOND: self._seconds,
            Resolution.MINUTE: self._minutes,
            Resolution.HOUR: self._hours,
            Resolution.DAY: self._days,
        }
        for at_ms, held in ways[resolution](from_ms, to_ms):
            if not held:
                yield Stretch(at_ms, _number(None), None)
            for device_key in sorted(held, key=_number):
                yield Stretch(at_ms, _number(device_key), held[device_key])

    def _minutes(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, _Held]]:
        span = _beginning(from_ms, MINUTE_MS), _beginning(to_ms, MINUTE_MS)
        if self._steps is not None:
            for minute, taken in self._steps.minutes(*span):
                yield minute * MINUTE_MS, _counting(taken)
        else:
            for minute, counted in self._folded.minutes(*span):
                yield minute * MINUTE_MS, counted

    def _hours(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, _Held]]:
        span = _beginning(from_ms, HOUR_MS), _beginning(to_ms, HOUR_MS)
        if self._steps is not None:
            for hour, taken in self._steps.hours(*span):
                yield hour * HOUR_MS, _counting(taken)
        else:
            for hour, counted in self._folded.hours(*span):
                yield hour * HOUR_MS, counted

    def _days(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, _Held]]:
        begins_ms, ends_ms = self._day_of(from_ms // MINUTE_MS)
        end = (ends_ms if begins_ms < from_ms else begins_ms) // MINUTE_MS
        # Days without anything cost nothing: the next minute that has something is looked up.
        while (minute := self._folded.next_minute(end)) is not None:
            begins_ms, ends_ms = self._day_of(minute)
            if begins_ms >= to_ms:
                return
            end = ends_ms // MINUTE_MS
            if self._steps is None:
                yield begins_ms, self._folded.over(begins_ms // MINUTE_MS, end)
            else:
                yield begins_ms, _counting(self._steps.day(begins_ms // MINUTE_MS))

    def _seconds(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, _Held]]:
        span = _beginning(from_ms, SECOND_MS), _beginning(to_ms, SECOND_MS)
        hold = self._measured if self._steps is None else self._taken
        for second, held in hold(*span):
            yield second * SECOND_MS, held

    def _measured(self, first: int, end: int) -> Iterator[tuple[int, _Held]]:
        choosing = not self._apart and len(self._folded.place) > 1
        # Whoever spoke before the first second may still be shown in it.
        begins_ms = first * SECOND_MS - (YOUNG_MS if choosing else 0)
        source = _OneSource(self._folded) if choosing else None
        for second, together in groupby(self._readings(begins_ms, end), _second):
            sums: dict[int | None, Sum] = {}
            usable = (one for one in together if one.usable is not None)
            for found in usable if source is None else source.of(usable):
                value = found.value or 0
                device_key = found.block.device_key if self._apart else None
                sums.setdefault(device_key, Sum()).add(1, value, value, value)
            if second >= first:
                yield second, sums

    def _taken(self, first: int, end: int) -> Iterator[tuple[int, _Held]]:
        assert self._steps is not None, "asked of steps alone"
        # From the beginning of its minute, since how far counters were is known there.
        begins_ms = first * SECOND_MS // MINUTE_MS * MINUTE_MS
        for second, together in groupby(self._readings(begins_ms, end), _second):
            taken = Taken()
            for found in together:
                if (value := found.usable) is None:
                    continue
                block = found.block
                counter = counter_of(block.piece.series)
                minute = found.at_ms // MINUTE_MS
                taken.include(self._steps.reading(minute, block.device_key, counter, int(value)))
            if second >= first:
                yield second, _counting(taken)

    def _readings(self, begins_ms: int, end: int) -> Iterator[Found]:
        ends_ms = end * SECOND_MS
        key = (self._user.key, self._metric)
        for found in in_order(self._transaction, *key, begins_ms, ends_ms):
            self.readings += 1
            yield found

    def _day_of(self, minute: int) -> tuple[int, int]:
        """The day that a minute counts for: a day's edge is always on a whole one."""
        at_ms = minute * MINUTE_MS + MINUTE_MS - 1
        if not self._day[0] <= at_ms < self._day[1]:
            self._day = day_of(at_ms, self._zone)
        return self._day


class _OneSource:
    """Of readings that are told in order those of the source that is shown at their moment."""

    def __init__(self, folded: Folded) -> None:
        self._folded = folded
        self._speaks_until_ms: dict[int, int] = {}

    def of(self, readings: Iterator[Found]) -> Iterator[Found]:
        """The readings of the source that comes first of those that are not silent."""
        speaks_until_ms = self._speaks_until_ms
        for at_ms, together in groupby(readings, attrgetter("at_ms")):
            moment = list(together)
            for found in moment:
                on_change = found.block.piece.series.on_change
                until_ms = at_ms + (YOUNG_MS if on_change else YIELD_MS)
                device_key = found.block.device_key
                speaks_until_ms[device_key] = max(until_ms, speaks_until_ms.get(device_key, 0))
            speaking = [key for key, until_ms in speaks_until_ms.items() if until_ms > at_ms]
            shown = min(speaking, key=self._folded.rank)
            yield from (found for found in moment if found.block.device_key == shown)


def _counting(taken: Taken) -> _Held:
    return {None: taken} if taken.count else {}


def _beginning(at_ms: int, length_ms: int) -> int:
    """The first stretch of this length that begins at this moment or later."""
    return -(-at_ms // length_ms)


def _second(found: Found) -> int:
    return found.at_ms // SECOND_MS


def _number(device_key: int | None) -> int:
    return -1 if device_key is None else device_key
