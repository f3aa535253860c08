"""SIGHUP: the configuration is read again while the program runs (`systemctl reload`)."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from strapline import logs
from strapline_bridge.config import BridgeConfig
from strapline_bridge.config import load as load_bridge
from strapline_bridge.daemon import Bridge
from strapline_bridge.wearables import WearablesFile
from strapline_protocol.errors import StraplineError
from strapline_server import Server, load_config

_log = logging.getLogger(__name__)


@asynccontextmanager
async def reloading(act: Callable[[], Awaitable[list[str]]], path: Path) -> AsyncIterator[None]:
    """While this is open SIGHUP calls ``act``; what it cannot do is said and changes nothing.

    Args:
        act: reads the configuration and uses it; the names of what needs a restart.
        path: of the configuration, for what is said.
    """
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, asked.set)
    task = asyncio.create_task(_reload(act, path, asked), name="reload")
    try:
        yield
    finally:
        # Ignored rather than as it was: a second one must not end what is being closed.
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _reload(
    act: Callable[[], Awaitable[list[str]]], path: Path, asked: asyncio.Event
) -> None:
    while True:
        await asked.wait()
        asked.clear()
        try:
            waiting = await act()
        except StraplineError as error:
            _log.error("nothing was changed: %s", error)
            continue
        _log.info("%s was read again", path)
        if waiting:
            _log.warning("%s: %s: only a restart changes that", path, ", ".join(waiting))


async def reconfigure_server(server: Server, path: Path) -> list[str]:
    """Use a server's settings as they stand now, for all who connect from now on.

    Raises:
        ServerError: they cannot be read or used.
    """
    return server.reconfigure(await asyncio.to_thread(load_config, path))


class BridgeReload:
    """Uses a bridge's settings as they stand now: its wearables, and how much it logs."""

    def __init__(self, bridge: Bridge, path: Path, settings: BridgeConfig) -> None:
        self._bridge = bridge
        self._path = path
        self._settings = settings

    async def __call__(self) -> list[str]:
        """Read them; the names of what needs a restart.

        Raises:
            BridgeError: they cannot be read.
        """
        new = await asyncio.to_thread(load_bridge, self._path)
        wearables = await asyncio.to_thread(WearablesFile(self._settings.state_dir).load)
        await self._bridge.use(wearables)
        logs.set_up(new.log_level.number)
        before = self._settings
        return [
            name
            for name in BridgeConfig.model_fields
            if name != "log_level" and getattr(new, name) != getattr(before, name)
        ]
