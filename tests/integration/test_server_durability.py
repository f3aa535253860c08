"""What is acknowledged is on the disk: under SIGKILL, on a full disk, and beside another writer."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import JsonValue
from websockets.exceptions import ConnectionClosed

from strapline_protocol.asking import HistoryPage
from strapline_protocol.codec import result_of
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.opening import Request, Result
from strapline_protocol.publishing import Acknowledged, Lane
from strapline_protocol.watching import HealthDataUpdate, SyncStatusUpdate
from strapline_server import Server, ServerConfig, open_admin
from strapline_server.clock import wall_ms
from tests.integration.server_kit import Peer, Run, joined, raw, serving, until

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def process(folder: Path) -> AsyncIterator[tuple[Any, list[str], str, Any]]:
    """A server's process: (where to connect, bridge tokens, viewer token, the process)."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.server_process",
        str(folder),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        assert child.stdout is not None
        line = await asyncio.wait_for(child.stdout.readline(), 30)
        port, tokens, viewer = json.loads(line)
        yield SimpleNamespace(port=port), tokens, viewer, child
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


class Progress:
    """How many acknowledgements came, and a wait for more of them."""

    def __init__(self) -> None:
        self._left = 0
        self._reached = asyncio.Event()

    async def by(self, more: int) -> None:
        """Wait for so many more."""
        self._left = more
        self._reached.clear()
        await self._reached.wait()

    def count(self) -> None:
        """One came."""
        self._left -= 1
        if self._left <= 0:
            self._reached.set()


class Ledger:
    """What one bridge sent and what was acknowledged to it."""

    def __init__(self, number: int, progress: Progress) -> None:
        self.progress = progress
        self.run = Run(wall_ms() - 3_600_000, device=f"strap-{number}")
        self.values: dict[int, float | None] = {}
        self.acknowledged = IntervalSet()

    async def publish(self, where: Any, token: str) -> None:
        """Send without waiting, until the connection is cut."""
        with suppress(ConnectionClosed, OSError, EOFError):
            async with joined(where, token) as bridge:
                await self.run.declare(bridge)
                listening = asyncio.create_task(self.listen(bridge))
                lost_before = len(self.values) - len(self.acknowledged)
                while not listening.done():
                    if len(self.values) - len(self.acknowledged) - lost_before > 2_000:
                        await asyncio.sleep(0)
                        continue
                    begin = self.run.next
                    size = random.choice([1, 1, 1, 7, 60])  # noqa: S311  # not a secret
                    values = [40 + (begin + i) % 150 for i in range(size)]
                    times = [(begin + i) * 7 for i in range(size)]
                    series = self.run.series(values, times)
                    self.values.update(zip(series.numbers(), values, strict=True))
                    await bridge.say(self.run.readings(series, lane=Lane.BACKLOG))
                await listening

    async def listen(self, bridge: Peer) -> None:
        with suppress(ConnectionClosed):
            while True:
                self.acknowledged.update((await bridge.expect(Acknowledged)).ranges)
                self.progress.count()

    async def check(self, bridge: Peer) -> IntervalSet:
        """After the restart: all that was acknowledged is held."""
        held = IntervalSet((await self.run.declare(bridge)).ranges)
        assert not self.acknowledged.minus(held)
        return held


async def all_history(viewer: Peer) -> list[tuple[str, int, float | None]]:
    found: list[tuple[str, int, float | None]] = []
    more: dict[str, JsonValue] = {}
    while True:
        params: dict[str, JsonValue] = {
            "user": "ana",
            "metric": "heart_rate",
            "fromMs": 0,
            "toMs": 2**50,
            "limit": 10_000,
        }
        await viewer.say(Request(request="h", method="history", params={**params, **more}))
        page = result_of("history", (await viewer.expect(Result)).result)
        assert isinstance(page, HistoryPage)
        for series in page.series:
            found += zip([series.device] * len(series), series.numbers(), series.value, strict=True)
        if page.next is None:
            return found
        more = {"after": page.next}


@pytest.mark.parametrize("round_", range(2))
async def test_nothing_acknowledged_is_missing_after_sigkill(tmp_path: Path, round_: int) -> None:
    progress = Progress()
    ledgers = [Ledger(number, progress) for number in range(3)]
    for _ in range(2):
        async with process(tmp_path) as (where, tokens, _, child):
            sending = [
                asyncio.create_task(ledger.publish(where, token))
                for ledger, token in zip(ledgers, tokens, strict=True)
            ]
            await asyncio.wait_for(progress.by(70 * (1 + 3 * round_)), 60)
            child.kill()
            await asyncio.gather(*sending)
    async with process(tmp_path) as (where, tokens, viewer_token, _):
        held = []
        for ledger, token in zip(ledgers, tokens, strict=True):
            async with joined(where, token) as bridge:
                held.append(await ledger.check(bridge))
        async with joined(where, viewer_token) as viewer:
            found = await all_history(viewer)
    expected = {
        (f"strap-{number}", seq, ledger.values[seq])
        for number, (ledger, have) in enumerate(zip(ledgers, held, strict=True))
        for first, last in have
        for seq in range(first, last + 1)
    }
    assert len(found) == len(expected)
    assert set(found) == expected


async def setting_up(server: Server) -> tuple[str, str]:
    await server.admin.add_user("ana", "Ana", "UTC")
    bridge = await server.admin.issue_token("pi", "bridge", ["ana"], 600)
    return bridge, await server.admin.issue_token("eye", "viewer", ["ana"], 600)


async def set_pages(server: Server, most: int) -> int:
    """Bound the database's file, as a full disk does; how many pages there are."""
    database = server._store._database
    writer = database._writer
    assert writer is not None

    def bound() -> int:
        writer.execute(f"PRAGMA max_page_count = {most}")
        return int(writer.execute("PRAGMA page_count").fetchone()[0])

    return await database._in(database._write_thread, bound)


async def health(server: Server) -> tuple[int, dict[str, Any]]:
    async with raw(server) as peer:
        answer = await peer.request("/healthz")
        return answer.status, json.loads(answer.body)


async def test_on_a_full_disk_nothing_is_acknowledged_and_it_recovers_by_itself(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as server:
        bridge_token, viewer_token = await setting_up(server)
        async with joined(server, bridge_token) as bridge, joined(server, viewer_token) as eye:
            await eye.subscribe()
            run = Run(wall_ms() - 60_000)
            await run.declare(bridge)
            await run.publish(bridge, run.series([70], [0]))
            assert (await health(server))[0] == 200
            assert await set_pages(server, 1) > 1
            acknowledged = IntervalSet([(0, 0)])
            listening = asyncio.create_task(hear_acknowledgements(bridge, acknowledged))
            # What fits into the pages that there are is stored; then no more is.
            while stores(server):
                values = range(run.next, run.next + 200)
                series = run.series([80] * 200, values, rr=[[900]] * 200)
                await bridge.say(run.readings(series))
                await until(
                    lambda: len(acknowledged) == run.next or not stores(server), "it was tried"
                )
            status, body = await health(server)
            assert (status, body["status"]) == (503, "notStoring")
            assert len(acknowledged) < run.next
            while (await eye.expect(SyncStatusUpdate)).status != "error":
                pass
            await set_pages(server, 1_000_000)
            await until(lambda: len(acknowledged) == run.next, "all is acknowledged")
            assert server.counters.commit_failures > 0
            assert (await health(server))[0] == 200
            while (await eye.expect(SyncStatusUpdate)).status == "error":
                pass
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            assert (await run.declare(bridge)).ranges == [(0, run.next - 1)]


def stores(server: Server) -> bool:
    return server.storing


async def hear_acknowledgements(bridge: Peer, acknowledged: IntervalSet) -> None:
    while True:
        acknowledged.update((await bridge.expect(Acknowledged)).ranges)


async def test_an_idle_server_finds_out_that_it_cannot_store(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await setting_up(server)
        blocker = sqlite3.connect(tmp_path / "server.db", isolation_level=None)
        database = server._store._database
        writer = database._writer
        assert writer is not None
        writer.execute("PRAGMA busy_timeout = 1")
        blocker.execute("BEGIN EXCLUSIVE")
        await server._ingest.probe()
        assert (await health(server))[0] == 503
        blocker.execute("ROLLBACK")
        blocker.close()
        await until(lambda: stores(server), "it recovers")
        assert (await health(server))[0] == 200


async def test_the_command_line_writes_beside_a_running_server(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        bridge_token, _ = await setting_up(server)
        async with joined(server, bridge_token) as bridge:
            run = Run(wall_ms() - 60_000)
            await run.declare(bridge)
            async with open_admin(ServerConfig(state_folder=tmp_path)) as admin:
                await asyncio.gather(
                    admin.add_user("ben", zone="Asia/Tokyo"),
                    run.publish(bridge, run.series([70], [0])),
                )
                token = await admin.issue_token("eye-2", "viewer", ["ana", "ben"], 600)
            async with joined(server, token) as eye:
                assert set((await eye.subscribe()).snapshot) == {"ana", "ben"}
                await run.publish(bridge, run.series([71], [59_000]))
                assert (await eye.expect(HealthDataUpdate)).series.value == [71]
