"""A bridge process to be killed, and what it has said is stored."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from tests.integration.bridge_kit import Content

_ROOT = Path(__file__).parents[2]


class Victim:
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


async def a_victim(path: Path, url: str, stored: Content, token: str) -> Victim:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.bridge_process",
        str(path),
        url,
        cwd=_ROOT,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "BRIDGE_TOKEN": token},
    )
    return Victim(process, stored)
