"""A rate in large figures of box-drawing characters: three places, three rows."""

from __future__ import annotations

from typing import Final

PLACES: Final = 3
WIDTH: Final = 9
ROWS: Final = 3
_BLANK: Final = ("   ",) * ROWS
_FIGURES: Final = {
    "0": ("╭─╮", "│ │", "╰─╯"),
    "1": ("╶╮ ", " │ ", "╶┴╴"),
    "2": ("╶─╮", "╭─╯", "╰─╴"),
    "3": ("╶─╮", "╶─┤", "╶─╯"),
    "4": ("╷ ╷", "╰─┤", "  ╵"),
    "5": ("╭─╴", "╰─╮", "╶─╯"),
    "6": ("╭─╴", "├─╮", "╰─╯"),
    "7": ("╶─╮", "  │", "  ╵"),
    "8": ("╭─╮", "├─┤", "╰─╯"),
    "9": ("╭─╮", "╰─┤", "╶─╯"),
}
#: What stands where there is no rate now.
DASH: Final = (" " * WIDTH, "  ╶───╴  ", " " * WIDTH)


def figures(bpm: int | None) -> tuple[str, ...]:
    """The rows of a rate, right-aligned in three places; the dash for None."""
    if bpm is None:
        return DASH
    text = f"{min(max(bpm, 0), 999):>{PLACES}}"
    places = [_FIGURES.get(character, _BLANK) for character in text]
    return tuple("".join(place[row] for place in places) for row in range(ROWS))
