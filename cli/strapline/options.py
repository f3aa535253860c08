"""Options that several commands share, and what they do when given."""

from __future__ import annotations

from pathlib import Path
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
Port = Annotated[
    int | None,
    typer.Option(
        "--port",
        metavar="PORT",
        min=0,
        max=65_535,
        help="Where to serve: 8420; 0 takes a free one.",
    ),
]
Lan = Annotated[
    bool,
    typer.Option(
        "--lan",
        help="Serve the network too: whoever in it has the link can read along, unencrypted.",
    ),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="FOLDER", help="Keep everything in this folder."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
