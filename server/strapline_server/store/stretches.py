"""The running session's sums, kept between commits: each live reading asks for them.

Exact from the millisecond that the session began at. The minutes of late are kept by device,
since of two that share a minute one counts; what is older is settled, and a reading that still
comes for it makes the next question be answered out of the database again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from strapline_protocol.metrics import SESSION
from strapline_protocol.series import Series
from strapline_protocol.watching import Session
from strapline_server.state import AHEAD_MS, usable
from strapline_server.store.database import Transaction
from strapline_server.store.notes import newest_sessions
from strapline_server.store.ordered import in_order
from strapline_server.store.sums import MINUTE_MS, Folded, Sum

_MOST_KEPT: Final = 10_000
#: As many minutes are kept by device.
_OPEN_MINUTES: Final = 10

#: By device.
_Minute = dict[int, Sum]


@dataclass(slots=True)
class _Stretch:
    begins_ms: int
    place: dict[int, int]
    #: The first minute that is kept by device.
    open_minute: int
    settled: Sum = field(default_factory=Sum)
    minutes: dict[int, _Minute] = field(default_factory=dict)

    def add(self, device_key: int, at_ms: int, value: float) -> None:
        minute = self.minutes.setdefault(at_ms // MINUTE_MS, {})
        minute.setdefault(device_key, Sum()).add(1, value, value, value)

    def settle(self, open_minute: int) -> None:
        """What is older than this minute is not kept by device any more."""
        if open_minute <= self.open_minute:
            return
        for minute in [one for one in self.minutes if one < open_minute]:
            self.settled.include(self._counted(self.minutes.pop(minute)))
        self.open_minute = open_minute

    def total(self) -> Sum:
        total = Sum()
        total.include(self.settled)
        for minute in self.minutes.values():
            total.include(self._counted(minute))
        return total

    def _counted(self, minute: _Minute) -> Sum:
        return minute[min(minute, key=self.place.__getitem__)]


class Stretches:
    """One stretch of each user's metric, from a moment on; dropped when a commit fails."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, str], _Stretch] = OrderedDict()
        #: The session that runs, of users who were asked after.
        self._running: dict[int, Session | None] = {}

    def clear(self) -> None:
        """Forget all: what was folded may have been rolled back."""
        self._kept.clear()
        self._running.clear()

    def forget(self, user_key: int, metric: str) -> None:
        """Forget one, whose past or whose order of sources has changed."""
        self._kept.pop((user_key, metric), None)
        if metric == SESSION.name:
            self._running.pop(user_key, None)

    def running(self, transaction: Transaction, user_key: int) -> Session | None:
        """The session that runs: the last to begin, while it has no end."""
        if user_key not in self._running:
            newest = newest_sessions(transaction, user_key, most=1)
            if len(self._running) >= _MOST_KEPT:
                self._running.clear()
            running = newest[0] if newest and newest[0].end_ms is None else None
            self._running[user_key] = running
        return self._running[user_key]

    def fold(
        self, user_key: int, device_key: int, series: Series, at_ms: Sequence[int], now_ms: int
    ) -> None:
        """Take in readings that were not in before."""
        stretch = self._kept.get((user_key, series.metric))
        if stretch is None:
            return
        since_ms = stretch.open_minute * MINUTE_MS
        for at, value, good in zip(at_ms, series.value, usable(series), strict=True):
            if at < stretch.begins_ms or not good or value is None:
                continue
            if at < since_ms or at >= _horizon_ms(now_ms) or device_key not in stretch.place:
                self.forget(user_key, series.metric)
                return
            stretch.add(device_key, at, value)

    def since(self, transaction: Transaction, user_key: int, metric: str, begins_ms: int) -> Sum:
        """What was measured from this moment on. What is ahead of its time is left out."""
        stretch = self._kept.get((user_key, metric))
        if stretch is None or stretch.begins_ms != begins_ms:
            stretch, whole = _read(transaction, user_key, metric, begins_ms)
            if whole:
                self._keep(user_key, metric, stretch)
        stretch.settle(_open_minute(transaction.now_ms, begins_ms))
        return stretch.total()

    def _keep(self, user_key: int, metric: str, stretch: _Stretch) -> None:
        self._kept[user_key, metric] = stretch
        self._kept.move_to_end((user_key, metric))
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)


def _horizon_ms(now_ms: int) -> int:
    """Readings from then on are ahead of their time: the end of a minute, as sums are."""
    return ((now_ms + AHEAD_MS) // MINUTE_MS + 1) * MINUTE_MS


def _open_minute(now_ms: int, begins_ms: int) -> int:
    return max(begins_ms // MINUTE_MS, now_ms // MINUTE_MS - _OPEN_MINUTES)


def _read(
    transaction: Transaction, user_key: int, metric: str, begins_ms: int
) -> tuple[_Stretch, bool]:
    """The stretch, and whether it may be kept: not while there is something ahead of its time."""
    now_ms = transaction.now_ms
    folded = Folded(transaction, user_key, metric)
    stretch = _Stretch(begins_ms, folded.place, _open_minute(now_ms, begins_ms))
    end_minute = _horizon_ms(now_ms) // MINUTE_MS
    first_whole = -(-begins_ms // MINUTE_MS)
    if stretch.open_minute >= first_whole:
        stretch.settled = folded.between(begins_ms, stretch.open_minute * MINUTE_MS)
    else:
        for found in in_order(transaction, user_key, metric, begins_ms, first_whole * MINUTE_MS):
            value = found.usable
            if value is not None:
                stretch.add(found.block.device_key, found.at_ms, value)
    first_minute = max(first_whole, stretch.open_minute)
    for row in folded.each("minutes_in_time", first_minute=first_minute, end_minute=end_minute):
        minute = stretch.minutes.setdefault(row["minute"], {})
        found_sum = minute.setdefault(row["device_key"], Sum())
        found_sum.add(row["count"], row["total"], row["low"], row["high"])
    return stretch, folded.next_minute(end_minute) is None
