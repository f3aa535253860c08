"""A battery that drains."""

from __future__ import annotations

import math

#: A chest strap's coin cell lasts about 400 hours.
COIN_CELL_PERCENT_PER_H = 0.25


class Battery:
    """Charge in percent, falling evenly with time.

    Raises:
        ValueError: the charge is not a percentage, or the drain is negative.
    """

    def __init__(
        self, percent: float = 100.0, *, drain_percent_per_h: float = COIN_CELL_PERCENT_PER_H
    ) -> None:
        if drain_percent_per_h < 0:
            raise ValueError(f"drain is {drain_percent_per_h} percent/h: give 0 or more")
        self._drain_percent_per_h = drain_percent_per_h
        self._percent = 0.0
        self.set(percent)

    @property
    def level(self) -> int:
        """Whole percent, rounded up: a strap that still sends is not at zero."""
        return math.ceil(round(self._percent, 6))

    def set(self, percent: float) -> None:
        """Charge or discharge to a level.

        Raises:
            ValueError: not a percentage.
        """
        if not 0 <= percent <= 100:
            raise ValueError(f"battery level is {percent}: give a value from 0 to 100")
        self._percent = float(percent)

    def advance(self, seconds: float) -> int:
        """Let time pass and return the level.

        Raises:
            ValueError: time would run backwards.
        """
        if seconds < 0:
            raise ValueError(f"time cannot pass by {seconds} s: give 0 or more")
        self._percent = max(0.0, self._percent - seconds / 3600 * self._drain_percent_per_h)
        return self.level
