"""How much a bridge has under way: a quarter kept for the present, the past as the link allows."""

from __future__ import annotations

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
    lane: Lane
    left: IntervalSet
    first: int
    last: int
    sent_ms: int
    telling: bool


class Window:
    """Readings sent and not yet accounted for, bounded by the server's ``windowReadings``.

    The live lane may fill the whole window. The backlog gets at most three quarters of it, and
    of those only what was acknowledged within :data:`TARGET_MS`: its allowance doubles after an
    acknowledgement in under half of that, and halves after one that took longer. It grows only
    while it is used, since a few readings that come back quickly say nothing about many.
    """

    def __init__(self, readings: int) -> None:
        self._capacity = readings
        self._most_backlog = max(1, readings * 3 // 4)
        self._allowance = min(_FIRST_ALLOWANCE, self._most_backlog)
        self._batches: dict[str, list[_Batch]] = {}
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
        for batch in self._batches.get(stream, ()):
            under_way.update(batch.left)
        return under_way

    def sent(self, stream: str, lane: Lane, ranges: list[Range], now_ms: int) -> None:
        """These readings went out.

        Raises:
            LocalProtocolError: they are none, or more than there was room for.
        """
        numbers = IntervalSet(ranges)
        if not numbers:
            raise LocalProtocolError("READINGS without readings")
        count, room = len(numbers), self.room(lane)
        if count > room:
            raise LocalProtocolError(f"{count} readings where {room} may be sent")
        self._in_flight[lane] += count
        telling = lane is Lane.BACKLOG and self._in_flight[lane] * 2 >= self._allowance
        first, last = numbers.span()
        self._batches.setdefault(stream, []).append(
            _Batch(lane, numbers, first, last, now_ms, telling)
        )

    def accounted(self, stream: str, ranges: list[Range], now_ms: int) -> None:
        """The server accounts for these numbers, whatever it made of them."""
        batches = self._batches.get(stream)
        if not batches or not ranges:
            return
        lowest, highest = min(first for first, _ in ranges), max(last for _, last in ranges)
        # Most batches are not meant, and there may be thousands of one reading each.
        meant = [one for one in batches if one.first <= highest and one.last >= lowest]
        for batch in meant:
            before = len(batch.left)
            for first, last in ranges:
                batch.left.remove(first, last)
            self._in_flight[batch.lane] -= before - len(batch.left)
            if not batch.left and batch.lane is Lane.BACKLOG:
                self._adapt(now_ms - batch.sent_ms, batch.telling)
        if not all(batch.left for batch in meant):
            self._keep(stream, [batch for batch in batches if batch.left])

    def _keep(self, stream: str, batches: list[_Batch]) -> None:
        if batches:
            self._batches[stream] = batches
        else:
            del self._batches[stream]

    def _adapt(self, took_ms: int, telling: bool) -> None:
        if took_ms > TARGET_MS:
            self._allowance = max(_LEAST_ALLOWANCE, self._allowance // 2)
        elif telling and took_ms < TARGET_MS // 2:
            self._allowance = self._allowance * 2
        self._allowance = min(self._allowance, self._most_backlog)
