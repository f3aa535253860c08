"""`strapline server run`: serves until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from strapline.reloading import reconfigure_server, reloading
from strapline.service_status import server_line
from strapline.systemd import Systemd
from strapline_server import Server, ServerConfig
from strapline_server.config import is_loopback

_log = logging.getLogger(__name__)


async def serve(config: ServerConfig, systemd: Systemd, path: Path) -> None:
    """Serve until cancelled, and tell systemd how it goes.

    Args:
        config: as read from
        path: which is read again at SIGHUP.
        systemd: the service manager, if one started this.

    Raises:
        ServerError: it cannot start.
    """
    async with Server(config) as server:
        beyond = [host for host in config.hosts if not is_loopback(host)]
        if beyond:
            _log.warning(
                "%s is beyond this machine and this server speaks no TLS: without a proxy that "
                "does, everyone on the way can read along",
                ", ".join(beyond),
            )

        async def describe() -> str:
            return server_line(await server.stats())

        async def reconfigure() -> list[str]:
            return await reconfigure_server(server, path)

        async with reloading(reconfigure, path), systemd.serving(describe):
            await asyncio.Event().wait()
