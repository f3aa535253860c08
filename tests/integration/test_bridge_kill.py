"""SIGKILL in mid-flow, again and again: nothing that was stored is lost, doubled or changed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from strapline_bridge.outbox import OutboxHeldError
from tests.integration.bridge_kit import Content, Receiver, an_outbox, an_uplink, running

_ROOT = Path(__file__).parents[2]


class _Victim:
    """A bridge process, and what it has said is stored."""

    def __init__(self, process: asyncio.subprocess.Process, stored: Content) -> None:
        self.process = process
        self._stored = stored
        self._read = asyncio.create_task(self._listen())
        self.said = 0
        self._news = asyncio.Event()

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            # A kill may cut the last line short: what it says was stored all the same.
            if line.endswith(b"\n"):
                stream, number, content = json.loads(line)
                self._stored[stream, number] = content
                self.said += 1
                self._news.set()

    async def until_stored(self, count: int) -> None:
        async with asyncio.timeout(30):
            while self.said < count:
                self._news.clear()
                await self._news.wait()

    async def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        await self._read


async def _victim(path: Path, url: str, stored: Content) -> _Victim:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.bridge_process",
        str(path),
        url,
        cwd=_ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    return _Victim(process, stored)


async def test_killed_in_mid_flow_nothing_stored_is_lost_or_doubled(tmp_path: Path) -> None:
    path, stored = tmp_path / "outbox.db", Content()
    async with Receiver().serving() as server:
        for round_number in range(4):
            # In the second round a server that does not acknowledge lets a backlog grow.
            server.acknowledges = round_number != 1
            victim = await _victim(path, server.url, stored)
            await victim.until_stored(150)
            await server.until(lambda: server.connections >= 1 and bool(server.held))
            await victim.kill()
        server.acknowledges = True
        async with an_outbox(path) as outbox:
            assert outbox.status().pending > 0
            async with running(an_uplink(outbox, server.url)) as uplink:
                await server.until(lambda: uplink.state.connections > 0)
                assert await uplink.drain(20)
            assert outbox.status().pending == 0
    missing = stored.keys() - server.held.keys()
    assert not missing
    assert {key: server.held[key] for key in stored} == stored
    assert not server.differing
    assert len({stream for stream, _ in stored}) == 4


async def test_a_second_process_is_refused_by_the_name_of_the_first(tmp_path: Path) -> None:
    path, stored = tmp_path / "outbox.db", Content()
    async with Receiver().serving() as server:
        victim = await _victim(path, server.url, stored)
        await victim.until_stored(1)
        with pytest.raises(OutboxHeldError) as refused:
            async with an_outbox(path):
                pass
        assert refused.value.holder == f"pid {victim.process.pid} on {socket.gethostname()}"
        assert str(os.getpid()) not in str(refused.value)
        await victim.kill()
        async with an_outbox(path) as outbox:
            ended = outbox.records()[0].ended
            assert ended is not None
            assert not ended.clean
