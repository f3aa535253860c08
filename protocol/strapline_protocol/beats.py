"""The moment of each heart beat: RR intervals placed in time by the notifications that told them.

A strap tells in one notification the intervals between the beats since the one before, and no
times (Heart Rate Service 1.0 section 3.1.1.5). A notification arrives when the radio has its turn,
so its arrival says when its beats were within about a second; the intervals themselves are exact
to 1/1024 s. So a run of beats is *anchored* once, its last beat of the first notification at that
notification's arrival, and goes on by the intervals alone. Three things end a run, and the next
beat then begins one that is anchored anew:

- a gap, by the rule of :mod:`strapline_protocol.gaps`: what beat meanwhile is not known;
- a reading whose marks say that its intervals are not real, or an interval of 0;
- a run that is more than :data:`MOST_AWAY_MS` from the arrivals: its intervals do not add up to
  the time that passed, so some are missing or told twice.

A strap's crystal and the bridge's differ by up to some 100 ppm, 9 s a day: each interval is placed
up to :data:`MOST_SLEW` longer or shorter than it was, towards the arrivals. That follows any
crystal, and is far less than what beats differ by from one to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from strapline_protocol.gaps import silences
from strapline_protocol.series import Series, TimedSeries

#: Further than this from its notification's arrival no beat is placed.
MOST_AWAY_MS: Final = 5_000
#: The share of an interval by which beats are drawn towards the arrivals.
MOST_SLEW: Final = 0.002
_RR_PER_MS: Final = 1.024
#: What is still off is spread over so much time, so that no arrival's own lateness is followed.
_SPREAD_MS: Final = 60_000
#: Marks of a bridge on readings whose intervals no heart made.
UNREAL: Final = frozenset({"filler", "frozen", "noContact", "zero"})


@dataclass(frozen=True, slots=True)
class Beat:
    """One beat.

    Attributes:
        at_ms: on the clock of its series: wall time, or ``elapsedMs``. Within a run ascending.
        rr_ms: since the beat before it, as the strap measured it.
        first: it begins a run: the beat before it is not the one told before, so that no
            difference of two intervals may be taken here.
        seq: the number of the reading that told it.
    """

    at_ms: float
    rr_ms: float
    first: bool
    seq: int


def beats(series: Series | TimedSeries) -> list[Beat]:
    """Each beat that a series of heart rates tells of; a series without ``rr`` tells of none.

    A beat that the strap never told, since a link was lost, is nowhere: the next is ``first``.
    """
    column = series.rr
    if column is None:
        return []
    times = series.elapsed() if isinstance(series, Series) else series.at()
    numbers, quality = series.numbers(), series.quality
    order = sorted(range(len(times)), key=lambda at: (times[at], numbers[at]))
    after_gap = {end_ms for _, end_ms in silences(times[at] for at in order)}
    placing = _Placing()
    for at in order:
        if times[at] in after_gap:
            placing.end_run()
        marks = quality[at] if quality is not None else None
        if marks is not None and not UNREAL.isdisjoint(marks):
            placing.end_run()
            continue
        placing.place(column[at] or (), times[at], numbers[at])
    return placing.beats


class _Placing:
    """The run that is being placed, and all beats so far."""

    def __init__(self) -> None:
        self.beats: list[Beat] = []
        self._last_ms: float | None = None

    def end_run(self) -> None:
        self._last_ms = None

    def place(self, rr: Sequence[int], arrived_ms: int, seq: int) -> None:
        """The beats of one notification; what is before an interval of 0 tells of no run."""
        if 0 in rr:
            self.end_run()
            rr = rr[len(rr) - rr[::-1].index(0) :]
        if not rr:
            return
        intervals_ms = [one / _RR_PER_MS for one in rr]
        whole_ms = sum(intervals_ms)
        last_ms = self._last_ms
        off_ms = 0.0 if last_ms is None else arrived_ms - (last_ms + whole_ms)
        first = last_ms is None or abs(off_ms) > MOST_AWAY_MS
        if last_ms is None or first:
            last_ms, off_ms = arrived_ms - whole_ms, 0.0
        slew = max(-MOST_SLEW, min(MOST_SLEW, off_ms / _SPREAD_MS))
        for rr_ms in intervals_ms:
            last_ms += rr_ms * (1 + slew)
            self.beats.append(Beat(last_ms, rr_ms, first, seq))
            first = False
        self._last_ms = last_ms
