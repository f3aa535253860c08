"""`strapline server stats`: asks the running server how it goes, and says it in words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Final

from pydantic.alias_generators import to_camel
from rich.console import Console
from rich.live import Live
from rich.text import Text

from strapline.errors import CommandError
from strapline.screen import duration
from strapline.terminal import make_console
from strapline_protocol.codec import encode
from strapline_server import ServerConfig, open_admin
from strapline_server.counters import PRESENT, Counters, Topic
from strapline_server.desk import ask_desk
from strapline_server.stats import BridgeStats, Running, Stats, StoreStats

#: What a service manager's `status` leaves with where nothing runs (LSB, "program is not running").
NOT_RUNNING: Final = 3
_WATCH_EVERY_S: Final = 1.0
_MIB: Final = 1_048_576

_Line = tuple[str, str]
_Group = tuple[str, list[_Line]]


async def ask(config: ServerConfig) -> Stats:
    """What the server tells, or what its database does where none runs.

    Raises:
        CommandError: there is no server and no database, or they are not for this user.
    """
    folder = config.state_folder
    try:
        stats = await ask_desk(folder)
    except (OSError, TimeoutError) as error:
        raise CommandError(
            f"The server in {folder} does not answer ({error or 'no answer in time'}). Ask as the "
            "user that runs it: runuser -u strapline -- strapline server stats"
        ) from error
    if stats is not None:
        return stats
    if not await asyncio.to_thread((folder / "server.db").exists):
        raise CommandError(
            f"There is no server and no database in {folder}. Start one with "
            "`strapline server run`, or name another with --config FILE or --data FOLDER."
        )
    async with open_admin(config) as admin:
        return await admin.stats()


async def show(config: ServerConfig, *, as_json: bool, watch: bool) -> int:
    """Print it, once or until stopped; the status to leave with."""
    console = make_console()
    if not watch:
        stats = await ask(config)
        _print(console, stats, as_json=as_json)
        return 0 if stats.running else NOT_RUNNING
    if as_json or not console.is_terminal:
        while True:
            _print(console, await ask(config), as_json=as_json)
            await asyncio.sleep(_WATCH_EVERY_S)
    with Live(console=console, auto_refresh=False) as live:
        while True:
            live.update(picture(await ask(config)), refresh=True)
            await asyncio.sleep(_WATCH_EVERY_S)


def _print(console: Console, stats: Stats, *, as_json: bool) -> None:
    if as_json:
        print(encode(stats).decode(), flush=True)
    else:
        console.print(picture(stats), soft_wrap=True)


def picture(stats: Stats) -> Text:
    """Headings, and under each its numbers, one above the other."""
    groups = list(_groups(stats))
    words = max(len(name) for _, lines in groups for name, _ in lines)
    numbers = max(len(_number(told)) for _, lines in groups for _, told in lines)
    text = Text()
    text.append(_head(stats))
    for heading, lines in groups:
        text.append(f"\n\n{heading}", "name")
        for name, told in lines:
            number, _, rest = told.partition("  ")
            text.append(f"\n  {name:<{words}}  {number:>{numbers}}")
            text.append(f"  {rest}" if rest else "", "second")
    return text


def _number(told: str) -> str:
    return told.partition("  ")[0]


def _head(stats: Stats) -> str:
    running = stats.running
    if running is None:
        return f"Strapline {stats.version}: no server runs here. What its database tells:"
    head = f"Strapline {stats.version}, up {duration(running.uptime_ms / 1_000)}"
    since = duration(running.storing_age_ms / 1_000)
    if not running.storing:
        head += f". It cannot store, and acknowledges nothing, for {since}"
    if running.failing:
        head += f". Keeps failing: {', '.join(running.failing)}; its log says why"
    return head


def _groups(stats: Stats) -> Iterator[_Group]:
    if stats.running is not None:
        yield "Now", list(_present(stats.running))
        if stats.running.bridges:
            yield "Bridges", [_bridge(bridge) for bridge in stats.running.bridges]
    if stats.store is None:
        yield "Database", [("cannot be read now", "-")]
    else:
        yield "Database", list(_database(stats.store))
    if stats.running is not None:
        yield from _counted(stats.running.counters)


def _present(running: Running) -> Iterable[_Line]:
    yield "bridges connected", _grouped(running.bridges_connected)
    yield "viewers connected", _grouped(running.viewers_connected)
    yield "viewers that read too slowly", _grouped(running.slow)
    for queue in running.queues:
        most = f", most so far {_grouped(queue.most)}" if queue.most is not None else ""
        yield queue.name, f"{_grouped(queue.waiting)}  of {_grouped(queue.bound)}{most}"


def _bridge(bridge: BridgeStats) -> _Line:
    since = duration(bridge.state_age_ms / 1_000)
    wearables = f"{bridge.devices} wearable{'' if bridge.devices == 1 else 's'}"
    told = f"{_grouped(bridge.pending)}  pending; {bridge.state} for {since}, {wearables}"
    if bridge.pending:
        told += f", the oldest from {duration(bridge.oldest_pending_ms / 1_000)} ago"
    return bridge.name, told


def _database(store: StoreStats) -> Iterable[_Line]:
    yield "people", _grouped(store.users)
    yield "bridges with rights", _grouped(store.bridges)
    yield "viewers and links with rights", _grouped(store.viewers)
    yield "readings stored", f"{_grouped(store.readings)}  in {_grouped(store.streams)} runs"
    yield "size", f"{store.database_bytes / _MIB:,.1f}  MiB"
    yield "size of its write-ahead log", f"{store.log_bytes / _MIB:,.1f}  MiB"


def _counted(counters: dict[str, int]) -> Iterator[_Group]:
    """Since the start, by topic; what is of the moment stands above already."""
    for topic in Topic:
        lines = [
            (str(one.metadata["words"]), _grouped(counters[to_camel(one.name)]))
            for one in fields(Counters)
            if one.metadata["topic"] is topic
            and one.name not in PRESENT
            and to_camel(one.name) in counters
        ]
        yield f"{topic}, since its start", lines


def _grouped(number: int) -> str:
    return f"{number:,}"
