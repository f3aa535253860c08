"""What the screen of `strapline up` knows: each strap's rate with its age, and the counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from strapline_bridge.outbox import OutboxObserver, Row
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.metrics import HEART_RATE

_MS_PER_S = 1_000


@dataclass(frozen=True, slots=True)
class Rate:
    """A heart rate as it was last measured. ``at_s`` and ``wall_s``: when it was stored."""

    bpm: int
    at_s: float
    wall_s: float

    def is_fresh(self, now_s: float) -> bool:
        """Whether it is still the present."""
        return now_s - self.at_s <= HEART_RATE.fresh_for_ms / _MS_PER_S


class Board(OutboxObserver):
    """Follows the outbox.

    Attributes:
        taken: readings committed since the start.
        delivered: readings that the server has accounted for since the start.
    """

    def __init__(
        self,
        clock_s: Callable[[], float] = time.monotonic,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._clock_s = clock_s
        self._wall_s = wall_s
        self._rates: dict[str, Rate] = {}
        self.taken = 0
        self.delivered = 0

    @property
    def rates(self) -> Mapping[str, Rate]:
        """The last usable rate of each device."""
        return self._rates

    def committed(self, rows: Sequence[Row]) -> None:
        for row in rows:
            series = row.series
            self.taken += len(series)
            if series.metric != HEART_RATE.name:
                continue
            value = series.value[-1]
            doubted = series.quality is not None and series.quality[-1]
            if value and not doubted:
                rate = Rate(int(value), self._clock_s(), self._wall_s())
                self._rates[series.device] = rate

    def acknowledged(self, stream: str, numbers: IntervalSet) -> None:
        self.delivered += len(numbers)
