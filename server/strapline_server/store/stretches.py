"""The running session's sums, kept between commits: each live reading asks for them.

Exact from the millisecond that the session began at. The minutes of late are kept by device,
since of two that share a minute one counts; what is older is settled, by pieces of an hour or
more, and a reading that still comes for one of them makes that piece be read again.
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
from strapline_server.store.sums import HOUR_MINUTES, MINUTE_MS, Folded, Sum

_MOST_KEPT: Final = 10_000
#: As many minutes are kept by device.
_OPEN_MINUTES: Final = 10
#: What is settled has about so many pieces, and at most twice as many: the longer the session, the
#: longer each of them is.
_PIECES: Final = 500

#: By device.
_Minute = dict[int, Sum]


@dataclass(slots=True)
class _Stretch:
    begins_ms: int
    place: dict[int, int]
    #: The first minute that is kept by device.
    open_minute: int
    #: The first minute that is ahead of its time.
    end_minute: int
    piece_minutes: int
    #: What is settled, by the number of its piece, and which pieces are to be read again.
    pieces: dict[int, Sum] = field(default_factory=dict)
    spoiled: set[int] = field(default_factory=set)
    minutes: dict[int, _Minute] = field(default_factory=dict)
    #: Whether there is anything from ``end_minute`` on.
    ahead: bool = False
    #: All pieces, where none has changed.
    settled: Sum | None = None

    def add(self, device_key: int, at_ms: int, value: float) -> None:
        minute = at_ms // MINUTE_MS
        if minute >= self.end_minute:
            self.ahead = True
        elif minute < self.open_minute:
            self.spoiled.add(minute // self.piece_minutes)
        else:
            self.include(minute, device_key, Sum(1, value, value, value))

    def include(self, minute: int, device_key: int, found: Sum) -> None:
        self.minutes.setdefault(minute, {}).setdefault(device_key, Sum()).include(found)

    def put(self, piece: int, found: Sum) -> None:
        self.pieces[piece] = found
        self.settled = None

    def settle(self, open_minute: int) -> None:
        """What is older than this minute is not kept by device any more."""
        if open_minute <= self.open_minute:
            return
        for minute in [one for one in self.minutes if one < open_minute]:
            counted = self._counted(self.minutes.pop(minute))
            self.pieces.setdefault(minute // self.piece_minutes, Sum()).include(counted)
            if self.settled is not None:
                self.settled.include(counted)
        self.open_minute = open_minute

    def total(self) -> Sum:
        if self.settled is None:
            self.settled = Sum()
            for piece in self.pieces.values():
                self.settled.include(piece)
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

    def fold(self, user_key: int, device_key: int, series: Series, at_ms: Sequence[int]) -> None:
        """Take in readings that were not in before."""
        stretch = self._kept.get((user_key, series.metric))
        if stretch is None:
            return
        for at, value, good in zip(at_ms, series.value, usable(series), strict=True):
            if at < stretch.begins_ms or not good or value is None:
                continue
            if device_key not in stretch.place:
                self.forget(user_key, series.metric)
                return
            stretch.add(device_key, at, value)

    def since(self, transaction: Transaction, user_key: int, metric: str, begins_ms: int) -> Sum:
        """What was measured from this moment on. What is ahead of its time is left out."""
        stretch = self._kept.get((user_key, metric))
        end_minute = _end_minute(transaction.now_ms)
        if (
            stretch is None
            or stretch.begins_ms != begins_ms
            or stretch.end_minute > end_minute
            or len(stretch.pieces) > 2 * _PIECES
        ):
            stretch = _read(transaction, user_key, metric, begins_ms)
            self._keep(user_key, metric, stretch)
        elif stretch.spoiled or stretch.ahead:
            _mend(stretch, Folded(transaction, user_key, metric), end_minute)
        stretch.end_minute = end_minute
        stretch.settle(_open_minute(transaction.now_ms, begins_ms))
        return stretch.total()

    def _keep(self, user_key: int, metric: str, stretch: _Stretch) -> None:
        self._kept[user_key, metric] = stretch
        self._kept.move_to_end((user_key, metric))
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)


def _end_minute(now_ms: int) -> int:
    """Readings from then on are ahead of their time: the end of a minute, as sums are."""
    return (now_ms + AHEAD_MS) // MINUTE_MS + 1


def _open_minute(now_ms: int, begins_ms: int) -> int:
    return max(begins_ms // MINUTE_MS, now_ms // MINUTE_MS - _OPEN_MINUTES)


def _read(transaction: Transaction, user_key: int, metric: str, begins_ms: int) -> _Stretch:
    now_ms = transaction.now_ms
    folded = Folded(transaction, user_key, metric)
    open_minute, end_minute = _open_minute(now_ms, begins_ms), _end_minute(now_ms)
    hours = (open_minute - begins_ms // MINUTE_MS) // HOUR_MINUTES
    piece_minutes = HOUR_MINUTES * (1 + hours // _PIECES)
    stretch = _Stretch(begins_ms, folded.place, open_minute, end_minute, piece_minutes)
    first_whole = -(-begins_ms // MINUTE_MS)
    if open_minute >= first_whole:
        _read_settled(stretch, folded)
    else:
        for found in in_order(transaction, user_key, metric, begins_ms, first_whole * MINUTE_MS):
            value = found.usable
            if value is not None:
                one = Sum(1, value, value, value)
                stretch.include(found.at_ms // MINUTE_MS, found.block.device_key, one)
    _read_minutes(stretch, folded, max(first_whole, open_minute), end_minute)
    return stretch


def _read_settled(stretch: _Stretch, folded: Folded) -> None:
    """All pieces: the hours in one go, and what is no whole hour at either end."""
    begins_ms, open_minute = stretch.begins_ms, stretch.open_minute
    first_hour = -(-begins_ms // (HOUR_MINUTES * MINUTE_MS))
    end_hour = max(first_hour, open_minute // HOUR_MINUTES)
    ends_ms = min(first_hour * HOUR_MINUTES, open_minute) * MINUTE_MS
    parts = [(begins_ms // MINUTE_MS, folded.between(begins_ms, ends_ms))]
    for hour, counted in folded.hours(first_hour, end_hour):
        parts.append((hour * HOUR_MINUTES, counted[None]))
    tail = end_hour * HOUR_MINUTES
    if tail < open_minute:
        parts.append((tail, folded.between(tail * MINUTE_MS, open_minute * MINUTE_MS)))
    for minute, found in parts:
        stretch.pieces.setdefault(minute // stretch.piece_minutes, Sum()).include(found)


def _read_minutes(stretch: _Stretch, folded: Folded, first_minute: int, end_minute: int) -> None:
    for row in folded.each("minutes_in_time", first_minute=first_minute, end_minute=end_minute):
        found = Sum(row["count"], row["total"], row["low"], row["high"])
        stretch.include(row["minute"], row["device_key"], found)
    stretch.ahead = folded.next_minute(end_minute) is not None


def _mend(stretch: _Stretch, folded: Folded, end_minute: int) -> None:
    """Read what came for what is settled, and what was ahead and is not any more."""
    for piece in stretch.spoiled:
        first = piece * stretch.piece_minutes
        end = min(first + stretch.piece_minutes, stretch.open_minute)
        begins_ms = max(stretch.begins_ms, first * MINUTE_MS)
        stretch.put(piece, folded.between(begins_ms, end * MINUTE_MS))
    stretch.spoiled.clear()
    if end_minute > stretch.end_minute:
        _read_minutes(stretch, folded, stretch.end_minute, end_minute)
