"""The `strapline` command: its tree, its version, and how every error reaches a person."""

from __future__ import annotations

import io
import logging
import sys
from typing import IO, Annotated, Protocol, runtime_checkable

import typer
from typer.exceptions import TyperException

from strapline import __version__
from strapline.commands import bridge, server
from strapline.commands.demo import demo
from strapline.commands.up import up
from strapline.commands.verify import verify
from strapline.commands.watch import watch
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
app.command("watch")(watch)
app.command("verify")(verify)
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
        status = app(prog_name="strapline", standalone_mode=False)
    except TyperException as error:
        sys.exit(_explain_misuse(error))
    except typer.Abort:
        sys.exit(1)
    except StraplineError as error:
        from strapline.terminal import complain

        complain(str(error))
        _log.debug("where it came from:", exc_info=error)
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)


@runtime_checkable
class _Misuse(Protocol):
    """What a command line that cannot be understood is told with."""

    exit_code: int

    def show(self, file: IO[str] | None = None) -> None: ...


def _explain_misuse(error: TyperException) -> int:
    """Say it as every other error is said, with the usage before it; the status to leave with."""
    if not isinstance(error, _Misuse):
        raise error
    told = io.StringIO()
    error.show(told)
    usage, _, message = told.getvalue().rpartition("Error: ")
    if not usage:
        typer.echo(message, err=True, nl=False)  # The help, where no command was named.
        return error.exit_code
    from strapline.terminal import complain

    typer.echo(usage.rstrip("\n"), err=True)
    complain(message.rstrip("\n"))
    return error.exit_code
