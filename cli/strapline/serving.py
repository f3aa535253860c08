"""`strapline server run`: serves until it is told to stop."""

from __future__ import annotations

import asyncio

from strapline_server import Server, ServerConfig


async def serve(config: ServerConfig) -> None:
    """Serve until cancelled.

    Raises:
        ServerError: it cannot start.
    """
    async with Server(config):
        await asyncio.Event().wait()
