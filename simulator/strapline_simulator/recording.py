"""Replays recorded heartbeats, as fast or slow as it is asked to."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from importlib import resources
from itertools import accumulate
from typing import Final

REST_FILE: Final = "rr_rest_60min.csv"
REST_SOURCE: Final = "recorded beats (MIT-BIH Normal Sinus Rhythm Database, PhysioNet)"

#: The rate is that of the mean of so many intervals, as straps smooth it over a few beats.
RATE_WINDOW_BEATS: Final = 8

#: The range in which a scaled recording still looks like a heart.
SCALE_RANGE: Final = (0.3, 2.0)


@dataclass(frozen=True, slots=True)
class Recording:
    """Consecutive beat-to-beat intervals and where they come from."""

    intervals_ms: tuple[int, ...]
    source: str

    @property
    def duration_s(self) -> float:
        return sum(self.intervals_ms) / 1000


def rest_recording() -> Recording:
    """Load the hour at rest that comes with the package."""
    text = (resources.files(__package__) / "data" / REST_FILE).read_text(encoding="ascii")
    _header, *rows = text.split()
    return Recording(tuple(int(row) for row in rows), REST_SOURCE)


@dataclass(frozen=True, slots=True)
class Beats:
    """What a strap has felt since it was last asked.

    Attributes:
        bpm: rate over the last few beats.
        rr_ms: intervals of the beats that fell in between, oldest first; may be empty.
    """

    bpm: int
    rr_ms: tuple[float, ...]


class BeatPlayer:
    """Plays a recording from an offset, over and over.

    Args:
        recording: at least as many intervals as the rate is averaged over.
        offset_s: where in the recording to start, in its own seconds.
        scale: factor on every interval: below 1 the heart goes faster. ``source`` says so.

    Raises:
        ValueError: the recording is too short, or the scale out of range.
    """

    def __init__(self, recording: Recording, *, offset_s: float = 0.0, scale: float = 1.0) -> None:
        low, high = SCALE_RANGE
        if not low <= scale <= high:
            raise ValueError(f"scale is {scale}: give a factor from {low} to {high}")
        if len(recording.intervals_ms) < RATE_WINDOW_BEATS:
            raise ValueError(f"a recording needs {RATE_WINDOW_BEATS} intervals or more")
        self._intervals_ms = recording.intervals_ms
        self._scale = scale
        self._next = self._index_at(offset_s % recording.duration_s)
        before = range(self._next - RATE_WINDOW_BEATS, self._next)
        self._window = deque((self._scaled(i) for i in before), maxlen=RATE_WINDOW_BEATS)
        self._clock_ms = 0.0
        self._beat_due_ms = self._scaled(self._next)
        scaled = "" if scale == 1.0 else f", intervals scaled by {scale:g}"
        self.source = recording.source + scaled

    def advance(self, seconds: float) -> Beats:
        """Let time pass and report the beats that fell into it.

        Raises:
            ValueError: time would run backwards.
        """
        if seconds < 0:
            raise ValueError(f"time cannot pass by {seconds} s: give 0 or more")
        self._clock_ms += seconds * 1000
        felt: list[float] = []
        while self._beat_due_ms <= self._clock_ms:
            interval_ms = self._scaled(self._next)
            felt.append(interval_ms)
            self._window.append(interval_ms)
            self._next = (self._next + 1) % len(self._intervals_ms)
            self._beat_due_ms += self._scaled(self._next)
        return Beats(self.bpm, tuple(felt))

    @property
    def bpm(self) -> int:
        """Rate over the last few beats; a recording has some before its offset, too."""
        return round(60_000 * len(self._window) / sum(self._window))

    def _scaled(self, index: int) -> float:
        return self._intervals_ms[index % len(self._intervals_ms)] * self._scale

    def _index_at(self, offset_s: float) -> int:
        ends_ms = list(accumulate(self._intervals_ms))
        return bisect_right(ends_ms, offset_s * 1000) % len(ends_ms)
