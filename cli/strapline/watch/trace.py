"""The trace in characters: an area of block elements, gaps hatched, and the ledger below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from strapline.watch.ink import Row, Tone, joined
from strapline.watch.sheet import SHEET_MS, Drawn, Gap, Kind, Sheet, plates
from strapline.watch.words import clock

_EIGHTHS: Final = "▁▂▃▄▅▆▇█"
_STEPS: Final = (10, 20, 30, 40, 60, 80)
#: Of a trace that is high enough to be read so finely.
_FINE_STEPS: Final = (2, 5, *_STEPS)
_HIGH: Final = 6
#: A reading takes about so long to be here: a column begins once there can be one in it.
_LAG_MS: Final = 2_000
_LEDGER: Final = {Kind.LIVE: "─", Kind.BACK: "═", Kind.ESTIMATED: "╌"}
_MINUTE_MS: Final = 60_000
HATCH: Final = "░"
TICK: Final = "╎"


@dataclass(frozen=True, slots=True)
class Axis:
    """The columns that all people share.

    A column stands for whole ``column_ms`` since 1970, so that the trace moves by a column at a
    time, and nothing on it changes its shape while it moves.
    """

    now_ms: int
    columns: int
    span_ms: int = SHEET_MS

    @property
    def column_ms(self) -> int:
        return -(-self.span_ms // self.columns)

    @property
    def from_ms(self) -> int:
        end = (self.now_ms - _LAG_MS) // self.column_ms + 1
        return (end - self.columns) * self.column_ms

    def column(self, at_ms: int) -> int:
        """Where a moment stands; outside of the columns where it is not on the sheet."""
        return (at_ms - self.from_ms) // self.column_ms

    def labels(self) -> str:
        """``14:01`` under each whole minute but the last seconds, which are ``now``."""
        row = [" "] * self.columns
        first_ms = -(-self.from_ms // _MINUTE_MS) * _MINUTE_MS
        end = -1
        for at_ms in range(first_ms, self.now_ms, _MINUTE_MS):
            label = clock(at_ms)
            start = self.column(at_ms) - len(label) // 2
            if start > end and start >= 0 and start + len(label) < self.columns - len("now"):
                row[start : start + len(label)] = label
                end = start + len(label)
        return "".join(row)


@dataclass(frozen=True, slots=True)
class Levels:
    """The bottom of the scale and how much a row of characters stands for, bpm."""

    base: int
    step: int

    def label(self, row: int, rows: int) -> str:
        """The level at the bottom of a row; row 0 is the highest."""
        return str(self.base + (rows - 1 - row) * self.step)

    def eighths(self, bpm: float, rows: int) -> int:
        """How high a value stands; what was measured is never nothing."""
        return min(max(1, round((bpm - self.base) * 8 / self.step)), rows * 8)


def levels_for(
    bounds: tuple[float, float] | None,
    rows: int,
    before: Levels | None = None,
    steps: Sequence[int] | None = None,
) -> Levels | None:
    """Round levels around what is drawn. Those of before stay while all fits and none finer would.

    A sheet that moves up and down cannot be read. ``steps`` are those to choose from, finest first.
    """
    if bounds is None:
        return before
    least, most = bounds
    for step in steps or (_FINE_STEPS if rows >= _HIGH else _STEPS):
        base = int(least // step) * step
        if most <= base + rows * step:
            break
    else:
        base, step = 0, -(-int(most) // rows)
    if before is None or before.step != step:
        return Levels(base, step)
    still = before.base <= least and most <= before.base + rows * step
    return before if still else Levels(base, step)


def column_values(sheet: Sheet, axis: Axis) -> list[Drawn | None]:
    """The last reading in each column, or, within a run, the one before it.

    A value that was measured, never a mean of several.
    """
    found: list[Drawn | None] = [None] * axis.columns
    for run in sheet.runs:
        before: Drawn | None = None
        at = 0
        for point in run:
            column = axis.column(point.at_ms)
            for between in range(at + 1, column):
                if before is not None and 0 <= between < axis.columns:
                    found[between] = before
            if 0 <= column < axis.columns:
                found[column] = point
            before, at = point, column
    return found


def _in_gaps(sheet: Sheet, axis: Axis, values: Sequence[Drawn | None]) -> list[tuple[Gap, range]]:
    """The empty columns that each gap covers."""
    found = []
    for gap in sheet.gaps:
        first, last = axis.column(gap.from_ms), axis.column(gap.to_ms)
        covered = [
            column
            for column in range(max(0, first), min(axis.columns - 1, last) + 1)
            if values[column] is None
        ]
        if covered:
            found.append((gap, range(covered[0], covered[-1] + 1)))
    return found


def trace_rows(sheet: Sheet, axis: Axis, levels: Levels | None, rows: int) -> list[Row]:
    """``rows`` rows of the area and one of the ledger, each ``axis.columns`` wide."""
    values = column_values(sheet, axis)
    gaps = _in_gaps(sheet, axis, values)
    grid = [[(" ", Tone.INK)] * axis.columns for _ in range(rows)]
    for column, drawn in enumerate(values):
        if drawn is None or levels is None:
            continue
        tone = Tone.INK if drawn.kind is Kind.LIVE else Tone.SECOND
        height = levels.eighths(drawn.bpm, rows)
        for row in range(rows):
            here = min(8, height - (rows - 1 - row) * 8)
            if here > 0:
                grid[row][column] = (_EIGHTHS[here - 1], tone)
    for gap, columns in gaps:
        for cells in grid:
            for column in columns:
                cells[column] = (HATCH, Tone.FAINT)
        plate = next((text for text in plates(gap) if len(text) + 2 <= len(columns)), "")
        start = columns.start + (len(columns) - len(plate)) // 2
        for offset, character in enumerate(plate):
            grid[rows // 2][start + offset] = (character, Tone.STRONG)
    return [joined(row) for row in [*grid, _ledger(values, gaps, sheet, axis)]]


def _ledger(
    values: Sequence[Drawn | None],
    gaps: Sequence[tuple[Gap, range]],
    sheet: Sheet,
    axis: Axis,
) -> Row:
    """How each column came in; a gap is open, with ticks at its ends."""
    row: Row = [
        (" ", Tone.INK) if drawn is None else (_LEDGER[drawn.kind], Tone.SECOND) for drawn in values
    ]
    for gap in sheet.gaps:
        # Too short for a column of its own, it is a break all the same.
        column = axis.column(gap.from_ms)
        if 0 <= column < axis.columns:
            row[column] = (TICK, Tone.SECOND)
    for _, columns in gaps:
        for column in {columns.start, columns.stop - 1}:
            row[column] = (TICK, Tone.SECOND)
        if columns.start > 0 and row[columns.start - 1][0] == TICK:
            drawn = values[columns.start - 1]
            row[columns.start - 1] = (_LEDGER[drawn.kind] if drawn else " ", Tone.SECOND)
    return row


def now_row(bpm: float | None, levels: Levels | None, rows: int) -> int | None:
    """The row in which the live edge stands; None where nothing is the present."""
    if bpm is None or levels is None:
        return None
    return rows - 1 - (levels.eighths(bpm, rows) - 1) // 8
