"""`strapline bridge dead-letters`: seen, sent again, thrown away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from strapline.options import Debug, Json

app = typer.Typer(invoke_without_command=True)

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="The bridge's configuration, /etc/strapline/bridge.toml."
    ),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="FOLDER", help="What `strapline up` keeps, instead."),
]
Stream = Annotated[
    str | None,
    typer.Option("--stream", metavar="RUN", help="Of this run alone; its first letters do."),
]
Letters = Annotated[
    list[str] | None, typer.Argument(metavar="LETTER…", help="As they are listed: 3/1201.")
]
All = Annotated[bool, typer.Option("--all", help="All of them.")]


@app.callback()
def dead_letters(
    context: typer.Context,
    *,
    stream: Stream = None,
    config: Config = None,
    data: Data = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show the readings that the server refused for good, and why.

    They are kept here until somebody decides: `resend` or `discard`.
    """
    if context.invoked_subcommand is not None:
        return
    import asyncio

    from strapline.dead_letters import show
    from strapline.reaching import find

    asyncio.run(show(find(config, data), stream, as_json=as_json))


@app.command("resend")
def resend(
    letters: Letters = None,
    *,
    everything: All = False,
    stream: Stream = None,
    config: Config = None,
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Send them to the server again, once the cause is mended."""
    import asyncio

    from strapline.dead_letters import settle
    from strapline.reaching import find

    work = settle(find(config, data), letters or [], stream, everything=everything, discard=False)
    asyncio.run(work)


@app.command("discard")
def discard(
    letters: Letters = None,
    *,
    everything: All = False,
    stream: Stream = None,
    config: Config = None,
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Throw them away for good. The server is told that they were discarded."""
    import asyncio

    from strapline.dead_letters import settle
    from strapline.reaching import find

    work = settle(find(config, data), letters or [], stream, everything=everything, discard=True)
    asyncio.run(work)
