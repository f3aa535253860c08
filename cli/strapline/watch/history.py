"""A person's past by minute, hour or day: a mean over its lowest to highest, a column a stretch."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import ceil
from typing import Final

from strapline.watch.days import Days
from strapline.watch.ink import Row, Tone, ends, fitted, joined
from strapline.watch.missing import Missing, missing_sum
from strapline.watch.person import Person
from strapline.watch.screen import View, keys_row
from strapline.watch.trace import HATCH, Levels, levels_for
from strapline.watch.words import clock, clock_with_seconds, count, day, duration
from strapline_protocol.asking import HistoryPage, Resolution

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_DAY_MS: Final = 24 * _HOUR_MS
_LABELS: Final = 6
_LEAST_ROWS: Final = 3
#: Of a history every column has its range, so that finer levels than a trace's are read.
_STEPS: Final = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30, 40, 60, 80)
_FINE: Final = 2
_SPARSE: Final = 5
_MEAN: Final = "━"
_RANGE: Final = "│"
_KEYS: Final = (("esc", "back"), ("←→", "earlier, later"), ("↑↓", "longer, shorter"), ("n", "now"))


@dataclass(frozen=True, slots=True)
class Span:
    """How long a stretch is looked at, and how finely."""

    name: str
    length_ms: int
    resolution: Resolution
    step_ms: int

    @property
    def steps(self) -> int:
        return self.length_ms // self.step_ms


SPANS: Final = (
    Span("15 minutes", 15 * _MINUTE_MS, Resolution.MINUTE, _MINUTE_MS),
    Span("an hour", _HOUR_MS, Resolution.MINUTE, _MINUTE_MS),
    Span("6 hours", 6 * _HOUR_MS, Resolution.MINUTE, _MINUTE_MS),
    Span("a day", _DAY_MS, Resolution.HOUR, _HOUR_MS),
    Span("a week", 7 * _DAY_MS, Resolution.HOUR, _HOUR_MS),
    Span("30 days", 30 * _DAY_MS, Resolution.DAY, _DAY_MS),
)
FIRST_SPAN: Final = 1


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was measured from ``from_ms`` on, for the span's step; bpm."""

    from_ms: int
    count: int
    average: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Choice:
    """Which span is looked at, and when it ends; None means that it ends now and moves on."""

    span: int = FIRST_SPAN
    to_ms: int | None = None

    @property
    def chosen(self) -> Span:
        return SPANS[self.span]

    def range(self, now_ms: int) -> tuple[int, int]:
        """From and to, to be asked for: on whole steps, or wide enough for days of any zone."""
        end_ms, step_ms = self._end_ms(now_ms), self.chosen.step_ms
        if self.chosen.resolution is Resolution.DAY:
            # The first of them may have begun nearly a day earlier, and be an hour longer.
            return max(0, end_ms - self.chosen.length_ms - step_ms), end_ms
        to_ms = -(-end_ms // step_ms) * step_ms
        return to_ms - self.chosen.length_ms, to_ms

    def begins(self, now_ms: int, days: Days) -> list[int]:
        """When each step of it begins, and when the last one ends; its days are these."""
        if self.chosen.resolution is Resolution.DAY:
            return days.up_to(self._end_ms(now_ms) - 1, self.chosen.steps)
        from_ms, _ = self.range(now_ms)
        return [from_ms + step * self.chosen.step_ms for step in range(self.chosen.steps + 1)]

    def _end_ms(self, now_ms: int) -> int:
        return now_ms if self.to_ms is None else self.to_ms

    def moved(self, by: int, now_ms: int) -> Choice:
        """Earlier or later by half of the span; not later than now."""
        to_ms = (now_ms if self.to_ms is None else self.to_ms) + by * self.chosen.length_ms // 2
        return Choice(self.span, None if to_ms >= now_ms else max(to_ms, self.chosen.length_ms))

    def spanned(self, by: int) -> Choice:
        """A longer or a shorter span with the same end."""
        return Choice(min(max(self.span + by, 0), len(SPANS) - 1), self.to_ms)


@dataclass(frozen=True, slots=True)
class Past:
    """What was answered, and when by the server's clock. ``words`` instead, where it was not."""

    stretches: Sequence[Stretch] = field(default=())
    zone: str | None = None
    words: str = ""
    read_ms: int = 0
    missing: Missing = field(default_factory=Missing)


def stretches_of(pages: Sequence[HistoryPage]) -> list[Stretch]:
    """Of the pages of one answer, in order of time."""
    found: list[Stretch] = []
    for page in pages:
        for one in page.stretches:
            columns = zip(
                accumulate(one.at_ms),
                one.count,
                one.average or (),
                one.min or (),
                one.max or (),
                strict=False,
            )
            found += [Stretch(*column) for column in columns]
    return sorted(found, key=lambda stretch: stretch.from_ms)


def binned(stretches: Sequence[Stretch], edges: Sequence[int]) -> list[Stretch | None]:
    """One for each column: the mean of what it covers, over the lowest to highest of it.

    ``edges``: when each column begins, and when the last one ends.
    """
    bins: list[list[Stretch]] = [[] for _ in edges[1:]]
    for stretch in stretches:
        if edges[0] <= stretch.from_ms < edges[-1]:
            bins[bisect_right(edges, stretch.from_ms) - 1].append(stretch)
    return [_together(one) if one else None for one in bins]


def _together(stretches: Sequence[Stretch]) -> Stretch:
    number = sum(one.count for one in stretches)
    weighed = sum(one.average * one.count for one in stretches)
    return Stretch(
        stretches[0].from_ms,
        number,
        weighed / max(1, number),
        min(one.least for one in stretches),
        max(one.most for one in stretches),
    )


def history(person: Person, view: View, choice: Choice, past: Past) -> list[Row]:
    """As many rows as the screen has."""
    days = Days(past.zone)
    begins = choice.begins(view.now_ms, days)
    title: Row = [
        (f"  {person.name}", Tone.STRONG),
        (f"   {choice.chosen.name}, by {choice.chosen.resolution}", Tone.SECOND),
    ]
    span: Row = [(f"{_range(begins, choice, days)}  ", Tone.INK)]
    rule: Row = [("─" * view.width, Tone.FAINT)]
    rows = max(_LEAST_ROWS, view.height - 8)
    lost = missing_sum(past.missing, view.width - 4)
    within = [one for one in past.stretches if begins[0] <= one.from_ms < begins[-1]]
    shown = [
        ends(title, span, view.width),
        rule,
        *_chart(within, view, choice, begins, days, rows),
        [("", Tone.INK)],
        [(f"  {_sentence(within, past)}", Tone.INK)],
        *([[(f"  {lost}", Tone.INK)]] if lost else []),
        [(f"  {_how(view, choice, past)}", Tone.SECOND)],
    ]
    shown = shown[: view.height - 1]
    shown += [[("", Tone.INK)]] * (view.height - 1 - len(shown))
    return [*(fitted(row, view.width) for row in shown), keys_row(_KEYS, view.width)]


def _range(begins: Sequence[int], choice: Choice, days: Days) -> str:
    if choice.chosen.resolution is Resolution.DAY:
        return f"{days.name(begins[0])} to {days.name(begins[-2])}"
    return " to ".join(f"{day(at_ms)} {clock(at_ms)}" for at_ms in (begins[0], begins[-1]))


def _columns(view: View, choice: Choice) -> tuple[int, int]:
    """How many columns, and how many cells each takes: whole steps, so that none is cut."""
    room = max(1, view.width - _LABELS - 2)
    steps = choice.chosen.steps
    if steps <= room:
        return steps, max(1, room // steps)
    several = -(-steps // room)
    return -(-steps // several), 1


def _chart(
    within: Sequence[Stretch],
    view: View,
    choice: Choice,
    begins: Sequence[int],
    days: Days,
    rows: int,
) -> list[Row]:
    columns, cells = _columns(view, choice)
    several = -(-choice.chosen.steps // columns)
    edges = [*begins[:-1:several], begins[-1]]
    bins = binned(within, edges)
    levels = _levels(within, rows)
    passed = bisect_right(edges, view.now_ms) - 1
    drawn: list[Row] = []
    for row in range(rows):
        label = "" if levels is None else _label(levels, row, rows)
        pieces: Row = [(f"  {label:<{_LABELS - 2}}", Tone.SECOND)]
        for column, one in enumerate(bins):
            sign, tone = _cell(one, levels, row, rows, past=column < passed)
            pieces.append((_across(sign, cells), tone))
        drawn.append(joined(pieces))
    return [*drawn, _axis(edges, cells, choice, days)]


def _levels(within: Sequence[Stretch], rows: int) -> Levels | None:
    """The finest whole step that has room for all; what is left of the room is on both sides."""
    if not within:
        return None
    least, most = min(one.least for one in within), max(one.most for one in within)
    levels = levels_for((least, most), rows, steps=_STEPS)
    assert levels is not None
    spare = rows - max(1, ceil((most - levels.base) / levels.step))
    return Levels(max(0, levels.base - spare // 2 * levels.step), levels.step)


def _label(levels: Levels, row: int, rows: int) -> str:
    """A round level now and then: so many numbers would be read for readings."""
    every = levels.step * (_SPARSE if levels.step <= _FINE else 2)
    label = levels.label(row, rows)
    return "" if int(label) % every else label


def _across(sign: str, cells: int) -> str:
    """A column's sign over its cells: a mean is as long as its stretch, a range stands in it."""
    if sign == _RANGE:
        return sign.center(cells)
    if sign == _MEAN and cells > 2:
        return f"{sign * (cells - 1)} "
    return sign * cells


def _cell(
    one: Stretch | None, levels: Levels | None, row: int, rows: int, *, past: bool
) -> tuple[str, Tone]:
    if one is None or levels is None:
        return (HATCH, Tone.FAINT) if past else (" ", Tone.INK)

    def place(bpm: float) -> int:
        return rows - 1 - (levels.eighths(bpm, rows) - 1) // 8

    if row == place(one.average):
        return _MEAN, Tone.STRONG
    return (_RANGE, Tone.SECOND) if place(one.most) <= row <= place(one.least) else (" ", Tone.INK)


def _axis(edges: Sequence[int], cells: int, choice: Choice, days: Days) -> Row:
    """When a column begins, at each quarter."""
    columns = len(edges) - 1
    row = [" "] * columns * cells
    short = choice.chosen.length_ms <= _DAY_MS
    for quarter in range(4):
        column = columns * quarter // 4
        label = clock(edges[column]) if short else days.name(edges[column])
        start = column * cells
        if row[start] == " " and start + len(label) <= len(row):
            row[start : start + len(label)] = label
    return [(f"{' ' * _LABELS}{''.join(row)}", Tone.SECOND)]


def _sentence(within: Sequence[Stretch], past: Past) -> str:
    if past.words:
        return past.words
    if not within:
        return "Nothing was measured in this stretch."
    all_of_it = _together(within)
    zone = f" Days are those of {past.zone}." if past.zone else ""
    return (
        f"{count(all_of_it.count)} readings, average {round(all_of_it.average)}, "
        f"{round(all_of_it.least)} to {round(all_of_it.most)}.{zone}"
    )


def _how(view: View, choice: Choice, past: Past) -> str:
    columns, _ = _columns(view, choice)
    so_long = duration(choice.chosen.length_ms // columns)
    moment = f" Read at {clock_with_seconds(past.read_ms)}." if past.read_ms else ""
    return f"━ mean of {so_long}   │ lowest to highest   ░ nothing measured.{moment}"
