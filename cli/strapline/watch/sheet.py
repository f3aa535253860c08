"""What the five-minute sheet of one person holds: runs of readings, and gaps with their cause."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

from strapline.watch.causes import Why, refusal
from strapline.watch.line import Point
from strapline.watch.person import Person
from strapline.watch.rate import because_of, late_after_ms
from strapline.watch.words import clock, clock_with_seconds, duration
from strapline_protocol.metrics import HEART_RATE

SHEET_MS: Final = 300_000
_SECOND_MS: Final = 1_000
_MOST_SENTENCES: Final = 3


class Kind(StrEnum):
    """How a reading came in: at once, later, or at a time that is not known exactly."""

    LIVE = "live"
    BACK = "back"
    ESTIMATED = "estimated"


class Drawn(NamedTuple):
    """One reading that stands on the trace."""

    at_ms: int
    bpm: float
    kind: Kind
    received_ms: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which nothing was measured; ``open`` while it goes on."""

    from_ms: int
    to_ms: int
    why: Why | str
    open: bool

    @property
    def length(self) -> str:
        """``38 s``: its own, however little of it is still on the sheet."""
        return duration(self.to_ms - self.from_ms)


@dataclass(frozen=True, slots=True)
class Filled:
    """A stretch that came in later; ``at_ms``: when the last of it did."""

    from_ms: int
    to_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """Five minutes until ``to_ms``."""

    to_ms: int
    runs: tuple[tuple[Drawn, ...], ...]
    gaps: tuple[Gap, ...]
    filled: tuple[Filled, ...]

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the most that is drawn; None where nothing is."""
        values = [point.bpm for run in self.runs for point in run]
        return (min(values), max(values)) if values else None


def sheet_of(person: Person, now_ms: int, *, span_ms: int = SHEET_MS) -> Sheet:
    """The last ``span_ms`` of one person's heart rate."""
    data = person.heart_rate
    fresh_for_ms = HEART_RATE.fresh_for_ms if data is None else data.fresh_for_ms
    break_ms = late_after_ms(person.line, fresh_for_ms)
    from_ms = now_ms - span_ms
    whole = _split([_drawn(one, fresh_for_ms) for one in person.line if _counts(one)], break_ms)
    kept = [tuple(point for point in run if point.at_ms >= from_ms) for run in whole]
    last_ms = data.last.at_ms if data is not None and data.last is not None else None
    gaps = tuple(
        Gap(start, end, because_of(person, start, end, lasts=is_open).why, is_open)
        for start, end, is_open in _holes(whole, last_ms, now_ms, break_ms)
        if end > from_ms
    )
    runs = tuple(run for run in kept if run)
    return Sheet(now_ms, runs, gaps, _filled(runs))


def _counts(point: Point) -> bool:
    return point.value is not None and refusal(point) is None


def _drawn(point: Point, fresh_for_ms: int) -> Drawn:
    assert point.value is not None
    late = point.received_ms - point.at_ms > fresh_for_ms
    kind = Kind.ESTIMATED if point.estimated else Kind.BACK if late else Kind.LIVE
    return Drawn(point.at_ms, point.value, kind, point.received_ms)


def _split(drawn: list[Drawn], break_ms: int) -> list[list[Drawn]]:
    """Where more than the usual interval is missing, the pen is lifted."""
    runs: list[list[Drawn]] = []
    for point in drawn:
        if not runs or point.at_ms - runs[-1][-1].at_ms > break_ms:
            runs.append([])
        runs[-1].append(point)
    return runs


def _holes(
    runs: list[list[Drawn]], last_ms: int | None, now_ms: int, break_ms: int
) -> list[tuple[int, int, bool]]:
    """From where to where nothing was measured, and whether it goes on."""
    holes = [(earlier[-1].at_ms, later[0].at_ms, False) for earlier, later in pairwise(runs)]
    end_ms = runs[-1][-1].at_ms if runs else last_ms
    if end_ms is not None and now_ms - end_ms > break_ms:
        holes.append((end_ms, now_ms, True))
    return holes


def _filled(runs: tuple[tuple[Drawn, ...], ...]) -> tuple[Filled, ...]:
    found: list[Filled] = []
    for run in runs:
        stretch: list[Drawn] = []
        for point in (*run, None):
            if point is not None and point.kind is Kind.BACK:
                stretch.append(point)
                continue
            if stretch and stretch[-1].at_ms - stretch[0].at_ms >= _SECOND_MS:
                at_ms = max(one.received_ms for one in stretch)
                found.append(Filled(stretch[0].at_ms, stretch[-1].at_ms, at_ms))
            stretch = []
    return tuple(found)


def sheet_notes(sheet: Sheet, column_ms: int | None) -> list[str]:
    """``Gap of 38 s at 14:02: strap out of range.``, ``58 s filled in at 14:04:41.``

    The newest few. Where the trace has columns of ``column_ms``, a gap whose cause has room on
    it is left out.
    """
    gaps = [
        f"Gap of {gap.length} at {clock(gap.from_ms)}: {gap.why}."
        for gap in sheet.gaps
        if not gap.open and not (column_ms and has_room(gap, column_ms))
    ]
    filled = [
        f"{duration(one.to_ms - one.from_ms)} filled in at {clock_with_seconds(one.at_ms)}."
        for one in sheet.filled
    ]
    return [*gaps[-_MOST_SENTENCES:], *filled[-_MOST_SENTENCES:]]


def has_room(gap: Gap, column_ms: int) -> bool:
    """Whether the cause and its length stand on the gap, in columns of so long."""
    return (gap.to_ms - gap.from_ms) // column_ms >= len(plates(gap)[0]) + 2


def plates(gap: Gap) -> tuple[str, ...]:
    """What a gap is labelled with, the longest first."""
    return f" {gap.why}, {gap.length} ", f" {gap.why} "
