"""`strapline server sources`, `link`, `unlink`: which device counts, and which ids are one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from strapline.errors import CommandError
from strapline.terminal import make_console, say
from strapline_server import ServerConfig, open_admin
from strapline_server.store import KnownDevice, KnownSource


async def show_sources(
    config: ServerConfig, user: str, metric: str | None, *, as_json: bool
) -> None:
    """Print a person's devices by metric, the one that comes first first.

    Raises:
        AdminError: there is no such user.
    """
    async with open_admin(config) as admin:
        found = await admin.sources(user, metric)
    if as_json:
        print(json.dumps([_told(source) for source in found], ensure_ascii=False))
        return
    console = make_console()
    if not found:
        what = "nothing" if metric is None else f"no {metric}"
        say(console, Text(f"Of {user} {what} was measured yet."))
        return
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    shown = None
    for source in found:
        table.add_row(
            Text("" if source.metric == shown else source.metric, style="name"),
            Text(source.name or "-"),
            Text(source.device),
            Text(_why(source), style="second"),
        )
        shown = source.metric
    console.print(table, soft_wrap=not console.is_terminal)


def _why(source: KnownSource) -> str:
    told = []
    if source.preferred:
        told.append("by the order set")
    elif source.knows_contact:
        told.append("knows contact")
    if source.strap != source.device:
        told.append(f"one strap with {source.strap}")
    return ", ".join(told)


def _told(source: KnownSource) -> dict[str, object]:
    return {
        "metric": source.metric,
        "device": source.device,
        "name": source.name,
        "strap": source.strap,
        "preferred": source.preferred,
        "knowsContact": source.knows_contact,
        "newestMs": source.newest_ms,
    }


async def order_sources(
    config: ServerConfig, user: str, metric: str | None, devices: Sequence[str], *, by_rule: bool
) -> None:
    """Set the order, or forget it.

    Raises:
        CommandError: a device is none of theirs, or both was asked for.
        AdminError: there is no such user.
    """
    if by_rule and devices:
        raise CommandError("By the rules or by an order? Give either --by-rule or --order DEVICE,…")
    async with open_admin(config) as admin:
        known = {one.device: one.name for one in await admin.sources(user)}
        await admin.order_sources(user, metric, [_meant(known.items(), one) for one in devices])


async def link(config: ServerConfig, device: str, strap: str) -> None:
    """Two ids of one strap.

    Raises:
        CommandError: one is not there.
        AdminError: they are one already.
    """
    async with open_admin(config) as admin:
        known = _names(await admin.devices())
        first, second = _meant(known, device), _meant(known, strap)
        await admin.link_device(first, second)
    print(f"{first} {second}")


async def unlink(config: ServerConfig, device: str) -> None:
    """A strap of its own again.

    Raises:
        CommandError: it is not there.
        AdminError: it is one already.
    """
    async with open_admin(config) as admin:
        found = _meant(_names(await admin.devices()), device)
        await admin.unlink_device(found)
    print(found)


def _names(devices: Sequence[KnownDevice]) -> list[tuple[str, str]]:
    return [(one.device, one.name) for one in devices]


def _meant(known: Iterable[tuple[str, str]], wanted: str) -> str:
    """The device of this id, else the only one of this name.

    Raises:
        CommandError: there is none, or several have this name.
    """
    pairs = list(known)
    if any(device == wanted for device, _ in pairs):
        return wanted
    named = [device for device, name in pairs if name.casefold() == wanted.casefold()]
    if len(named) == 1:
        return named[0]
    if named:
        raise CommandError(f"Several are called {wanted!r}. Name one: {' or '.join(named)}.")
    there = ", ".join(f"{device} ({name})" if name else device for device, name in pairs)
    raise CommandError(
        f"There is no device {wanted!r}. " + (f"There are: {there}." if there else "There is none.")
    )
