"""`strapline server run`: serves until it is told to stop, and says where."""

from __future__ import annotations

import asyncio
import logging

from strapline_server import Server, ServerConfig

_log = logging.getLogger(__name__)


async def serve(config: ServerConfig) -> None:
    """Serve until cancelled.

    Raises:
        ServerError: it cannot start.
    """
    async with Server(config) as server:
        _log.info("the dashboard is at port %d of %s", server.port, ", ".join(config.hosts))
        await asyncio.Event().wait()
