"""The bridge that a command is about: asked while it runs, opened by the command when not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from strapline import __version__
from strapline.errors import CommandError
from strapline.folder import DataFolder, default_folder
from strapline.joined import Place, own_tokens, serving
from strapline.marker import read_marker
from strapline_bridge.clock import SystemBootClock, boot_id
from strapline_bridge.config import DEFAULT_PATH, BridgeConfig, load
from strapline_bridge.control import Command, ask
from strapline_bridge.daemon import OUTBOX_NAME
from strapline_bridge.outbox import Limits, Outbox, Run
from strapline_bridge.timekeeper import Timekeeper
from strapline_bridge.uplink import Questions, TokenSource, configured_tokens, questions_alone
from strapline_protocol.base import WireModel
from strapline_protocol.metrics import METRICS
from strapline_protocol.opening import Client

P = TypeVar("P", bound=WireModel)
R = TypeVar("R", bound=WireModel)

#: Many readings take their time: as long as somebody looks.
_PATIENCE_S: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class Reached:
    """A bridge of this machine.

    Attributes:
        place: of `strapline up`, whose server is here too; None for a service.
    """

    config: BridgeConfig
    place: Place | None = None

    @property
    def outbox_path(self) -> Path:
        """Its outbox."""
        return self.config.state_dir / OUTBOX_NAME


def find(
    config: Path | None,
    data: Path | None,
    *,
    service: Path = DEFAULT_PATH,
    home: Path | None = None,
) -> Reached:
    """The bridge that is meant: named, else the service's, else that of `strapline up`.

    Args:
        config: a configuration file that was named.
        data: a data folder that was named.
        service: where the service's configuration is.
        home: the data folder of `strapline up` when none is named.

    Raises:
        CommandError: there is none, or two were named.
        ConfigError: the configuration is wrong.
    """
    if config is not None and data is not None:
        raise CommandError("Which bridge? Give either --config FILE or --data FOLDER.")
    if config is not None:
        return Reached(load(config))
    if data is None and service.exists():
        return Reached(load(service))
    home = default_folder("strapline") if home is None else home
    place = place_of(home if data is None else data)
    if place is not None:
        url = f"ws://127.0.0.1:{place.port}/ws"
        return Reached(place.bridge_config(url), place)
    if data is not None:
        raise CommandError(
            f"{data}: nothing was started in this folder yet. Start it with "
            f"`strapline up --data {data}`, or name another folder."
        )
    raise CommandError(
        f"There is no bridge here: neither {service}, nor what `strapline up` keeps in {home}. "
        "Name its folder with --data FOLDER, or its configuration with --config FILE."
    )


def place_of(path: Path) -> Place | None:
    """What `strapline up` keeps in this folder; None where it was never started there."""
    folder = DataFolder(path)
    marker = read_marker(folder)
    if marker is None:
        return None
    return Place(folder, marker.port, lan=marker.lan, simulated=marker.simulated)


async def carry_out(
    reached: Reached,
    command: Command[P, R],
    params: P,
    work: Callable[[Outbox], Awaitable[R]],
) -> R:
    """Ask the bridge that runs, or do it with its outbox where none does.

    Raises:
        BridgeError: it cannot be asked, or the outbox not opened.
        CommandError: nothing was ever stored there.
    """
    told = await ask(reached.config.state_dir, command, params, within_s=_PATIENCE_S)
    if told is not None:
        return told
    async with opened(reached) as outbox:
        return await work(outbox)


@asynccontextmanager
async def opened(reached: Reached) -> AsyncIterator[Outbox]:
    """The outbox of a bridge that does not run, held for this command alone."""
    path, settings = reached.outbox_path, reached.config.outbox
    try:
        there = await asyncio.to_thread(path.exists)
    except OSError as error:
        raise CommandError(
            f"{path}: cannot be looked at ({error.strerror}). Run this as the user that runs the "
            "bridge, or as root."
        ) from error
    if not there:
        raise CommandError(
            f"{path}: there is no outbox yet, since this bridge has never run. Start it with "
            "`strapline bridge run`, or name another with --config FILE or --data FOLDER."
        )
    run = Run(boot_id(), SystemBootClock().now_ns())
    limits = Limits(most_bytes=settings.max_bytes)
    async with await Outbox.open(path, run, Timekeeper().moment, limits=limits) as outbox:
        yield outbox


@asynccontextmanager
async def connected(reached: Reached) -> AsyncIterator[Questions]:
    """A connection of that bridge's own to its server; the outbox must be held.

    A server that `strapline up` keeps in the same folder, and that does not run, runs for as long.

    Raises:
        UplinkError: the server cannot be reached.
        CommandError, ServerError: the server cannot be started.
    """
    place = reached.place
    if place is None:
        url = reached.config.server.url
        async with _questions(url, configured_tokens(reached.config)) as questions:
            yield questions
        return
    here = Place(place.folder, 0, simulated=place.simulated)
    with place.folder.held():
        async with serving(here) as server:
            tokens = await own_tokens(server, here)
            async with _questions(here.socket_url(server), tokens) as questions:
                yield questions


@asynccontextmanager
async def _questions(url: str, tokens: TokenSource) -> AsyncIterator[Questions]:
    client = Client(name="strapline-bridge", version=__version__, metrics=list(METRICS))
    async with questions_alone(url, tokens, client, SystemBootClock()) as questions:
        yield questions
