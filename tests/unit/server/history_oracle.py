"""What history should say, computed slowly and plainly out of every reading that was taken."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
LENGTHS = {"second": SECOND, "minute": MINUTE, "hour": HOUR}


@dataclass(frozen=True)
class Reading:
    """One reading, at the wall time that is known in the end."""

    at_ms: int
    device: str
    metric: str
    value: float | None
    contact: bool = True
    on_change: bool = False
    counter: str = ""
    order: tuple[str, int] = ("", 0)

    @property
    def usable(self) -> bool:
        """Whether it says something of the body."""
        if self.value is None or not self.contact:
            return False
        return self.metric != "heart_rate" or 25 <= self.value <= 250


@lru_cache
def midnights(zone: str, from_ms: int, to_ms: int) -> list[int]:
    """Where days begin: each date at the first whole minute that has it."""
    found: list[int] = []
    latest = date.min
    for at_ms in range(from_ms // MINUTE * MINUTE, to_ms, MINUTE):
        today = datetime.fromtimestamp(at_ms // 1000, ZoneInfo(zone)).date()
        if today > latest:
            latest = today
            found.append(at_ms)
    # The first is only where the search began.
    return found[1:]


@dataclass
class Oracle:
    """All readings of one user, the order of their sources, and their zone."""

    readings: Sequence[Reading]
    order: dict[str, list[str]]
    zone: str
    origins: dict[str, int] = field(default_factory=dict)

    def of(self, metric: str) -> list[Reading]:
        """Usable readings in order of time."""
        mine = [one for one in self.readings if one.metric == metric and one.usable]
        return sorted(mine, key=lambda one: (one.at_ms, one.order))

    def day(self, at_ms: int) -> int:
        """Where the day begins that a moment is in."""
        all_ms = [one.at_ms for one in self.readings]
        begins = midnights(self.zone, min(all_ms) - 50 * HOUR, max(all_ms) + 50 * HOUR)
        return begins[bisect_right(begins, at_ms) - 1]

    def begin(self, at_ms: int, resolution: str) -> int:
        """Where the stretch begins that a moment is in."""
        if resolution == "day":
            return self.day(at_ms)
        return at_ms // LENGTHS[resolution] * LENGTHS[resolution]

    def stretches(self, metric: str, resolution: str) -> dict[tuple[int, str], tuple[Any, ...]]:
        """By beginning and device: count, average, least and greatest; or count and taken."""
        if metric == "steps":
            return self.steps(resolution)
        counted: dict[tuple[int, str], list[float]] = {}
        for one in self.counting(metric, resolution):
            device = one.device if metric == "battery" else ""
            key = (self.begin(one.at_ms, resolution), device)
            counted.setdefault(key, []).append(one.value or 0)
        return {key: summary(values) for key, values in counted.items()}

    def counting(self, metric: str, resolution: str) -> list[Reading]:
        """The readings of whichever source counts."""
        mine = self.of(metric)
        if metric == "battery":
            return mine
        if resolution == "second":
            return [one for one in mine if self.shown(one, mine) == one.device]
        return self.by_minute(metric, mine)

    def by_minute(self, metric: str, mine: Iterable[Reading]) -> list[Reading]:
        """Of those in one minute the ones of the source that comes first."""
        minutes: dict[int, list[Reading]] = {}
        for one in mine:
            minutes.setdefault(one.at_ms // MINUTE, []).append(one)
        return [
            one
            for together in minutes.values()
            for one in together
            if one.device == self.first(metric, together)
        ]

    def first(self, metric: str, together: Iterable[Reading]) -> str:
        """The device among these that comes first."""
        return min({one.device for one in together}, key=self.order[metric].index)

    def shown(self, at: Reading, mine: Sequence[Reading]) -> str:
        """Which device is not silent at the moment of a reading, and comes first."""
        speaking = [
            one for one in mine if 0 <= at.at_ms - one.at_ms < (300_000 if one.on_change else 5_000)
        ]
        return self.first(at.metric, speaking)

    def steps(self, resolution: str) -> dict[tuple[int, str], tuple[Any, ...]]:
        """Each reading adds what it goes beyond all before it, its day's device alone."""
        found: dict[tuple[int, str], tuple[int, int]] = {}
        mine = [one for one in self.of("steps") if one.counter]
        for day in sorted({self.day(one.at_ms) for one in mine}):
            of_day = [one for one in mine if self.day(one.at_ms) == day]
            device = self.first("steps", of_day)
            reached: dict[str, int] = {}
            for one in (one for one in of_day if one.device == device):
                before = reached.setdefault(one.counter, self.before(one, day))
                value = int(one.value or 0)
                reached[one.counter] = max(before, value)
                key = (self.begin(one.at_ms, resolution), "")
                count, taken = found.get(key, (0, 0))
                found[key] = (count + 1, taken + max(0, value - before))
        return found

    def before(self, at: Reading, day: int) -> int:
        """The counter's last total before the day, else what it counts from."""
        earlier = [
            one
            for one in self.of("steps")
            if (one.device, one.counter) == (at.device, at.counter) and one.at_ms < day
        ]
        # Of one moment the later number counts, whichever stream it is of.
        earlier.sort(key=lambda one: (one.at_ms, one.order[1], one.value or 0))
        return int(earlier[-1].value or 0) if earlier else self.origins[at.counter]

    def between(self, metric: str, from_ms: int, to_ms: int) -> tuple[Any, ...] | None:
        """Of a stretch of any length, in each minute one source."""
        inside = [one for one in self.of(metric) if from_ms <= one.at_ms < to_ms]
        values = [one.value or 0 for one in self.by_minute(metric, inside)]
        return summary(values) if values else None


def summary(values: Sequence[float]) -> tuple[Any, ...]:
    """Count, average, least and greatest."""
    return len(values), round(sum(values) / len(values), 3), min(values), max(values)
