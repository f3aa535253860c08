"""One metric's state at the moment of a transaction, measured or said."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from strapline_protocol.metrics import HEART_RATE, metric_named
from strapline_protocol.watching import MetricData
from strapline_server.state import Day, SessionSoFar, Source, render, shown
from strapline_server.store.aggregates import Aggregates
from strapline_server.store.database import Transaction
from strapline_server.store.notes import read_said
from strapline_server.store.people import User
from strapline_server.store.stretches import Stretches


@dataclass(frozen=True, slots=True)
class Measured:
    """What one metric's state is rendered from."""

    sources: list[Source]
    day: Day
    session: SessionSoFar | None
    connected: Collection[str] | None

    def shown(self, now_ms: int) -> Source | None:
        """The source that counts."""
        return shown(self.sources, now_ms, self.connected, self.day.source_key)


@dataclass(slots=True)
class States:
    """States within one transaction, each read once.

    Attributes:
        connected: which of these devices of a user are to be taken as connected; None where
            that is not known.
        stretches: what is kept of running sessions; a new one keeps nothing.
    """

    transaction: Transaction
    aggregates: Aggregates
    connected: Callable[[User, list[Source]], Collection[str] | None]
    stretches: Stretches = field(default_factory=Stretches)
    _measured: dict[tuple[int, str], Measured] = field(default_factory=dict, init=False)
    _data: dict[tuple[int, str], MetricData] = field(default_factory=dict, init=False)

    def measured(self, user: User, metric: str) -> Measured:
        """What there is of a metric that is measured."""
        key = (user.key, metric)
        if key not in self._measured:
            sources = self.aggregates.sources(*key)
            day = self.aggregates.day(user, metric)
            connected = self.connected(user, sources)
            self._measured[key] = Measured(sources, day, self._session(user, metric), connected)
        return self._measured[key]

    def data(self, user: User, metric: str) -> MetricData:
        """The state as viewers get it."""
        key = (user.key, metric)
        if key not in self._data:
            if metric_named(metric).said:
                self._data[key] = read_said(self.transaction, *key)
            else:
                found = self.measured(user, metric)
                now_ms = self.transaction.now_ms
                self._data[key] = render(
                    metric, found.sources, found.day, now_ms, found.connected, found.session
                )
        return self._data[key]

    def _session(self, user: User, metric: str) -> SessionSoFar | None:
        if metric != HEART_RATE.name:
            return None
        running = self.stretches.running(self.transaction, user.key)
        if running is None:
            return None
        began_ms = running.start_ms
        found = self.stretches.since(self.transaction, user.key, metric, began_ms)
        return SessionSoFar(began_ms, found.count, found.total, found.low, found.high)
