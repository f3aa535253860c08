"""`strapline server sources`, `link`, `unlink`: which device counts, and which ids are one."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.table import Table
from rich.text import Text

from strapline.errors import CommandError
from strapline.terminal import make_console, say
from strapline_server import Admin, ServerConfig, open_admin
from strapline_server.store import KnownSource


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
        known = list(
            {one.device: _Known(one.device, one.name) for one in await admin.sources(user)}.values()
        )
        await admin.order_sources(user, metric, [_meant(known, one) for one in devices])


async def link(config: ServerConfig, device: str, strap: str) -> None:
    """Two ids of one strap.

    Raises:
        CommandError: one is not there, or they measured different people.
        AdminError: they are one already.
    """
    async with open_admin(config) as admin:
        known = await _devices(admin)
        first, second = _meant(known, device), _meant(known, strap)
        _check_wearers(
            *(one for wanted in (first, second) for one in known if one.device == wanted)
        )
        await admin.link_device(first, second)
    print(f"{first} {second}")


async def unlink(config: ServerConfig, device: str) -> None:
    """A strap of its own again.

    Raises:
        CommandError: it is not there.
        AdminError: it is one already.
    """
    async with open_admin(config) as admin:
        found = _meant(await _devices(admin), device)
        await admin.unlink_device(found)
    print(found)


@dataclass(frozen=True, slots=True)
class _Known:
    """A device, and who it measured: names by id."""

    device: str
    name: str
    wearers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        told = [self.name] if self.name else []
        if self.wearers:
            told.append(f"of {' and '.join(self.wearers.values())}")
        return f"{self.device} ({', '.join(told)})" if told else self.device


async def _devices(admin: Admin) -> list[_Known]:
    wearers: dict[str, dict[str, str]] = defaultdict(dict)
    for user in await admin.users():
        for source in await admin.sources(user.id):
            wearers[source.device][user.id] = user.name
    return [_Known(one.device, one.name, wearers[one.device]) for one in await admin.devices()]


def _check_wearers(device: _Known, strap: _Known) -> None:
    """A strap is on one person: ids that never were on the same one are hardly one strap.

    Raises:
        CommandError: both measured somebody, and nobody in common.
    """
    if device.wearers and strap.wearers and not device.wearers.keys() & strap.wearers.keys():
        raise CommandError(
            f"They measured different people, so they are not one strap: {device} and {strap}. "
            "Name two ids of the same person; `strapline server sources USER` shows them."
        )


def _meant(known: Sequence[_Known], wanted: str) -> str:
    """The device of this id, else the only one of this name.

    Raises:
        CommandError: there is none, or several have this name.
    """
    if any(one.device == wanted for one in known):
        return wanted
    named = [one for one in known if one.name.casefold() == wanted.casefold()]
    if len(named) == 1:
        return named[0].device
    if named:
        raise CommandError(
            f"Several are called {wanted!r}. Name one by its id: {' or '.join(map(str, named))}."
        )
    there = ", ".join(map(str, known))
    raise CommandError(
        f"There is no device {wanted!r}. " + (f"There are: {there}." if there else "There is none.")
    )
