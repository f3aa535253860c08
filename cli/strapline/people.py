"""`strapline server user`: adds, lists and renames the people who are measured."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from strapline.errors import CommandError
from strapline.names import cleaned, user_id
from strapline.terminal import make_console, say
from strapline_server import Admin, ServerConfig, open_admin

_MOST_TOLD: Final = 12


async def add_person(
    config: ServerConfig, name: str, identity: str | None, zone: str | None
) -> None:
    """Add one and print the id.

    Raises:
        CommandError: there is one of this id.
        AdminError: an argument is not what it should be.
    """
    name = cleaned(name)
    identity = user_id(name) if identity is None else identity
    async with open_admin(config) as admin:
        if not await admin.add_user(identity, name, zone):
            raise CommandError(
                f"There is a user {identity!r} already. Give this one another id: --id {identity}-2"
            )
    print(identity)


async def list_people(config: ServerConfig, *, as_json: bool) -> None:
    """Print all of them, by id."""
    async with open_admin(config) as admin:
        users = await admin.users()
    if as_json:
        people = [{"id": user.id, "name": user.name, "zone": user.zone} for user in users]
        print(json.dumps(people, ensure_ascii=False))
        return
    console = make_console()
    if not users:
        say(console, Text("Nobody yet. Add somebody: `strapline server user add 'Maren Holt'`"))
        return
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    for user in users:
        table.add_row(Text(user.id, style="name"), Text(user.name), Text(user.zone, style="second"))
    console.print(table, soft_wrap=not console.is_terminal)


async def change_person(config: ServerConfig, who: str, name: str | None, zone: str | None) -> None:
    """Give another name, or another time zone of their day, and print the id, which stays.

    Raises:
        CommandError: the name is none.
        AdminError: there is no such user, or no such zone.
    """
    async with open_admin(config) as admin:
        await admin.change_user(who, None if name is None else cleaned(name), zone)
    print(who)


async def check_known(admin: Admin, users: Sequence[str], place: str) -> None:
    """Look whether all of these are there, before anything is granted.

    Args:
        admin: of the server that is meant.
        users: ids.
        place: how that server is named in a command, of :func:`strapline.where.named`.

    Raises:
        CommandError: one is not; the message says who is.
    """
    there = {user.id: user.name for user in await admin.users()}
    for user in users:
        if user in there:
            continue
        if not there:
            known = "Nobody was added yet."
        else:
            some = [f"{one} ({name})" for one, name in list(there.items())[:_MOST_TOLD]]
            more = f" and {len(there) - len(some)} more" if len(there) > len(some) else ""
            listing = "strapline server user list" + place
            known = f"There are {', '.join(some)}{more}; {listing} shows them."
        raise CommandError(
            f"There is no user {user!r}. {known} Add somebody new: "
            f"strapline server user add {shlex.quote(user)}{place}"
        )
