"""The `strapline` command: its tree, its version, and how every error reaches a person."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from strapline import __version__
from strapline.commands import bridge, server
from strapline.commands.demo import demo
from strapline.commands.up import up
from strapline.options import Debug
from strapline_protocol.errors import StraplineError

_log = logging.getLogger(__name__)

app = typer.Typer(
    name="strapline",
    help="Carries what a wearable measures to the people who watch it, live, and loses nothing.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(up)
app.command("demo")(demo)
app.add_typer(bridge.app, name="bridge")
app.add_typer(server.app, name="server")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"strapline {__version__}")
        raise typer.Exit


@app.callback()
def everything(
    *,
    debug: Debug = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and leave."
        ),
    ] = False,
) -> None:
    """Options of the command as a whole, which their callbacks carry out."""


def main() -> None:
    """Run the command that was typed; errors of ours end in one message and status 1."""
    try:
        app(prog_name="strapline")
    except StraplineError as error:
        from strapline.terminal import complain

        complain(str(error))
        _log.debug("where it came from:", exc_info=error)
        sys.exit(1)
