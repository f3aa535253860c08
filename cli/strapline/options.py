"""Options that several commands share, and what they do when given."""

from __future__ import annotations

from typing import Annotated

import typer


def _debug(wanted: bool) -> bool:
    if wanted:
        from strapline.logs import set_debug

        set_debug()
    return wanted


Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        callback=_debug,
        is_eager=True,
        help="Log everything, and show where an error came from.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
