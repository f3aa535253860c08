"""`strapline server`: the realtime server, its people and its tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from strapline.commands.services import add_to
from strapline.folder import SERVICE_CONFIG
from strapline.installing.service import Service
from strapline.options import Debug, Json

app = typer.Typer(help="The realtime server, its people and its tokens.", no_args_is_help=True)
add_to(app, Service.SERVER)
user = typer.Typer(help="The people who are measured.", no_args_is_help=True)
app.add_typer(user, name="user")

Config = Annotated[
    Path, typer.Option("--config", metavar="FILE", help="The server's configuration.")
]
#: Of the commands beside a server: the service's, else that of `up`.
OtherConfig = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="The server's configuration, /etc/strapline/server.toml."
    ),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="FOLDER", help="What `strapline up` keeps, instead."),
]


@app.command("run")
def run(*, config: Config = SERVICE_CONFIG, debug: Debug = False) -> None:
    """Store what bridges send and show it to those who may see it."""
    import logging

    from strapline import logs
    from strapline.running import run_until_stopped
    from strapline.serving import serve
    from strapline.systemd import Systemd
    from strapline_server import load_config

    settings = load_config(config)
    logs.set_up(logging.INFO)
    run_until_stopped(serve(settings, Systemd.from_environment(), config), fast=True)


@user.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As people say it.")],
    *,
    identity: Annotated[
        str | None, typer.Option("--id", help="The user's id; made from the name by default.")
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option("--zone", help="Time zone of their day, as Europe/Berlin; the machine's."),
    ] = None,
    config: OtherConfig = None,
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Add a person who is measured."""
    import asyncio

    from strapline.people import add_person
    from strapline.where import settings

    asyncio.run(add_person(settings(config, data), name, identity, zone))


@user.command("list")
def list_users(
    *,
    config: OtherConfig = None,
    data: Data = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show the people who are measured."""
    import asyncio

    from strapline.people import list_people
    from strapline.where import settings

    asyncio.run(list_people(settings(config, data), as_json=as_json))


@user.command("rename")
def rename(
    who: Annotated[str, typer.Argument(metavar="ID", help="The user's id, which stays.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="As people say it from now on.")],
    *,
    zone: Annotated[
        str | None, typer.Option("--zone", help="The time zone of their day too, as Europe/Berlin.")
    ] = None,
    config: OtherConfig = None,
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Give a person another name."""
    import asyncio

    from strapline.people import change_person
    from strapline.where import settings

    asyncio.run(change_person(settings(config, data), who, name, zone))


@user.command("zone")
def zone(
    who: Annotated[str, typer.Argument(metavar="ID", help="The user's id.")],
    to: Annotated[str, typer.Argument(metavar="ZONE", help="As Europe/Berlin.")],
    *,
    config: OtherConfig = None,
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Count a person's days in another time zone."""
    import asyncio

    from strapline.people import change_person
    from strapline.where import settings

    asyncio.run(change_person(settings(config, data), who, None, to))


@user.command("erase")
def erase(
    who: Annotated[str, typer.Argument(metavar="ID", help="The user's id.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, for scripts.")] = False,
    config: OtherConfig = None,
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Erase a person and all that was measured of them.

    Works beside a server that runs, and keeps it from storing for a moment. Nothing brings it
    back, and nobody gets their id again.
    """
    import asyncio

    from strapline.erasing import erase as erase_person
    from strapline.where import settings

    asyncio.run(erase_person(settings(config, data), who, yes=yes))


@app.command("sources")
def sources(
    who: Annotated[str, typer.Argument(metavar="USER", help="The id of who wears them.")],
    metric: Annotated[
        str | None, typer.Argument(metavar="[METRIC]", help="One metric, as heart_rate; all.")
    ] = None,
    *,
    order: Annotated[
        list[str] | None,
        typer.Option("--order", metavar="DEVICE,…", help="Count these first, in this order."),
    ] = None,
    by_rule: Annotated[
        bool, typer.Option("--by-rule", help="Forget the order that was set.")
    ] = False,
    config: OtherConfig = None,
    data: Data = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show which of a person's devices counts, or set it.

    The first that is not silent is shown; the others fill what it has not. Without an order it
    is the one that knows contact with the skin, else the one that came first.
    """
    import asyncio

    from strapline.sources import order_sources, show_sources
    from strapline.where import settings

    found = settings(config, data)
    if order or by_rule:
        devices = _ids(order)
        asyncio.run(order_sources(found, who, metric, devices, by_rule=by_rule))
    asyncio.run(show_sources(found, who, metric, as_json=as_json))


@app.command("link")
def link_device(
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="Its id or name.")],
    strap: Annotated[str, typer.Argument(metavar="DEVICE", help="What it is another id of.")],
    *,
    config: OtherConfig = None,
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Say that two devices, of two bridges, are one strap.

    It is shown and counted as one.
    """
    import asyncio

    from strapline.sources import link
    from strapline.where import settings

    asyncio.run(link(settings(config, data), device, strap))


@app.command("unlink")
def unlink_device(
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="Its id or name.")],
    *,
    config: OtherConfig = None,
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Say that a device is a strap of its own again."""
    import asyncio

    from strapline.sources import unlink
    from strapline.where import settings

    asyncio.run(unlink(settings(config, data), device))


@app.command("stats")
def stats(
    *,
    as_json: Json = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Again each second, until stopped.")
    ] = False,
    config: OtherConfig = None,
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Show how a server goes: who is here, and what waits.

    Leaves with status 3 where no server runs; then it tells what the database alone can.
    """
    from strapline.running import run_until_stopped
    from strapline.statistics import show
    from strapline.where import settings

    status = run_until_stopped(show(settings(config, data), as_json=as_json, watch=watch))
    raise typer.Exit(status or 0)


@app.command("verify")
def verify(
    *,
    who: Annotated[
        str | None, typer.Option("--user", metavar="USER", help="What concerns this user alone.")
    ] = None,
    stream: Annotated[
        str | None,
        typer.Option(
            "--stream", metavar="STREAM", help="This run of a bridge alone; its first letters do."
        ),
    ] = None,
    config: OtherConfig = None,
    data: Data = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Say whether all that is stored is there, once.

    Works beside a server that runs. Leaves with status 1 where something is missing, twice or
    damaged, and with 2 where it could not be verified.
    """
    from strapline.verifying import show
    from strapline.where import settings

    raise typer.Exit(show(settings(config, data), who, stream, as_json=as_json))


@app.command("backup")
def back_up(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The copy, which is new.")],
    *,
    config: OtherConfig = None,
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Copy all that is stored, of one moment."""
    import asyncio

    from strapline.copying import make_copy
    from strapline.where import settings

    asyncio.run(make_copy(settings(config, data), target))


@app.command("restore")
def put_back(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What `backup` made.")],
    *,
    config: OtherConfig = None,
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Put a copy back while the server is stopped.

    What was there is kept beside it. Viewers begin anew, and bridges send what the copy lacks,
    as far as they still keep it.
    """
    import asyncio

    from strapline.copying import put_copy_back
    from strapline.where import settings

    asyncio.run(put_copy_back(settings(config, data), source))


@app.command("revoke")
def revoke(
    who: Annotated[
        str, typer.Argument(metavar="NAME|ID", help="As it was granted: Maren, viewer-maren.")
    ],
    *,
    config: OtherConfig = None,
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Take all rights from a viewer, a bridge or a link.

    Their connections close within a second, and their tokens let nobody in any more.
    """
    import asyncio

    from strapline.revoking import revoke as take_away
    from strapline.where import settings

    asyncio.run(take_away(settings(config, data), who))


@app.command("bridge")
def bridge(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As people say it.")],
    *,
    public_key: Annotated[
        str,
        typer.Option(
            "--public-key", metavar="KEY|FILE", help="What `strapline bridge key` printed there."
        ),
    ],
    users: Annotated[
        list[str] | None, typer.Option("--users", metavar="ID,…", help="Whom it may publish for.")
    ] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="Everybody, who is added later too.")
    ] = False,
    config: OtherConfig = None,
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Let a bridge in that has a key of its own, in place of a token.

    It is known by this key alone from now on: a token or a key that it had lets nobody in any
    more. `strapline server revoke NAME` takes the key away.
    """
    import asyncio

    from strapline.enrolling import enrol
    from strapline.where import named, settings

    asyncio.run(
        enrol(
            settings(config, data),
            name,
            _ids(users),
            everyone=everyone,
            public_key=public_key,
            place=named(config, data),
        )
    )


def _ids(users: list[str] | None) -> tuple[str, ...]:
    return tuple(one.strip() for part in users or () for one in part.split(",") if one.strip())


@app.command("token")
def token(
    *,
    viewer: Annotated[
        str | None, typer.Option("--viewer", metavar="NAME", help="For somebody who watches.")
    ] = None,
    bridge: Annotated[
        str | None, typer.Option("--bridge", metavar="NAME", help="For a bridge.")
    ] = None,
    users: Annotated[
        list[str] | None,
        typer.Option("--users", metavar="ID,…", help="Whom it may watch, or publish for."),
    ] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="Everybody, who is added later too.")
    ] = False,
    days: Annotated[
        int, typer.Option("--days", metavar="DAYS", min=1, max=400, help="How long it holds.")
    ] = 30,
    may_mark: Annotated[
        bool,
        typer.Option("--may-mark", help="The viewer may start and end sessions and set marks."),
    ] = False,
    link: Annotated[
        bool, typer.Option("--link", help="Print the dashboard's link with the token in it.")
    ] = False,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="URL", help="The dashboard's address, for --link."),
    ] = None,
    config: OtherConfig = None,
    data: Data = None,
    debug: Debug = False,
) -> None:
    """Grant rights to a viewer or a bridge and print their token.

    The token alone goes to stdout. Granting again replaces what was granted.
    """
    import asyncio

    from strapline.tokens import Wanted, print_token
    from strapline.where import named, settings

    wanted = Wanted(
        viewer=viewer,
        bridge=bridge,
        users=_ids(users),
        everyone=everyone,
        days=days,
        link=link or at is not None,
        at=at,
        may_mark=may_mark,
    )
    wanted.check()
    asyncio.run(print_token(settings(config, data), wanted, named(config, data)))
