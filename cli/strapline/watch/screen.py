"""What stands above and below the bands: header, time axis, sentences, the way, the keys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from strapline.watch.band import HEIGHT, Frame
from strapline.watch.ink import (
    Row,
    Tone,
    between,
    cells_of,
    clipped,
    cut,
    ends,
    fitted,
    width,
    wrapped,
)
from strapline.watch.link_state import Connection
from strapline.watch.person import Person
from strapline.watch.rate import rate_of
from strapline.watch.sheet import sheet_notes, sheet_of
from strapline.watch.standing import complete_through, standing_of, summary_of
from strapline.watch.way import way_of
from strapline.watch.words import clock_with_seconds

_MARGIN: Final = "  "
#: The line of a hop, which a narrow screen draws once.
_SHORTER: Final = re.compile(r"(─|═|╌)\1")
#: Header, its rule and the axis.
_ABOVE: Final = 3
#: The way and the keys.
_LEAST: Final = 2
#: Of sentences where there is little room, and what stands beside them where there is more.
_MOST_NOTES: Final = 4
_BESIDE_NOTES: Final = 5
#: More people than a screen shows at once; the others' gaps are told when they are chosen.
_MOST_TOLD_OF: Final = 12
_LEGEND: Final = (
    ("─", "live"),
    ("═", "filled in later"),
    ("╌", "time estimated"),
    ("░", "gap, with its cause"),
)


@dataclass(frozen=True, slots=True)
class View:
    """What a screen is drawn from.

    Attributes:
        people: in the order in which they are shown.
        focus: the user whose band is chosen; None where there is nobody.
        silence_ms: since the last word of the server.
        may_mark: the server takes marks of this viewer.
        notice: what came of the last key; empty after a few seconds.
        left_out: people for whom there was no seat.
    """

    people: Sequence[Person]
    connection: Connection
    now_ms: int
    silence_ms: int
    width: int
    height: int
    focus: str | None = None
    simulated: bool = False
    may_mark: bool = False
    notice: str = ""
    left_out: int = 0

    @property
    def frame(self) -> Frame:
        """What the bands share."""
        return Frame(self.now_ms, self.width, self.connection.stands)

    @property
    def focused(self) -> Person | None:
        """The chosen person."""
        return next((one for one in self.people if one.user == self.focus), None)


def header(view: View) -> list[Row]:
    """The mark, how many are live, the connection in words, the server's time; and a rule."""
    connected = view.connection.stands
    mark: Row = [(" ──", Tone.INK), ("●", Tone.NOW if connected else Tone.SECOND)]
    left: Row = [*mark, ("  Strapline", Tone.STRONG)]
    standing = standing_of(view.connection, view.people, view.now_ms).row
    time: Row = [(f"{clock_with_seconds(view.now_ms)} ", Tone.INK)]
    rights = [between([standing, time], (" " * gap, Tone.INK)) for gap in (8, 3)]
    candidates = [(words, right) for words in _summaries(view) for right in (*rights, standing)]
    candidates += [("", right) for right in rights]
    room = view.width - width(left) - 2
    words, right = next(
        (one for one in candidates if cells_of(one[0]) + 5 + width(one[1]) <= room), ("", standing)
    )
    said: Row = [("     ", Tone.INK), (words, Tone.SECOND)] if words else []
    return [ends([*left, *said], right, view.width), [("─" * view.width, Tone.FAINT)]]


def _summaries(view: View) -> list[str]:
    """How many are live, the fullest first; nothing where nobody may be shown."""
    if view.connection.ended:
        return []
    connected = view.connection.stands
    told = summary_of(view.people, view.now_ms, connected=connected)
    rates = [rate_of(one, view.now_ms, connected=connected).bpm for one in view.people]
    short = f"{sum(bpm is not None for bpm in rates)} of {len(rates)} live"
    # That hearts are not real is said before how many there are.
    if view.simulated:
        return [f"simulated   {told}", f"simulated   {short}", "simulated"]
    return [told, short]


def axis_row(view: View) -> Row:
    """``14:01`` under the trace, and ``now`` under its edge; empty where there is no trace."""
    axis = view.frame.axis
    if axis is None or not view.people:
        return [(" " * view.width, Tone.INK)]
    labels = f"{' ' * view.frame.trace_at}{axis.labels()}"
    now: Row = [("now", Tone.NOW if view.connection.stands else Tone.SECOND), (" ", Tone.INK)]
    return ends([(labels, Tone.SECOND)], now, view.width)


def bottom(view: View) -> list[Row]:
    """All of it where there is room below the bands; at least the way and the keys."""
    keys = footer(view)
    told = [[(f"{_MARGIN}{line}", Tone.INK)] for line in notes(view)]
    way = _way(view)
    blank: Row = [("", Tone.INK)]
    rule: Row = [("─" * view.width, Tone.FAINT)]
    legend = _legend(view)
    room = _room(view)
    variants: list[list[Row]] = [
        [legend, blank, *told, blank, way, blank, rule, keys],
        [legend, *told, way, rule, keys],
        [legend, *told, way, keys],
        *([*told[:some], way, keys] for some in range(len(told), 0, -1)),
    ]
    urgent = bool(view.notice) or view.connection.trouble is not None
    least = [told[0] if urgent and told else way, keys]
    chosen = next((one for one in variants if len(one) <= room), least)
    # The keys stand at the very bottom, whatever room is left above them.
    at = len(chosen) - (2 if rule in chosen else 1)
    chosen = [*chosen[:at], *[blank] * (room - len(chosen)), *chosen[at:]]
    return [fitted(row, view.width) for row in chosen]


def _room(view: View) -> int:
    """Rows below the axis, where the way and the keys are the least of what stands.

    Where bands scroll, those are added in which no whole band would stand.
    """
    within = view.height - _ABOVE
    room = within - HEIGHT * max(1, len(view.people))
    if room >= _LEAST:
        return room
    whole = (within - _LEAST) // HEIGHT
    return within - whole * HEIGHT if whole > 0 else _LEAST


def notes(view: View) -> list[str]:
    """Sentences: what came of a key, what is wrong here, gaps that have no room on the trace."""
    room = max(1, view.width - 2 * len(_MARGIN))
    told = [view.notice] if view.notice else []
    trouble = view.connection.trouble
    if trouble is not None and not view.connection.ended:
        told.append(f"{trouble.title}. {trouble.remedy}")
    axis = view.frame.axis
    column_ms = None if axis is None else axis.column_ms
    if view.left_out:
        told.append(f"{view.left_out} more people have no room on this screen.")
    # The chosen person's first, since there is not always room for all.
    chosen_first = sorted(view.people, key=lambda one: one.user != view.focus)
    for person in chosen_first[:_MOST_TOLD_OF]:
        said = sheet_notes(sheet_of(person, view.now_ms), column_ms)
        if said:
            told.append(f"{first_name(person, view.people)}: {' '.join(said)}")
    through = complete_through(view.people)
    most = max(_MOST_NOTES, _room(view) - _BESIDE_NOTES)
    lines = [line for sentence in told for line in wrapped(sentence, room)][:most]
    if through is not None and view.connection.stands:
        lines.append(cut(f"Everything up to {clock_with_seconds(through)} is here.", room))
    return lines


def first_name(person: Person, people: Sequence[Person]) -> str:
    """``Tomás``; the whole name where two have that first one."""
    words = person.name.split()
    if not words:
        return person.user
    same = sum(one.name.split()[:1] == words[:1] for one in people)
    return words[0] if same == 1 else person.name


def _way(view: View) -> Row:
    person = view.focused
    if person is None:
        return [("", Tone.INK)]
    way = way_of(person, view.connection, view.now_ms, view.silence_ms)
    head = f"{_MARGIN}{cut(first_name(person, view.people), 16)}: " if len(view.people) > 1 else ""
    short = [(_SHORTER.sub(r"\1", text), tone) for text, tone in way]
    for begin, row in ((head or _MARGIN, way), (_MARGIN, way), (_MARGIN, short)):
        told: Row = [(begin, Tone.SECOND), *row]
        if width(told) <= view.width:
            return told
    # The way itself has room before what waits on it.
    return clipped([(_MARGIN, Tone.SECOND), *short], view.width)


def _legend(view: View) -> Row:
    if view.frame.axis is None or not view.people:
        return [("", Tone.INK)]
    words = "   ".join(f"{sign} {meaning}" for sign, meaning in _LEGEND)
    return [(f"{_MARGIN}{cut(words, view.width - len(_MARGIN))}", Tone.SECOND)]


def footer(view: View) -> Row:
    """What each key does; the keys alone where there is no room for words."""
    keys = [("↑↓", "person"), ("⏎", "detail"), ("h", "history")]
    if view.may_mark:
        keys.append(("m", "mark"))
    keys += [("s", "sync now"), ("o", "order"), ("?", "keys")]
    return keys_row(keys, view.width)


def keys_row(keys: Sequence[tuple[str, str]], cells: int) -> Row:
    """Keys with their words, and the way out at the right."""
    out: Row = [("q", Tone.STRONG), (" quit ", Tone.SECOND)]
    row: Row = []
    for gap, with_words in (("   ", True), ("  ", True), ("  ", False)):
        row = [(_MARGIN, Tone.INK)]
        for key, word in keys:
            row += [(key, Tone.STRONG), (f" {word}{gap}" if with_words else gap, Tone.SECOND)]
        if width(row) + width(out) <= cells:
            break
    return ends(row, out, cells)


def in_the_middle(view: View) -> list[str]:
    """What is said where there is nobody to show."""
    connection = view.connection
    if connection.ended and connection.trouble is not None:
        return [f"{connection.trouble.title}.", connection.trouble.remedy]
    if not connection.stands:
        return ["Looking for the server."]
    return [
        "Nobody is shown yet.",
        "Who is granted to this link appears here by itself.",
    ]


def message_rows(lines: Sequence[str], cells: int) -> list[Row]:
    """Sentences in the midst of an empty screen: the first is the heading."""
    rows: list[Row] = [[("", Tone.INK)]]
    for at, line in enumerate(lines):
        tone = Tone.STRONG if at == 0 else Tone.INK
        rows += [[(f"{_MARGIN}{one}", tone)] for one in wrapped(line, max(1, cells - 4))]
    return rows


def key_help(*, may_mark: bool) -> list[tuple[str, str]]:
    """Every key, in words."""
    keys = [
        ("↑ ↓", "choose a person; k and j do the same"),
        ("⏎", "all of the chosen person: wearables, causes, a larger trace"),
        ("h", "the chosen person's history, by minute, hour or day"),
        ("s", "ask the bridges for what they still keep"),
        ("o", "order: by name, by rate, who is silent first"),
        ("? esc", "this page, and back"),
        ("q", "quit"),
    ]
    mark = ("m", "mark this moment for the chosen person")
    return [*keys[:3], mark, *keys[3:]] if may_mark else keys


def help_rows(cells: int, *, may_mark: bool) -> list[Row]:
    """The page of keys, and how the screen is read."""
    rows: list[Row] = [[("", Tone.INK)], [(f"{_MARGIN}Keys", Tone.STRONG)], [("", Tone.INK)]]
    for key, word in key_help(may_mark=may_mark):
        head = f"{_MARGIN}{key}{' ' * (8 - cells_of(key))}"
        rows.append([(head, Tone.STRONG), (cut(word, cells - cells_of(head)), Tone.INK)])
    rows += [[("", Tone.INK)], [(f"{_MARGIN}How to read it", Tone.STRONG)], [("", Tone.INK)]]
    for sentence in _READING:
        rows += [[(f"{_MARGIN}{one}", Tone.INK)] for one in wrapped(sentence, max(1, cells - 4))]
    return rows


_READING: Final = (
    (
        "Orange is the present. The line under a rate is what is left of its freshness: when it "
        "has run out, the rate is the past, and a dash stands in its place."
    ),
    (
        "Every column of the trace is the last reading measured in it. Nothing is drawn where "
        "nothing was measured: a gap is hatched, and says its cause."
    ),
    (
        "The line below the trace tells how readings came in: single at once, double later, "
        "dashed where their time is an estimate."
    ),
)
