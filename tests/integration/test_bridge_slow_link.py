"""The present overtakes the past on a slow link: a live reading does not wait behind a backlog."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from strapline_protocol.base import WireModel
from strapline_protocol.publishing import Lane, Readings
from tests.integration.bridge_kit import Receiver, a_reading, an_outbox, an_uplink, running

_BYTES_A_S = 64 * 1_024
_CHUNK = 512


async def _trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rate: int) -> None:
    loop = asyncio.get_running_loop()
    free_at_s = loop.time()
    while data := await reader.read(_CHUNK):
        free_at_s = max(free_at_s, loop.time()) + len(data) / rate
        await asyncio.sleep(max(0.0, free_at_s - loop.time()))
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def _slow(port: int) -> AsyncIterator[int]:
    """A link to this port that passes so many bytes a second and buffers next to nothing."""
    tasks: set[asyncio.Task[None]] = set()

    async def join(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, onward = await asyncio.open_connection("127.0.0.1", port)
        for work in (_trickle(near, onward, _BYTES_A_S), _trickle(far, back, 10**9)):
            task = asyncio.create_task(work)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    listener = socket.socket()
    # Set before listening, so that each accepted connection has it (tcp(7)).
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    listener.bind(("127.0.0.1", 0))
    server = await asyncio.start_server(join, sock=listener, limit=_CHUNK)
    try:
        yield listener.getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_live_reading_does_not_wait_behind_a_days_backlog(tmp_path: Path) -> None:
    came: dict[float, float] = {}
    server = Receiver()

    def note(_: object, message: WireModel) -> None:
        if isinstance(message, Readings) and message.lane is Lane.LIVE:
            for one in message.series:
                came.update((value, time.monotonic()) for value in one.value if value is not None)

    server.react = note
    async with an_outbox(tmp_path / "o.db") as outbox:
        for at in range(40_000):
            outbox.put(a_reading(40 + at % 100, boot_ns=at * 10**9))
            if at % 2_000 == 0:
                await outbox.flush()
        await outbox.flush()
    async with (
        server.serving(),
        _slow(server.port) as port,
        an_outbox(tmp_path / "o.db") as outbox,
        running(an_uplink(outbox, f"ws://127.0.0.1:{port}")),
    ):
        # The backlog is in full flow before the present is measured.
        await server.until(lambda: len(server.held) > 2_000)
        waits: list[float] = []
        for rate in range(20):
            put_at = time.monotonic()
            outbox.put(a_reading(1_000 + rate))
            await server.until(lambda wanted=1_000 + rate: wanted in came)  # type: ignore[misc]  # bound now
            waits.append(came[1_000 + rate] - put_at)
            await asyncio.sleep(0.05)
        assert outbox.status().pending > 1_000, "the backlog was still draining"
        # About 0.25 s of it are this link's own buffers; behind the backlog it would be 6 s.
        assert sorted(waits)[len(waits) // 2] < 0.8
        assert max(waits) < 3
