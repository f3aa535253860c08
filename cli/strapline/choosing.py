"""Asks a person at a terminal which of the straps near to use, and who wears each."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.text import Text

from strapline.errors import CommandError
from strapline.names import cleaned
from strapline.near import Near, shown_name, table
from strapline.picture import Picture, told_of_resizes
from strapline.terminal import indented, title
from strapline_bridge.radio import RadioBackend
from strapline_bridge.radio.scan import Sighting, scan
from strapline_protocol.errors import StraplineError

_ERASE: Final = frozenset("\x7f\b")
_ENTER: Final = frozenset("\r\n")
_END_OF_INPUT: Final = "\x04"
_LONGEST_ANSWER: Final = 40
_MOST_NEWS: Final = 256

#: A device heard, a key pressed, or why the scan ended.
News = Sighting | str | StraplineError


@dataclass(frozen=True, slots=True)
class Choice:
    """One strap and who wears it."""

    address: str
    person: str


class Picking:
    """A person's way to a choice: what is near, what was typed, what was wrong with it."""

    def __init__(self) -> None:
        self.near = Near()
        self.typed = ""
        self.complaint = ""

    def take(self, news: News) -> list[Sighting]:
        """Take one piece of news; the straps chosen, once they are.

        Raises:
            StraplineError: the scan's own.
            CommandError: the person ended the input.
        """
        if isinstance(news, StraplineError):
            raise news
        if isinstance(news, Sighting):
            self.near.heard(news)
        elif news in _ENTER:
            picked, self.complaint = self.near.numbered(self.typed)
            self.typed = ""
            return picked
        elif news in _ERASE:
            self.typed = self.typed[:-1]
        elif news == _END_OF_INPUT:
            raise CommandError(
                "No strap was chosen. Start again, or name one with --device and --user."
            )
        elif news.isprintable() and len(self.typed) < _LONGEST_ANSWER:
            self.typed, self.complaint = self.typed + news, ""
        return []

    def screen(self) -> RenderableType:
        """What the person sees."""
        parts: list[RenderableType] = []
        if self.near.straps:
            parts.append(table(self.near))
        else:
            parts.append(
                indented(
                    Text(
                        "Nothing heard yet. Put the strap on, moistened, and close other apps "
                        "that use it: one that nobody wears, or that is taken, does not call.",
                        style="second",
                    )
                )
            )
        if self.near.others:
            noun = "device" if self.near.others == 1 else "devices"
            told = f"\nand {self.near.others} other {noun} that measure nothing known here"
            parts.append(indented(Text(told, style="second")))
        hint = self.complaint or "a number, or several as 1 3, then Enter"
        parts.append(Text.assemble("\n  Which?  ", (self.typed, "name"), "▁   ", (hint, "second")))
        return Group(*parts)


async def choose(console: Console, backend: RadioBackend) -> list[Choice]:
    """Show what is near until a person has named straps; then ask whose each is.

    Raises:
        RadioError: Bluetooth cannot be used; NoAdapterError where there is none.
        CommandError: the input ended.
    """
    picked = await _pick(console, backend)
    console.print()
    choices = [Choice(seen.address, await _ask_wearer(console, seen)) for seen in picked]
    console.print()
    return choices


async def _pick(console: Console, backend: RadioBackend) -> list[Sighting]:
    news: asyncio.Queue[News] = asyncio.Queue(_MOST_NEWS)
    picking = Picking()
    scanning = asyncio.create_task(_report(backend, news))

    def above() -> None:
        console.print(title("Which straps are yours?"))
        console.print()

    def redraw() -> None:
        picture.draw(picking.screen())

    try:
        with _keys(news), Picture(console, above) as picture, told_of_resizes(redraw):
            redraw()
            while not (picked := picking.take(await news.get())):
                redraw()
    finally:
        scanning.cancel()
        await asyncio.wait([scanning])
    return picked


async def _report(backend: RadioBackend, news: asyncio.Queue[News]) -> None:
    try:
        async with aclosing(scan(backend)) as sightings:
            async for seen in sightings:
                await news.put(seen)
    except StraplineError as error:
        await news.put(error)


@contextmanager
def _keys(news: asyncio.Queue[News]) -> Iterator[None]:
    """Put each key into the queue as it is pressed; Ctrl-C stays a signal."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    loop = asyncio.get_running_loop()

    def pressed() -> None:
        typed = os.read(terminal, 64).decode(errors="ignore") or _END_OF_INPUT
        # An arrow key comes as several characters, none of which means anything here.
        for key in "" if typed.startswith("\x1b") else typed:
            if not news.full():
                news.put_nowait(key)

    tty.setcbreak(terminal)
    loop.add_reader(terminal, pressed)
    try:
        yield
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


async def _ask_wearer(console: Console, seen: Sighting) -> str:
    question = Text.assemble("  Who wears ", (shown_name(seen), "name"), "?  ")
    while True:
        answer = await _ask(console, question)
        try:
            return cleaned(answer)
        except CommandError:
            console.print(Text("  A name, please, such as Maren Holt.", style="second"))


async def _ask(console: Console, question: Text) -> str:
    """One line from the terminal, without stopping the loop meanwhile."""
    console.print(question, end="")
    terminal = sys.stdin.fileno()
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(terminal, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(terminal)
    line = os.read(terminal, 4_096)
    if not line:
        raise CommandError("The input ended before every strap had a wearer. Start again.")
    return line.decode(errors="replace")
