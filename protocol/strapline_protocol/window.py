"""How much a bridge has under way: a quarter kept for the present, the past as the link allows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from strapline_protocol.errors import LocalProtocolError
from strapline_protocol.intervals import IntervalSet, Range
from strapline_protocol.publishing import Lane

#: An acknowledgement of the backlog should not take longer: the present waits behind it.
TARGET_MS: Final = 500
_FIRST_ALLOWANCE: Final = 256
_LEAST_ALLOWANCE: Final = 16


@dataclass(slots=True)
class _Batch:
    stream: str
    lane: Lane
    left: IntervalSet
    sent_ms: int


class Window:
    """Readings sent and not yet accounted for, bounded by the server's ``windowReadings``.

    The live lane may fill the whole window. The backlog gets at most three quarters of it, and
    of those only what was acknowledged within :data:`TARGET_MS`: its allowance doubles after an
    acknowledgement in under half of that, and halves after one that took longer.
    """

    def __init__(self, readings: int) -> None:
        self._capacity = readings
        self._most_backlog = max(1, readings * 3 // 4)
        self._allowance = min(_FIRST_ALLOWANCE, self._most_backlog)
        self._batches: deque[_Batch] = deque()
        self._in_flight = {Lane.LIVE: 0, Lane.BACKLOG: 0}

    def room(self, lane: Lane) -> int:
        """How many readings may be sent now on this lane."""
        left = self._capacity - sum(self._in_flight.values())
        if lane is Lane.BACKLOG:
            left = min(left, self._allowance - self._in_flight[lane])
        return max(0, left)

    @property
    def in_flight(self) -> int:
        """Readings sent and not accounted for."""
        return sum(self._in_flight.values())

    def holds(self, stream: str) -> IntervalSet:
        """What of this stream is under way."""
        under_way = IntervalSet()
        for batch in self._batches:
            if batch.stream == stream:
                under_way.update(batch.left)
        return under_way

    def sent(self, stream: str, lane: Lane, ranges: list[Range], now_ms: int) -> None:
        """These readings went out.

        Raises:
            LocalProtocolError: they are more than there was room for.
        """
        batch = _Batch(stream, lane, IntervalSet(ranges), now_ms)
        count = len(batch.left)
        if count > self.room(lane):
            raise LocalProtocolError(f"{count} readings where {self.room(lane)} may be sent")
        self._batches.append(batch)
        self._in_flight[lane] += count

    def accounted(self, stream: str, ranges: list[Range], now_ms: int) -> None:
        """The server accounts for these numbers, whatever it made of them."""
        for batch in self._batches:
            if batch.stream != stream:
                continue
            before = len(batch.left)
            for first, last in ranges:
                batch.left.remove(first, last)
            self._in_flight[batch.lane] -= before - len(batch.left)
            if before and not batch.left and batch.lane is Lane.BACKLOG:
                self._adapt(now_ms - batch.sent_ms)
        self._batches = deque(batch for batch in self._batches if batch.left)

    def _adapt(self, took_ms: int) -> None:
        if took_ms > TARGET_MS:
            self._allowance = max(_LEAST_ALLOWANCE, self._allowance // 2)
        elif took_ms < TARGET_MS // 2:
            self._allowance = self._allowance * 2
        self._allowance = min(self._allowance, self._most_backlog)
