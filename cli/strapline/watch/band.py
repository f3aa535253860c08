"""One person's band: the rate in large figures, what is to be said of it, and the trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from strapline.watch import digits
from strapline.watch.causes import Because
from strapline.watch.ink import Row, Tone, cells_of, cut, ends, fitted, wrapped
from strapline.watch.person import Person, battery_of, day_of, session_of, steps_of
from strapline.watch.rate import (
    Freshness,
    Rate,
    because_none,
    rate_of,
    trend_of,
    trend_words,
)
from strapline.watch.sheet import sheet_of
from strapline.watch.trace import TICK, Axis, Levels, levels_for, now_row, trace_rows
from strapline.watch.words import ago, clock, duration

#: Rows of a band: title, three of figures, strap, and the rule below.
HEIGHT: Final = 6
_ROWS: Final = digits.ROWS
_LEFT: Final = 2
_GAP: Final = 2
_NOTES: Final = 21
_NARROW_NOTES: Final = 19
#: A level of three places, and a blank.
_LABELS: Final = 4
#: The trace ends at the line of now, and one blank keeps that off the edge.
_EDGE: Final = 2
_LEAST_TRACE: Final = 12
_WIDE: Final = 72
_STRAP: Final = "━"
STRAP_GONE: Final = "╌"


@dataclass(frozen=True, slots=True)
class Frame:
    """What all bands share.

    Attributes:
        now_ms: by the server's clock.
        width: of the screen, in cells.
        connected: this screen hears the server.
    """

    now_ms: int
    width: int
    connected: bool

    @property
    def notes(self) -> int:
        """Cells between the figures and the trace."""
        return _NOTES if self.width >= _WIDE else _NARROW_NOTES

    @property
    def trace_at(self) -> int:
        """Where the trace begins."""
        return _LEFT + digits.WIDTH + _GAP + self.notes + _LABELS

    @property
    def axis(self) -> Axis | None:
        """The columns of the trace; None where there is no room for one."""
        columns = self.width - self.trace_at - _EDGE
        return Axis(self.now_ms, columns) if columns >= _LEAST_TRACE else None


@dataclass(frozen=True, slots=True)
class Band:
    """A band's rows, and the levels that its trace keeps for the next time."""

    rows: list[Row]
    levels: Levels | None


def band(person: Person, frame: Frame, before: Levels | None, *, focused: bool, last: bool) -> Band:
    """Six rows of ``frame.width`` cells."""
    rate = rate_of(person, frame.now_ms, connected=frame.connected)
    axis = frame.axis
    notes = _notes(person, rate, frame)
    figures = digits.figures(rate.bpm)
    bar: Row = [("▌ " if focused else "  ", Tone.STRONG)]
    left = [
        [*bar, *_figures(figures[row], rate), (" " * _GAP, Tone.INK), *_note(notes[row], frame)]
        for row in range(_ROWS)
    ]
    left.append([*bar, *strap(rate), (" " * _GAP, Tone.INK), *_note(notes[_ROWS], frame)])
    title = _title(person, frame, bar)
    if axis is None:
        rows = [fitted(row, frame.width) for row in [title, *left]]
        return Band([*rows, _rule(frame.width, None, last=last)], before)
    right, levels = _traced(person, rate, axis, before)
    edge = Tone.NOW if rate.bpm is not None else Tone.SECOND
    rows = [_with_edge(title, frame.width, ("│" if rate.bpm is not None else TICK), edge)]
    rows += [[*one, *other, (" ", Tone.INK)] for one, other in zip(left, right, strict=True)]
    return Band([*rows, _rule(frame.width, edge, last=last)], levels)


def _figures(text: str, rate: Rate) -> Row:
    """An ageing value is fainter, and so is the dash."""
    return [(text, Tone.STRONG if rate.freshness is Freshness.FRESH else Tone.SECOND)]


def _note(note: Row, frame: Frame) -> Row:
    return fitted(note, frame.notes)


def _title(person: Person, frame: Frame, bar: Row) -> Row:
    """Name and session; steps and battery at the right, as far as there is room."""
    room = frame.width - _LEFT - _EDGE - 2
    told = [
        steps_of(person, frame.now_ms),
        battery_of(person, frame.now_ms, connected=frame.connected),
    ]
    told = [words for words in told if words]
    name = person.name or person.user
    while told and cells_of(name) + 2 + cells_of("   ".join(told)) > room:
        told.pop()
    right = "   ".join(told)
    name = cut(name, room)
    session = session_of(person, frame.now_ms)
    left_room = room - cells_of(name) - cells_of(right) - 4
    row: Row = [*bar, (name, Tone.STRONG)]
    if session and left_room >= _LEAST_TRACE:
        row.append((f"  {cut(session, left_room)}", Tone.SECOND))
    return ends(row, [(right, Tone.INK)], frame.width - _EDGE - 1)


def _notes(person: Person, rate: Rate, frame: Frame) -> list[Row]:
    """Three rows beside the figures, and the one beside the strap."""
    if rate.bpm is not None:
        trend = trend_of(person.line)
        over = day_of(person, frame.now_ms)
        late = rate.freshness is Freshness.AGEING
        return [
            [] if trend is None else [(trend_words(trend), Tone.INK)],
            [] if over is None else [(over[0], Tone.SECOND)],
            [] if over is None else [(over[1], Tone.SECOND)],
            [(ago(rate.age_ms), Tone.STRONG if late else Tone.INK)],
        ]
    because = because_none(person, rate, frame.now_ms)
    was = "Not measured yet" if rate.was is None else f"{rate.was.bpm} at {clock(rate.was.at_ms)}"
    told = [] if because is None else _cause(because, rate, frame)
    rows: list[Row] = [[(line, Tone.INK)] for line in told]
    return [[(was, Tone.STRONG)], *rows, *[[]] * (_ROWS - len(rows))]


def _cause(because: Because, rate: Rate, frame: Frame) -> list[str]:
    """In at most three lines, a blank off the trace; the last says for how long."""
    so_long = _so_long(because, rate, frame)
    lines = wrapped(str(because.why), frame.notes - 1)
    return [*lines[:2], *([so_long] if so_long else [])]


def _so_long(because: Because, rate: Rate, frame: Frame) -> str:
    since_ms = because.since_ms
    if since_ms is None and rate.was is not None:
        since_ms = rate.was.at_ms
    return "" if since_ms is None else f"for {duration(frame.now_ms - since_ms)}"


def strap(rate: Rate, cells: int = digits.WIDTH) -> Row:
    """What is left of a value's freshness; dashed where nothing is."""
    if rate.bpm is None:
        return [(STRAP_GONE * cells, Tone.FAINT)]
    left = min(cells, max(0, -int(-rate.left * cells // 1)))
    return [(_STRAP * left, Tone.NOW), (STRAP_GONE * (cells - left), Tone.FAINT)]


def _traced(
    person: Person, rate: Rate, axis: Axis, before: Levels | None
) -> tuple[list[Row], Levels | None]:
    """Labels, trace and the line of now; the ledger in the last row."""
    sheet = sheet_of(person, axis.now_ms)
    levels = levels_for(sheet.bounds, _ROWS, before)
    live = now_row(None if rate.bpm is None else float(rate.bpm), levels, _ROWS)
    rows: list[Row] = []
    for at, traced in enumerate(trace_rows(sheet, axis, levels, _ROWS)):
        has_label = levels is not None and at < _ROWS and sheet.bounds is not None
        label = levels.label(at, _ROWS) if levels is not None and has_label else ""
        edge = "●" if at == live else "│" if rate.bpm is not None else TICK
        tone = Tone.NOW if rate.bpm is not None else Tone.SECOND
        rows.append([(f"{label:<{_LABELS}}", Tone.SECOND), *traced, (edge, tone)])
    return rows, levels


def _with_edge(title: Row, cells: int, edge: str, tone: Tone) -> Row:
    return [*fitted(title, cells - _EDGE), (edge, tone), (" ", Tone.INK)]


def _rule(cells: int, now: Tone | None, *, last: bool) -> Row:
    if now is None:
        return [("─" * cells, Tone.FAINT)]
    crossing = "┴" if last else "┼"
    return [("─" * (cells - _EDGE), Tone.FAINT), (crossing, now), ("─", Tone.FAINT)]


def missing_words(person: Person, frame: Frame) -> str:
    """``72 at 14:03, strap out of range for 2 min 32 s``; empty where there is a rate."""
    rate = rate_of(person, frame.now_ms, connected=frame.connected)
    if rate.bpm is not None:
        return ""
    words = "not measured yet" if rate.was is None else f"{rate.was.bpm} at {clock(rate.was.at_ms)}"
    because = because_none(person, rate, frame.now_ms)
    if because is None:
        return words
    return f"{words}, {because.why} {_so_long(because, rate, frame)}".rstrip()
