"""The server's database as the protocol needs it: accounts of streams, and users' changes."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field

from strapline_protocol.intervals import IntervalSet, Range
from strapline_protocol.series import Series

#: How many of a user's changes are kept for viewers that resume.
LOG = 25


@dataclass(frozen=True)
class Change:
    """What one commit brought of one user, metric and stream."""

    user: str
    metric: str
    stream: str
    series: Series
    n: int
    previous: int
    #: How many readings of this user and metric are counted after it.
    total: int


@dataclass
class Store:
    """All of it is durable; a commit is one call."""

    epoch: str = "epoch-0"
    readings: dict[tuple[str, int], tuple[str, str, int]] = field(default_factory=dict)
    received: dict[str, IntervalSet] = field(default_factory=dict)
    dropped: dict[str, IntervalSet] = field(default_factory=dict)
    totals: Counter[tuple[str, str]] = field(default_factory=Counter)
    last: Counter[str] = field(default_factory=Counter)
    last_of: Counter[tuple[str, str]] = field(default_factory=Counter)
    log: dict[str, list[Change]] = field(default_factory=dict)
    #: Every position that was ever given in this epoch, for the check alone.
    given: dict[str, list[int]] = field(default_factory=dict)

    def copy(self) -> Store:
        """A backup."""
        return copy.deepcopy(self)

    def accounted(self, stream: str) -> IntervalSet:
        """All numbers of a stream of which something is known."""
        known = self.received.get(stream, IntervalSet()).copy()
        known.update(self.dropped.get(stream, ()))
        return known

    def held(self, stream: str) -> IntervalSet:
        """What of a stream need not be sent: a number that one dropped, another may still have."""
        return self.received.get(stream, IntervalSet())

    def drop(self, stream: str, ranges: list[Range]) -> None:
        """Numbers that will not come."""
        self.dropped.setdefault(stream, IntervalSet()).update(ranges)

    def commit(
        self, stream: str, series: Series, *, count_repeats: bool = False, trust_drops: bool = False
    ) -> Change | None:
        """Store what is new of a series; None when nothing is."""
        received = self.received.setdefault(stream, IntervalSet())
        known = self.accounted(stream) if trust_drops else received
        spans = series.ranges()
        fresh = [hole for first, last in spans for hole in known.missing(first, last)]
        received.update(spans)
        new = series if count_repeats else series.within(fresh)
        if new is None:
            return None
        for number, value in zip(new.numbers(), new.value, strict=True):
            assert isinstance(value, int)
            self.readings[stream, number] = (new.user, new.metric, value)
        key = new.user, new.metric
        self.totals[key] += len(new)
        self.last[new.user] += 1
        n = self.last[new.user]
        change = Change(new.user, new.metric, stream, new, n, self.last_of[key], self.totals[key])
        self.last_of[key] = n
        log = self.log.setdefault(new.user, [])
        log.append(change)
        del log[:-LOG]
        self.given.setdefault(new.user, []).append(n)
        return change

    def since(self, user: str, epoch: str, n: int) -> list[Change] | None:
        """The changes after the n-th; None where the log cannot tell."""
        log = self.log.get(user, [])
        oldest = log[0].n if log else self.last[user] + 1
        if epoch != self.epoch or n > self.last[user] or n < oldest - 1:
            return None
        return [change for change in log if change.n > n]
