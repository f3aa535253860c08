"""`strapline demo`: the whole line on simulated straps, to be looked at or measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from strapline.options import Data, Debug, Json, Lan, Port

_MEASURED_S = 30.0


def demo(
    *,
    port: Port = None,
    lan: Lan = False,
    data: Data = None,
    headless: Annotated[
        bool,
        typer.Option("--headless", help="Measure for a while instead: what was sent, what came."),
    ] = False,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", metavar="S", min=1, max=86_400, help="How long to measure: 30."),
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show three simulated straps on the dashboard. Needs no Bluetooth.

    The hearts are recorded, steps and batteries made up; the page says so. With --headless it
    holds what the straps sent against what a viewer got, and leaves with status 0 only if
    nothing was lost or doubled.
    """
    import logging

    from strapline import logs

    logs.set_up(logging.WARNING)
    if headless:
        _measure(data, port, _MEASURED_S if seconds is None else seconds, as_json=as_json)
        return
    for option, given in (("--json", as_json), ("--seconds", seconds is not None)):
        if given:
            raise typer.BadParameter("goes with --headless", param_hint=option)
    from strapline.running import run_until_stopped
    from strapline.up import Wish, run_up

    run_until_stopped(run_up(Wish(data=data, port=port, lan=lan, simulate=True)))


def _measure(data: Path | None, port: int | None, seconds: float, *, as_json: bool) -> None:
    from strapline.measuring import measured, report
    from strapline.running import run_until_stopped

    account = run_until_stopped(measured(data, port, seconds, talk=not as_json))
    if account is None:
        # Stopped before the end: there is nothing to be told, and nothing was shown to hold.
        raise typer.Exit(1)
    report(account, seconds, as_json=as_json)
    if not account.holds:
        raise typer.Exit(1)
