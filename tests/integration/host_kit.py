"""A host application on a real socket, in this process: uvicorn, FastAPI, and what is mounted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from strapline_protocol.server_session import Deadlines
from strapline_server import Server, ServerConfig, WebSocketHandler
from strapline_server.clock import wall_ms
from tests.integration.server_kit import PATIENCE_S

SECRET = "a secret of a host application, for tests alone"


class Quiet(uvicorn.Server):
    """It leaves this process's signals alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


@asynccontextmanager
async def uvicorn_serving(app: Any, **settings: Any) -> AsyncIterator[int]:
    """An application on a free port."""
    settings = {"port": 0, "log_config": None, "ws_max_size": 2**20, **settings}
    server = Quiet(uvicorn.Config(app, **settings))
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(PATIENCE_S):
        while not server.started:  # no event tells of it
            if task.done():
                task.result()
                raise AssertionError("the application did not start; its log says why")
            await asyncio.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


class Settled(WebSocketHandler):
    """A handler whose server has a clock and deadlines of the test's."""

    def settle(self, config: ServerConfig, clock: Any, deadlines: Deadlines) -> None:
        """Set what a host application cannot."""
        self._config = config
        self._clock = clock
        self._deadlines = deadlines

    def _make_server(self) -> Server:
        return Server(
            self._config, self._clock, self._deadlines, secret=self._secret, listens=False
        )


class Mounted:
    """The server within a handler, with the port of the application that it is mounted in."""

    def __init__(self, handler: WebSocketHandler, port: int) -> None:
        self._handler = handler
        self.port = port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handler._running(), name)


@asynccontextmanager
async def mounted(folder: Path, **settings: Any) -> AsyncIterator[Any]:
    """As ``server_kit.serving``, in a host application."""
    deadlines = settings.pop("deadlines", Deadlines())
    clock = settings.pop("clock", wall_ms)
    handler = Settled(SECRET)
    handler.settle(ServerConfig(state_folder=folder, **settings), clock, deadlines)
    app = FastAPI(lifespan=handler.lifespan)
    app.mount("/", handler)
    async with uvicorn_serving(app) as port:
        yield Mounted(handler, port)
