"""`strapline up`: server and bridge on one machine, and the link to the dashboard."""

from __future__ import annotations

from typing import Annotated

import typer

from strapline.options import Data, Debug, Lan, Port


def up(
    *,
    device: Annotated[
        list[str] | None,
        typer.Option(
            "--device", metavar="NAME|ADDRESS", help="A strap; several by giving it again."
        ),
    ] = None,
    user: Annotated[
        list[str] | None,
        typer.Option("--user", metavar="NAME", help="Who wears the --device at the same place."),
    ] = None,
    choose: Annotated[
        bool, typer.Option("--choose", help="Ask again, although straps were chosen before.")
    ] = False,
    port: Port = None,
    lan: Lan = False,
    data: Data = None,
    adapter: Annotated[
        str | None, typer.Option("--adapter", metavar="hciN", help="Which Bluetooth adapter.")
    ] = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Straps that are not there; needs no Bluetooth.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Run server and bridge here and print the dashboard's link.

    At a terminal it lists the straps near, asks which and whose, and remembers.
    """
    import logging

    from strapline import logs
    from strapline.running import run_until_stopped
    from strapline.up import Wish, run_up

    logs.set_up(logging.WARNING)
    wish = Wish(
        data=data,
        port=port,
        lan=lan,
        simulate=simulate,
        adapter=adapter,
        devices=tuple(device or ()),
        users=tuple(user or ()),
        choose=choose,
    )
    run_until_stopped(run_up(wish))
