"""The two streams of the command, and how its words look on them."""

from __future__ import annotations

import sys
from typing import Final, TextIO

from rich.console import Console
from rich.padding import Padding
from rich.text import Text
from rich.theme import Theme

#: Orange is the present, and nothing else; the rest is ink in three strengths.
_THEME: Final = Theme(
    {
        "now": "#E8651E",
        "name": "bold",
        "second": "dim",
        "fault": "reverse",
        "command": "bold",
    }
)


def make_console(
    *, stderr: bool = False, file: TextIO | None = None, width: int | None = None
) -> Console:
    """A console that is plain where nobody looks (no terminal) or wishes it (NO_COLOR)."""
    return Console(
        theme=_THEME,
        stderr=stderr,
        file=file,
        width=width,
        highlight=False,
        emoji=False,
        markup=False,
    )


def is_interactive() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def complain(message: str) -> None:
    """One error on stderr, with its remedy as it stands in the message."""
    console = make_console(stderr=True)
    head = Text.assemble((" error ", "fault"), " ")
    for line in message.splitlines() or [""]:
        say(console, Text(line), head)
        head = Text(" " * head.cell_len)


def remark(message: str) -> None:
    """One line on stderr that is no error; what is asked for goes on."""
    say(make_console(stderr=True), Text(message, style="second"), Text())


def say(console: Console, words: Text, head: Text | None = None) -> None:
    """Print words behind ``head``, two spaces by default.

    A terminal gets lines that are broken between words and stand under one another; anything
    else gets the line whole, so that it can be searched.
    """
    head = Text("  ") if head is None else head
    if not console.is_terminal:
        console.print(Text.assemble(head, words), soft_wrap=True)
        return
    room = max(console.width - head.cell_len, 1)
    for line in words.wrap(console, room) or [Text()]:
        console.print(Text.assemble(head, line), soft_wrap=True)
        head = Text(" " * head.cell_len)


def indented(words: Text, by: int = 2) -> Padding:
    """Words of a picture, every line of them this far from the left."""
    return Padding(words, (0, 0, 0, by), expand=False)


def title(*words: str) -> Text:
    """The mark and what this is, as on the page."""
    return Text.assemble(" ──", ("●", "now"), "  ", ("Strapline", "name"), "   ", "   ".join(words))
