"""`strapline watch`: everyone whom a link shows, in a terminal."""

from __future__ import annotations

from typing import Annotated

import typer

from strapline.options import Data, Debug, Json


def watch(
    where: Annotated[
        str | None,
        typer.Argument(
            metavar="[URL|-]",
            help="The server's address; - asks for a link, or reads it from a pipe.",
            show_default=False,
        ),
    ] = None,
    *,
    token_file: Annotated[
        str | None,
        typer.Option(
            "--token-file", metavar="FILE", help="Holds the link, or the token for URL; - is stdin."
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Print how everyone is now, and leave.")
    ] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="A line for each change, in place of the screen.")
    ] = False,
    as_json: Json = False,
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Watch everyone live: rate, trace, age, status.

    Without an address it finds what runs on this machine. A token is never given on the command
    line, where every user of the machine can read it: paste the link when asked, or put it into
    a file or into STRAPLINE_TOKEN. Where no terminal is, it prints lines.
    """
    import logging

    from strapline import logs
    from strapline.running import run_until_stopped
    from strapline.watch.running import ReaderGone, Wish, run_watch
    from strapline.watch.target import target_of

    logs.set_up(logging.CRITICAL)
    target = target_of(where, token_file)
    wish = Wish(once=once, as_json=as_json, plain=plain)
    try:
        run_until_stopped(run_watch(target, data, wish))
    except ReaderGone:
        raise typer.Exit from None
