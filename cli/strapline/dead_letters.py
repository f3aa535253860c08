"""`strapline bridge dead-letters`: what servers have refused, and what is to become of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from strapline.errors import CommandError
from strapline.reaching import Reached, carry_out
from strapline.terminal import make_console, say, title
from strapline_bridge.dead_letters import (
    HANDLE,
    LIST,
    Handled,
    HandleParams,
    Letter,
    LettersPage,
    LettersParams,
    handle,
    page_of,
)
from strapline_bridge.outbox import Outbox
from strapline_bridge.wearables import Wearables, WearablesFile
from strapline_protocol.codec import encode

_SHORT: Final = 8
_HEADINGS: Final = ("letter", "readings", "whose", "wearable", "metric", "taken, UTC", "run", "why")
#: Lines are searched where nobody looks: none is broken then.
_UNBROKEN: Final = 240


async def show(reached: Reached, stream: str | None, *, as_json: bool) -> None:
    """Print all of them, page by page.

    Raises:
        BridgeError, CommandError: they cannot be read.
    """
    letters: list[Letter] = []
    after: str | None = None
    while True:
        page = await _page(reached, LettersParams(after=after, stream=stream))
        letters += page.letters
        after = page.next
        if after is None:
            break
    if as_json:
        print(encode(LettersPage(letters=letters, readings=page.readings)).decode())
        return
    console = make_console()
    if not console.is_terminal:
        console = make_console(width=_UNBROKEN)
    tell(console, letters, WearablesFile(reached.config.state_dir).load())


async def _page(reached: Reached, params: LettersParams) -> LettersPage:
    async def read(outbox: Outbox) -> LettersPage:
        return await page_of(outbox, params)

    return await carry_out(reached, LIST, params, read)


def tell(console: Console, letters: Sequence[Letter], wearables: Wearables) -> None:
    """A line for each, and what can be done."""
    console.print(title("dead letters"))
    console.print()
    if not letters:
        say(console, Text("None: nothing that a server refused is kept here."))
        return
    console.print(_table(letters, wearables), soft_wrap=not console.is_terminal)
    console.print()
    readings = sum(letter.readings for letter in letters)
    say(console, Text(f"{_many(readings)} that the server refused.", "name"))
    say(
        console,
        Text.assemble(
            "Once the cause is mended, ",
            ("strapline bridge dead-letters resend --all", "command"),
            " sends them again; with ",
            ("discard", "command"),
            " in its place they are gone for good. Letters can be named in place of --all.",
        ),
    )


def _table(letters: Sequence[Letter], wearables: Wearables) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    for _ in _HEADINGS[:-1]:
        table.add_column(no_wrap=True)
    table.add_column()
    table.columns[0].justify = table.columns[1].justify = "right"
    table.add_row(
        *(Text(f"  {word}" if not at else word, "second") for at, word in enumerate(_HEADINGS))
    )
    for letter in letters:
        known = wearables.find(letter.device)
        table.add_row(
            Text(f"  {letter.id}"),
            f"{letter.readings:,}",
            Text(letter.user, "name"),
            Text(known.name if known else letter.device[:_SHORT]),
            Text(letter.metric, "second"),
            Text(_when(letter), "second"),
            Text(letter.stream[:_SHORT], "second"),
            Text(f"{letter.message} ({letter.code})" if letter.message else letter.code),
        )
    return table


async def settle(
    reached: Reached, ids: Sequence[str], stream: str | None, *, everything: bool, discard: bool
) -> None:
    """Send them again or throw them away, and say how many.

    Raises:
        BridgeError, CommandError: it cannot be done; nothing was, or what was is said.
    """
    if (ids and everything) or not (ids or everything or stream is not None):
        raise CommandError(
            "Which dead letters? Name some as `strapline bridge dead-letters` does, or a run with "
            "--stream, or give --all."
        )
    params = HandleParams(discard=discard, ids=list(ids), stream=stream)

    async def work(outbox: Outbox) -> Handled:
        return await handle(outbox, params)

    handled = await carry_out(reached, HANDLE, params, work)
    if not handled.readings:
        print("There was nothing to do: no dead letter is like that.")
    elif discard:
        print(
            f"{_many(handled.readings)} thrown away. The server is told that they were discarded."
        )
    else:
        print(
            f"{_many(handled.readings)} will be sent again. What is refused again comes back here."
        )


def _many(readings: int) -> str:
    return "1 reading" if readings == 1 else f"{readings:,} readings"


def _when(letter: Letter) -> str:
    first = datetime.fromtimestamp(letter.from_ms / 1_000, UTC)
    last = datetime.fromtimestamp(letter.to_ms / 1_000, UTC)
    told = f"{first:%Y-%m-%d %H:%M:%S}"
    if first.date() != last.date():
        return f"{told} to {last:%Y-%m-%d %H:%M:%S}"
    until = f"{last:%H:%M:%S}"
    return told if told.endswith(until) else f"{told} to {until}"
