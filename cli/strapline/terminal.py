"""The two streams of the command, and how its words look on them."""

from __future__ import annotations

import sys
from typing import Final, TextIO

from rich.console import Console
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
    first, *rest = message.splitlines() or [""]
    console.print(Text.assemble((" error ", "fault"), " ", first), soft_wrap=True)
    for line in rest:
        console.print(Text(f"        {line}"), soft_wrap=True)


def title(*words: str) -> Text:
    """The mark and what this is, as on the page."""
    return Text.assemble(" ──", ("●", "now"), "  ", ("Strapline", "name"), "   ", "   ".join(words))
