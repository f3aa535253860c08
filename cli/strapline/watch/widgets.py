"""Widgets of rows: only a row that has changed is drawn again."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from strapline.watch.band import HEIGHT
from strapline.watch.ink import Look, Row


class Rows(Widget):
    """Shows rows as they are."""

    DEFAULT_CSS = """
    Rows { height: auto; width: 1fr; }
    """

    def __init__(self, look: Look, *, id: str | None = None) -> None:  # noqa: A002  # textual's name
        super().__init__(id=id)
        self._look = look
        self._rows: list[Row] = []
        self._strips: list[Strip] = []

    @property
    def rows(self) -> Sequence[Row]:
        """What is shown."""
        return self._rows

    def show(self, rows: Sequence[Row]) -> None:
        """Show these in place of what was shown."""
        before, self._rows = self._rows, list(rows)
        strips = self._strips
        self._strips = [
            strips[at]
            if at < len(before) and before[at] == row
            else Strip(self._look.segments(row))
            for at, row in enumerate(self._rows)
        ]
        if len(before) != len(self._rows):
            self.refresh(layout=True)
            return
        changed = [at for at, strip in enumerate(self._strips) if strip is not strips[at]]
        if changed:
            width = self.size.width
            self.refresh(*(Region(0, at, width, 1) for at in changed))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._rows)

    def render_line(self, y: int) -> Strip:
        blank = Strip.blank(self.size.width, Style())
        if y >= len(self._strips):
            return blank
        return self._strips[y].adjust_cell_length(self.size.width, Style())


class BandRows(Rows):
    """One person's band; pressed, it is chosen. It takes its room before it is drawn."""

    DEFAULT_CSS = f"""
    BandRows {{ height: {HEIGHT}; }}
    """

    class Chosen(Message):
        """Somebody pressed on this person."""

        def __init__(self, user: str) -> None:
            super().__init__()
            self.user = user

    def __init__(self, look: Look, user: str) -> None:
        super().__init__(look)
        self.user = user

    def on_click(self) -> None:
        """Choose it."""
        self.post_message(self.Chosen(self.user))
