"""`strapline up`: from what was wished to a running line, and its picture in the terminal."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from strapline.board import Board
from strapline.choosing import Choice, choose
from strapline.errors import CommandError
from strapline.folder import DataFolder, default_folder
from strapline.joined import Place, bridge_beside, remember, serving
from strapline.link import dashboard_link, lan_address, qr_code
from strapline.marker import mark
from strapline.naming import find_named, paired
from strapline.picture import Picture, told_of_resizes
from strapline.screen import Moment, change, screen
from strapline.terminal import is_interactive, make_console, say, title
from strapline_bridge.daemon import Bridge
from strapline_bridge.outbox import OutboxError
from strapline_bridge.radio import RadioBackend, ensure_available
from strapline_bridge.status import BridgeStatus
from strapline_bridge.wearables import WearablesFile
from strapline_protocol.publishing import DeviceState
from strapline_server import Server
from strapline_server.config import DEFAULT_PORT

_log = logging.getLogger(__name__)

_LOOK_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What stands on the command line."""

    data: Path | None = None
    port: int | None = None
    lan: bool = False
    simulate: bool = False
    adapter: str | None = None
    devices: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    choose: bool = False

    @property
    def place(self) -> Place:
        """Where it is to live. Simulated hearts never share a folder with real ones."""
        name = "strapline-demo" if self.simulate else "strapline"
        return Place(
            DataFolder(self.data or default_folder(name)),
            DEFAULT_PORT if self.port is None else self.port,
            lan=self.lan,
            simulated=self.simulate,
        )


async def run_up(wish: Wish) -> None:
    """Run until cancelled.

    Raises:
        CommandError: something that was wished cannot be.
        NoAdapterError: there is no Bluetooth here.
    """
    pairs = _named(wish)
    place = wish.place
    with place.folder.held():
        mark(place.folder, place.marker(place.port))
        asks = _must_ask(wish, place.folder, named=bool(pairs))
        async with AsyncExitStack() as stack:
            backend, simulated = await _radio(wish, stack)
            server = await stack.enter_async_context(serving(place))
            mark(place.folder, place.marker(server.port))
            console = make_console()
            choices = simulated
            if asks:
                choices = await choose(console, backend)
            elif pairs:
                console.print(Text(f"  Looking for {', '.join(name for name, _ in pairs)}."))
                choices = await find_named(backend, pairs)
            await remember(server.admin, place.folder, choices)
            board = Board()
            bridge = await bridge_beside(server, place, backend, [board])
            await stack.enter_async_context(bridge)
            announce = await _announcement(console, place, server)
            await _show(console, announce, bridge, board, await _names(server))


def _named(wish: Wish) -> list[tuple[str, str]]:
    if not wish.devices and not wish.users:
        return []
    if wish.simulate:
        raise CommandError("--simulate brings straps of its own. Leave --device and --user out.")
    return paired(wish.devices, wish.users)


def _must_ask(wish: Wish, folder: DataFolder, *, named: bool) -> bool:
    """Whether a person has to be asked which straps.

    Raises:
        CommandError: there is nobody to ask.
    """
    if wish.simulate or named:
        return False
    if not wish.choose and WearablesFile(folder.bridge).load().wearables:
        return False
    if not is_interactive():
        raise CommandError(
            "No strap is known yet, and without a terminal there is nobody to ask. Name strap "
            "and wearer: strapline up --device 'Polar H10' --user 'Maren Holt'. "
            "`strapline bridge scan` lists the straps near; `strapline demo` needs none."
        )
    return True


async def _radio(wish: Wish, stack: AsyncExitStack) -> tuple[RadioBackend, list[Choice]]:
    if not wish.simulate:
        backend = RadioBackend(adapter=wish.adapter)
        await ensure_available(backend)
        return backend, []
    from strapline.simulated import living

    return await stack.enter_async_context(living())


async def _names(server: Server) -> Mapping[str, str]:
    return {user.id: user.name for user in await server.admin.users()}


async def _announcement(console: Console, place: Place, server: Server) -> Callable[[], None]:
    """Prints the link, its code where another device can follow it, and who can read along."""
    token = await server.admin.renew_link_token("all", may_mark=True)
    elsewhere = lan_address() if place.lan else None
    host = elsewhere or "127.0.0.1"
    link = dashboard_link(host, server.port, token)
    if place.lan:
        who = "Anyone in this network who has the link can read along: http is not encrypted."
    else:
        who = "Only this machine can open the link. --lan serves the network too."

    def announce() -> None:
        console.print(title("simulated straps" if place.simulated else "live"))
        console.print()
        if elsewhere is not None:
            _show_code(console, link)
        # One line whatever the width, so that it can be copied whole.
        console.print(Text(link), soft_wrap=True)
        console.print()
        say(console, Text(f"{who} It holds for 30 days.", style="second"))
        console.print()

    return announce


def _show_code(console: Console, link: str) -> None:
    """The code for another device's camera, where the terminal has room for it."""
    code = qr_code(link)
    if console.is_terminal and console.width >= len(code.plain.splitlines()[0]) + 2:
        for line in code.split("\n"):
            console.print(Text("  ").append_text(line))
        console.print()


async def _show(
    console: Console,
    announce: Callable[[], None],
    bridge: Bridge,
    board: Board,
    names: Mapping[str, str],
) -> None:
    """Draw what is going on until the bridge ends or all is cancelled."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(bridge.run())
            if console.is_terminal:
                with_link = Picture(console, announce, transient=True)
                group.create_task(_draw(console, with_link, bridge, board, names))
            else:
                announce()
                group.create_task(_narrate(console, bridge, names))
    finally:
        console.print(Text(f"  Stopped. {board.taken:,} readings were taken.", style="second"))


async def _draw(
    console: Console, picture: Picture, bridge: Bridge, board: Board, names: Mapping[str, str]
) -> None:
    resized = asyncio.Event()
    with picture, told_of_resizes(resized.set):
        while True:
            resized.clear()
            status = await _look(bridge)
            if status is not None:
                moment = Moment(status, board, names, time.monotonic(), console.width)
                picture.draw(screen(moment))
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await resized.wait()


async def _narrate(console: Console, bridge: Bridge, names: Mapping[str, str]) -> None:
    """A line for each change, where a picture cannot be drawn."""
    known: dict[str, DeviceState] = {}
    while True:
        status = await _look(bridge)
        for device in status.devices if status is not None else ():
            if known.get(device.device, DeviceState.SEARCHING) is not device.state:
                console.print(
                    Text(f"  {names.get(device.user, device.user)}: {change(device)}"),
                    soft_wrap=True,
                )
            known[device.device] = device.state
        await asyncio.sleep(_LOOK_EVERY_S)


async def _look(bridge: Bridge) -> BridgeStatus | None:
    """How the bridge stands; None while its disk does not answer, which ends nothing."""
    try:
        return await bridge.status()
    except OutboxError as error:
        _log.warning("%s", error)
        return None
