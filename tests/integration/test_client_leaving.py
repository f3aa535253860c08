"""A service leaves while a program reads the past: it is told, and the loop goes on for all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from strapline_client import NotConnectedError, WebSocketService
from strapline_server import Server, ServerConfig
from strapline_server.clock import wall_ms
from tests.integration.server_kit import PATIENCE_S, Run, joined

PAGES = 30
#: Wherever in a question and its answer the service leaves.
TURNS = pytest.mark.parametrize("turns", [0, 1, 2, 4, 7])
pytestmark = pytest.mark.timeout(30)
Leave = Callable[[WebSocketService], Awaitable[None]]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """With ``PAGES`` readings of ana, and as many sessions and marks."""
    async with Server(ServerConfig(port=0, state_folder=tmp_path)) as one:
        await one.admin.add_user("ana", "Ana", "UTC")
        token = await one.admin.issue_token("pi", "bridge", ["ana"], 3_600)
        run = Run(wall_ms() - 60_000)
        async with joined(one, token) as bridge:
            await run.declare(bridge)
            for second in range(PAGES):
                series = run.series([60.0 + second], [second * 1_000], user="ana")
                await run.publish(bridge, series)
        yield one


class Reader:
    """A program that reads all pages, one reading each."""

    def __init__(self, service: WebSocketService) -> None:
        self.pages = 0
        self.some = asyncio.Event()
        self._service = service

    async def read(self) -> None:
        history = self._service.history("ana", "heart_rate", 0, wall_ms() + 9_999, limit=1)
        async for _ in history:
            self.pages += 1
            self.some.set()


async def viewer(server: Server) -> WebSocketService:
    token = await server.admin.issue_token("eye", "viewer", ["ana"], 3_600)
    return WebSocketService(f"ws://127.0.0.1:{server.port}/ws", token)


async def begun(service: WebSocketService, turns: int) -> tuple[Reader, asyncio.Task[None]]:
    """A reader with a page behind it, and ``turns`` of the loop after that."""
    reader = Reader(service)
    task = asyncio.create_task(reader.read())
    async with asyncio.timeout(PATIENCE_S):
        await reader.some.wait()
    for _ in range(turns):
        await asyncio.sleep(0)
    return reader, task


@TURNS
@pytest.mark.parametrize(
    ("leave", "why"),
    [(WebSocketService.disconnect, "nobody asked"), (WebSocketService.stop, "was stopped")],
    ids=["disconnect", "stop"],
)
async def test_who_reads_is_told_that_the_service_leaves(
    server: Server, leave: Leave, why: str, turns: int
) -> None:
    service = await viewer(server)
    service.connect()
    reader, task = await begun(service, turns)
    async with asyncio.timeout(PATIENCE_S):
        await leave(service)
        with pytest.raises(NotConnectedError, match=why):
            await task
    assert reader.pages < PAGES
    await service.stop()


@TURNS
async def test_the_end_of_async_with_ends_who_reads(server: Server, turns: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        async with await viewer(server) as service:
            reader, task = await begun(service, turns)
        with pytest.raises(NotConnectedError, match="was stopped"):
            await task
    assert reader.pages < PAGES


@TURNS
async def test_who_reads_goes_on_in_the_connection_of_another_token(
    server: Server, turns: int
) -> None:
    async with await viewer(server) as service:
        reader, task = await begun(service, turns)
        service.configure(token=await server.admin.issue_token("eye", "viewer", ["ana"], 3_600))
        async with asyncio.timeout(PATIENCE_S):
            await task
        assert (reader.pages, service.connections) == (PAGES, 2)


async def test_sessions_and_marks_are_told_too(server: Server) -> None:
    async with await viewer(server) as service:
        await begun(service, 0)
        sessions, marks = service.sessions("ana", 0, 9), service.marks("ana", 0, 9)
    for reading in (sessions, marks):
        with pytest.raises(NotConnectedError, match="was stopped"):
            await anext(reading)
