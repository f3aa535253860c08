"""Synthesises a walk: nobody took these steps, and ``source`` says so."""

from __future__ import annotations

import random
from typing import Final

WALK_SOURCE: Final = "synthesised walk"

#: An easy pace to a brisk one; both well below what a bridge calls implausible.
CADENCE_PER_MIN: Final = (96.0, 118.0)
BOUT_S: Final = (120.0, 420.0)
PAUSE_S: Final = (15.0, 60.0)


class Walk:
    """A total of steps that rises in bouts of walking, with pauses between them.

    Args:
        seed: walks of the same seed are the same walk.
        total: steps already taken today.
    """

    source = WALK_SOURCE

    def __init__(self, *, seed: int, total: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311  # a walk is no secret
        self._total = total
        self._part_step = 0.0
        self._cadence_per_s = 0.0
        self._phase_left_s = 0.0
        self._walking = False

    @property
    def total(self) -> int:
        return self._total

    @property
    def cadence_per_min(self) -> float:
        """The cadence of this moment; 0 in a pause."""
        return self._cadence_per_s * 60

    def advance(self, seconds: float) -> int:
        """Let time pass and return the total.

        Raises:
            ValueError: time would run backwards.
        """
        if seconds < 0:
            raise ValueError(f"time cannot pass by {seconds} s: give 0 or more")
        while seconds > 0:
            if self._phase_left_s <= 0:
                self._begin_phase()
            passed_s = min(seconds, self._phase_left_s)
            self._phase_left_s -= passed_s
            seconds -= passed_s
            self._part_step += passed_s * self._cadence_per_s
        whole = int(self._part_step)
        self._part_step -= whole
        self._total += whole
        return self._total

    def restart(self) -> None:
        """Begin a new day at zero."""
        self._total = 0
        self._part_step = 0.0

    def set_total(self, total: int) -> None:
        """Go on from another total, as a watch does whose count was changed."""
        self._total = total

    def _begin_phase(self) -> None:
        self._walking = not self._walking
        if self._walking:
            self._phase_left_s = self._random.uniform(*BOUT_S)
            self._cadence_per_s = self._random.uniform(*CADENCE_PER_MIN) / 60
        else:
            self._phase_left_s = self._random.uniform(*PAUSE_S)
            self._cadence_per_s = 0.0
