"""`install` and `uninstall`, of `strapline bridge` and of `strapline server`."""

from __future__ import annotations

from typing import Annotated

import typer

from strapline.installing.service import Service
from strapline.options import Debug

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and do nothing.")]


def add_to(app: typer.Typer, service: Service) -> None:
    """Give a group of commands its `install` and `uninstall`."""

    @app.command("install", help=f"Make the {service} a service of this machine, with systemd.")
    def install(*, dry_run: DryRun = False, debug: Debug = False) -> None:
        from strapline.installing.machine import Machine
        from strapline.installing.program import Source
        from strapline.installing.saying import set_up

        set_up(Machine(), service, Source.here(), dry_run=dry_run)

    @app.command("uninstall", help=f"Take the {service}'s service away; data stays unless told.")
    def uninstall(
        *,
        purge: Annotated[
            bool, typer.Option("--purge", help="Delete its settings and all that it keeps, too.")
        ] = False,
        sure: Annotated[
            bool, typer.Option("--yes", help="Ask nothing, even where data goes.")
        ] = False,
        dry_run: DryRun = False,
        debug: Debug = False,
    ) -> None:
        from strapline.installing.machine import Machine
        from strapline.installing.program import Source
        from strapline.installing.saying import take_away

        machine, source = Machine(), Source.here()
        take_away(machine, service, source, dry_run=dry_run, purge=purge, sure=sure)
