"""`strapline server user`: adds and lists the people who are measured."""

from __future__ import annotations

import json

from rich.table import Table
from rich.text import Text

from strapline.errors import CommandError
from strapline.names import cleaned, user_id
from strapline.terminal import make_console, say
from strapline_server import ServerConfig, open_admin


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
