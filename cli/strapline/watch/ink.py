"""Rows of a screen as text with its tones, and how a tone looks on a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from rich.text import Text


class Tone(StrEnum):
    """What a piece of text is; never a colour."""

    INK = "ink"
    STRONG = "strong"
    SECOND = "second"
    FAINT = "faint"
    NOW = "now"
    PLATE = "plate"


Piece = tuple[str, Tone]
Row = list[Piece]

#: The terminal's own ground and ink, whatever they are. Orange is the present, nothing else.
_STYLES: Final = {
    Tone.INK: Style(),
    Tone.STRONG: Style(bold=True),
    Tone.SECOND: Style(dim=True),
    Tone.FAINT: Style(dim=True),
    Tone.NOW: Style(color="#E8651E"),
    Tone.PLATE: Style(reverse=True),
}
#: Of sixteen colours this is the nearest, and it is there on dark and on light ground.
_NOW_OF_SIXTEEN: Final = Style(color="yellow")
_NOW_WITHOUT_COLOUR: Final = Style(bold=True)

#: Controls, what changes directions or joins, half characters, ends of lines and paragraphs.
_STEERING: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

#: One character for one, so that nothing moves; for arrows and enter, keys that do the same.
_ASCII: Final = str.maketrans(
    {
        **dict.fromkeys("─━╶╴", "-"),
        **dict.fromkeys("│╷╵▌", "|"),
        **dict.fromkeys("╭╮┬", "."),
        **dict.fromkeys("╰╯", "'"),
        **dict.fromkeys("├┤┼┴", "+"),
        **dict.fromkeys("╌·", "."),
        **dict.fromkeys("▁▂", "_"),
        **dict.fromkeys("▃▄", "="),
        **dict.fromkeys("▅▆▇█■", "#"),
        "═": "=",
        "╎": ":",
        "░": "%",
        "●": "@",
        "◐": "@",
        "○": "o",
        "✓": "v",
        "↗": "/",
        "↘": "\\",
        "→": ">",
        "←": "<",
        "↑": "k",
        "↓": "j",
        "⏎": "d",
        "—": "-",
        "…": "~",
        "\u2019": "'",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """What the terminal can show.

    Attributes:
        ascii: it is not told in UTF-8.
        colours: how many; 0 where none are wished.
    """

    ascii: bool = False
    colours: int = 2**24

    def style(self, tone: Tone) -> Style:
        """How a tone looks."""
        if tone is not Tone.NOW or self.colours > 16:
            return _STYLES[tone]
        return _NOW_OF_SIXTEEN if self.colours else _NOW_WITHOUT_COLOUR

    def words(self, text: str) -> str:
        """The text in what the terminal knows; whatever would steer it is left out."""
        text = cleaned(text)
        if not self.ascii:
            return text
        # In as many cells, since the row was fitted before.
        return set_cell_size("".join(map(_ascii_of, text.translate(_ASCII))), cell_len(text))

    def segments(self, row: Row) -> list[Segment]:
        """As the terminal gets it."""
        return [Segment(self.words(text), self.style(tone)) for text, tone in row]

    def text(self, row: Row) -> Text:
        """As it is printed."""
        return Text.assemble(*((self.words(text), self.style(tone)) for text, tone in row))


def cleaned(text: str) -> str:
    """Without what would steer the terminal or takes no known room: a sign stands for each.

    Whatever is measured is measured like this, or a name is wider than its room.
    """
    if text.isprintable():
        return text
    return "".join("�" if unicodedata.category(one) in _STEERING else one for one in text)


def _ascii_of(one: str) -> str:
    """One character in as many cells, of ASCII alone."""
    if one.isascii():
        return one
    apart = unicodedata.normalize("NFKD", one)
    bare = "".join(part for part in apart if not unicodedata.combining(part))
    cells = cell_len(one)
    return bare if bare.isascii() and len(bare) == cells else "?" * cells


def plain(row: Row) -> str:
    """Its characters alone, without blanks at the end."""
    return "".join(text for text, _ in row).rstrip()


def width(row: Row) -> int:
    """In cells of the terminal."""
    return sum(cells_of(text) for text, _ in row)


def cells_of(text: str) -> int:
    """In cells of the terminal, as it will be drawn."""
    return cell_len(cleaned(text))


def cut(text: str, cells: int) -> str:
    """At most so many cells; what is left out shows as an ellipsis."""
    text = cleaned(text)
    if cell_len(text) <= cells:
        return text
    return set_cell_size(text, max(0, cells - 1)).rstrip() + "…" if cells > 0 else ""


def padded(text: str, cells: int) -> str:
    """Exactly so many cells."""
    return set_cell_size(cut(text, cells), cells)


def fitted(row: Row, cells: int) -> Row:
    """A row of exactly so many cells: cut, or filled with blanks."""
    fit: Row = []
    room = cells
    for text, tone in ((cleaned(text), tone) for text, tone in row):
        kept = text if cell_len(text) <= room else set_cell_size(text, room)
        fit.append((kept, tone))
        room -= cell_len(kept)
    return [*fit, (" " * room, Tone.INK)] if room else fit


def ends(left: Row, right: Row, cells: int) -> Row:
    """``left`` at the left end and ``right`` at the right one; the left is cut where both meet."""
    room = cells - width(right)
    return [*fitted(left, room), *right] if room > 0 else fitted(left, cells)


def joined(row: Sequence[Piece]) -> Row:
    """Neighbours of one tone as one piece."""
    pieces: Row = []
    for text, tone in row:
        if pieces and pieces[-1][1] is tone:
            pieces[-1] = (pieces[-1][0] + text, tone)
        else:
            pieces.append((text, tone))
    return pieces


def clipped(row: Row, cells: int) -> Row:
    """At most so many cells; what is left out shows as an ellipsis."""
    kept: Row = []
    for text, tone in row:
        room = cells - width(kept)
        if room <= 0:
            break
        kept.append((cut(text, room), tone))
    return kept


def between(rows: Iterable[Row], gap: Piece) -> Row:
    """Rows one after the other with a gap between them; empty ones are left out."""
    line: Row = []
    for row in rows:
        if row:
            line = [*line, gap, *row] if line else [*row]
    return line


def wrapped(words: str, cells: int) -> list[str]:
    """Lines of at most so many cells, broken between words."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and cells_of(longer) > cells:
            lines.append(word)
        else:
            lines[-1] = longer
    return [cut(line, cells) for line in lines]
