"""Bridges and a server as processes that are killed, and what both ends then have."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

from strapline_client import Updates
from strapline_protocol.digest import digest_of_lines
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.watching import HealthDataUpdate
from tests.simulation.card import RECEIVED, Card, Identity, Stored, read_card, read_store

_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 60.0


async def _start(module: str, *arguments: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"tests.integration.{module}",
        *map(str, arguments),
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


class KilledServer:
    """A server on a folder, at one port for ever."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.tokens: list[str] = []
        self.viewer_token = ""
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns once it serves."""
        process = self._process = await _start("killed_server", self.folder, self.port)
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), _PATIENCE_S)
        self.port, tokens, viewer = json.loads(line)
        self.tokens = self.tokens or tokens
        self.viewer_token = self.viewer_token or viewer

    async def kill(self) -> None:
        """SIGKILL."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"ws://127.0.0.1:{self.port}/ws"

    def look(self) -> Stored:
        """What is committed."""
        with closing(sqlite3.connect(self.folder / "server.db", isolation_level=None)) as database:
            return read_store(database)


class KilledBridge:
    """A bridge on an outbox.

    Attributes:
        said: the line of each reading that it said is stored.
    """

    def __init__(self, path: Path, server: KilledServer, number: int, *, ago_ms: int = 0) -> None:
        self.path = path
        self.said: dict[Identity, str] = {}
        self._server = server
        self._number = number
        self._ago_ms = ago_ms
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    async def start(self, every_ms: int) -> None:
        """With 0 it measures nothing."""
        process = self._process = await _start(
            "killed_bridge",
            self.path,
            self._server.url,
            f"strap-{self._number}",
            every_ms,
            self._ago_ms,
        )
        assert process.stdin is not None
        process.stdin.write(self._server.tokens[self._number].encode() + b"\n")
        await process.stdin.drain()
        self._reading = asyncio.create_task(self._read(process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            # A kill may cut the last line short: what it says was stored all the same.
            if line.endswith(b"\n"):
                stream, number, content = json.loads(line)
                self.said[stream, number] = content
                self._news.set()

    async def until_said(self, more: int) -> None:
        """Wait until it has stored so many more."""
        enough = len(self.said) + more
        async with asyncio.timeout(_PATIENCE_S):
            while len(self.said) < enough:
                self._news.clear()
                await self._news.wait()

    async def kill(self) -> None:
        """SIGKILL."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            assert self._reading is not None
            await self._reading

    def copy(self, target: Path) -> None:
        """The card as it is while nobody writes to it."""
        assert self._process is None, "a bridge runs on it"
        target.parent.mkdir(exist_ok=True)
        for side in ("", "-wal"):
            here = self.path.with_name(self.path.name + side)
            there = target.with_name(target.name + side)
            there.unlink(missing_ok=True)
            if here.exists():
                shutil.copyfile(here, there)

    def look(self, scratch: Path) -> Card:
        """What is on the card."""
        with (
            closing(sqlite3.connect(self.path)) as here,
            closing(sqlite3.connect(scratch)) as there,
        ):
            here.backup(there)
        return read_card(scratch)

    async def drain(self, scratch: Path) -> Card:
        """Run without measuring, until nothing waits; the card then."""
        await self.start(0)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while True:
                    card = await asyncio.to_thread(self.look, scratch)
                    if not any(card.pending().values()) and not any(card.holes.values()):
                        return card
                    await asyncio.sleep(0.1)
        finally:
            await self.kill()


class Eye:
    """What a viewer was shown as it happened, reading by reading."""

    def __init__(self) -> None:
        self.seen: Counter[Identity] = Counter()
        self.left_out = 0

    async def watch(self, updates: Updates) -> None:
        """Count, until cancelled."""
        async for update in updates:
            message = update.message
            if isinstance(message, HealthDataUpdate):
                self.left_out += message.conflated
                self.seen.update((message.stream, number) for number in message.series.numbers())


@asynccontextmanager
async def killed_server(folder: Path) -> AsyncIterator[KilledServer]:
    """A server that runs until the end of the block, kills apart."""
    server = KilledServer(folder)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()


def compare(stored: Stored, cards: Iterable[Card], said: dict[Identity, str]) -> int:
    """Nothing is lost, doubled or changed between these ends; how many readings there are."""
    numbers: dict[str, int] = {}
    for card in cards:
        assert not card.twice
        assert not any(card.dead.values())
        for stream, count in card.numbers.items():
            numbers[stream] = max(count, numbers.get(stream, 0))
    given = {stream: IntervalSet([(0, count - 1)]) for stream, count in numbers.items() if count}
    assert dict(stored.accounts[RECEIVED]) == given
    assert not any(stored.accounts[kind] for kind in (2, 3, 4))
    expected = {(s, n) for s, count in numbers.items() for n in range(count)}
    assert stored.lines.keys() == expected
    assert all(len(lines) == 1 for lines in stored.lines.values())
    assert said.keys() <= expected
    ours = digest_of_lines(said[one] for one in sorted(said))
    assert digest_of_lines(stored.lines[one][0] for one in sorted(said)) == ours
    return len(expected)
