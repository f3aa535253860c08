"""A part of the terminal that is drawn again and again, and survives a change of its size."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

from rich.console import Console, RenderableType
from rich.live import Live

_REDRAW_ON: Final = signal.SIGWINCH


class Picture:
    """What stands below ``above``.

    A terminal that changes its width breaks the lines on it anew, so that nobody knows any more
    how many rows a picture takes: everything is drawn again then, and no old row stays.

    Args:
        console: a terminal.
        above: prints what stands over the picture.
        transient: whether the picture goes at the end.
    """

    def __init__(
        self, console: Console, above: Callable[[], None], *, transient: bool = False
    ) -> None:
        self._console = console
        self._above = above
        self._transient = transient
        self._size = console.size
        self._live = self._make()

    def _make(self) -> Live:
        return Live(console=self._console, auto_refresh=False, transient=self._transient)

    def __enter__(self) -> Self:
        self._above()
        self._size = self._console.size
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def draw(self, shown: RenderableType) -> None:
        """Draw this in place of what was there."""
        if self._console.size != self._size:
            self._size = self._console.size
            self._live.stop()
            self._console.clear()
            self._above()
            self._live = self._make()
            self._live.start()
        self._live.update(shown, refresh=True)


@contextmanager
def told_of_resizes(tell: Callable[[], object]) -> Iterator[None]:
    """Call ``tell`` in the running loop whenever the terminal has changed its size."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(_REDRAW_ON, tell)
    try:
        yield
    finally:
        loop.remove_signal_handler(_REDRAW_ON)
