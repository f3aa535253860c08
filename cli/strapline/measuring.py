"""What `strapline demo --headless` says: before, and of the account."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rich.table import Table
from rich.text import Text

from strapline.account import Account
from strapline.folder import DataFolder
from strapline.headless import measure
from strapline.joined import Place
from strapline.marker import mark
from strapline.terminal import make_console, title


async def measured(data: Path | None, port: int | None, seconds: float, *, talk: bool) -> Account:
    """A measured run in ``data``, or in a folder that is gone afterwards.

    Raises:
        CommandError: it could not be run.
    """
    with ExitStack() as stack:
        if data is None:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="strapline-")))
        folder = DataFolder(data)
        stack.enter_context(folder.held())
        # Any free port will do, since nobody else is to find it.
        place = Place(folder, port or 0, simulated=True)
        mark(folder, place.marker(place.port))
        if talk:
            console = make_console()
            console.print(title("Three simulated straps", f"measured for {seconds:g} s"))
            console.print()
        return await measure(place, seconds)


def report(account: Account, seconds: float, *, as_json: bool) -> None:
    """Print the account: one JSON object in one line, or a table for people."""
    if as_json:
        print(json.dumps(_as_json(account, seconds)), flush=True)
        return
    console = make_console()
    console.print(_as_table(account))
    console.print()
    console.print(_verdict(account))


def _as_json(account: Account, seconds: float) -> dict[str, object]:
    latency = account.latency
    return {
        "notified": account.notified,
        "stored": account.stored,
        "acknowledged": account.acknowledged,
        "delivered": account.delivered,
        "lost": account.lost,
        "doubled": account.doubled,
        "latency_ms": None if latency is None else {"p50": latency.p50, "p99": latency.p99},
        "read": account.read,
        "seconds": seconds,
    }


def _as_table(account: Account) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(width=16)
    table.add_column(justify="right", style="name", min_width=7)
    table.add_column(style="second")
    rows = (
        ("notified", account.notified, "counted inside the straps"),
        ("stored", account.stored, "committed in the bridge's outbox"),
        ("acknowledged", account.acknowledged, "after the server's own commit"),
        ("delivered", account.delivered, "to a viewer, over a socket, unchanged"),
        ("lost", account.lost, ""),
        ("doubled", account.doubled, ""),
    )
    for name, count, meaning in rows:
        table.add_row(f"  {name}", f"{count:,}", f"  {meaning}")
    if account.latency is not None:
        table.add_row("  latency", f"{account.latency.p50:.1f}", "  ms, median")
        table.add_row("", f"{account.latency.p99:.1f}", "  ms, 99 of 100 or less")
    return table


def _verdict(account: Account) -> Text:
    if account.holds:
        return Text.assemble(
            "  ", ("●", "now"), f" {account.notified:,} readings taken, and all of them are here."
        )
    if account.delivered == 0:
        return Text.assemble("  ", (" nothing came ", "fault"), " Start again with --debug.")
    parts = []
    if account.lost:
        parts.append(f"{account.lost:,} lost")
    if account.doubled:
        parts.append(f"{account.doubled:,} doubled")
    return Text.assemble("  ", (f" {', '.join(parts)} ", "fault"), " Start again with --debug.")
