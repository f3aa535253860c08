"""Outbox and uplink against the real server: what it holds in the end is what was stored."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections import Counter
from functools import partial
from pathlib import Path

from strapline_bridge.uplink import Link, SignedTokens
from strapline_protocol.asking import HistoryPage, HistoryParams
from strapline_protocol.codec import result_of
from strapline_protocol.opening import Request, Result, Role
from strapline_server import Server, ServerConfig
from tests.integration.bridge_kit import (
    Committed,
    Content,
    a_reading,
    an_outbox,
    an_uplink,
    drained,
    running,
    until,
)
from tests.integration.bridge_victim import a_victim
from tests.integration.server_kit import joined, serving

_USER = "anna"
_FAR_MS = 4_000_000_000_000


def _url(server: Server) -> str:
    return f"ws://127.0.0.1:{server.port}/ws"


def _at(folder: Path, port: int) -> Server:
    """A server that comes back at the address that bridges know."""
    return Server(ServerConfig(port=port, state_folder=folder))


async def _token(server: Server, sub: str = "bridge-1") -> str:
    await server.admin.add_user(_USER)
    return await server.admin.issue_token(sub, Role.BRIDGE, [_USER])


def _same(token: str, server_time_ms: int) -> str:
    return token


async def _history(server: Server) -> list[str]:
    """All readings in the server's history, each as one text without stream and time."""
    token = await server.admin.issue_token("viewer", Role.VIEWER, [_USER])
    found: list[str] = []
    async with joined(server, token) as viewer:
        params = HistoryParams(user=_USER, metric="heart_rate", from_ms=0, to_ms=_FAR_MS)
        while True:
            asked = params.model_dump(mode="json", by_alias=True, exclude_none=True)
            await viewer.say(Request(request="r", method="history", params=asked))
            page = result_of("history", (await viewer.expect(Result)).result)
            assert isinstance(page, HistoryPage)
            for series in page.series:
                for at, number in enumerate(series.numbers()):
                    found.append(f"{number} {series.value[at]} {series.rr and series.rr[at]}")
            if page.next is None:
                return found
            params = params.model_copy(update={"after": page.next})


def _expected(stored: Content) -> list[str]:
    """The same of what the outbox has stored."""
    found = []
    for (_, number), content in stored.items():
        _, said = json.loads(content)
        found.append(f"{number} {said['value'][0]} {said['rr'] and said['rr'][0]}")
    return found


async def test_live_and_backlog_of_two_runs_are_on_the_server_once(tmp_path: Path) -> None:
    path, stored = tmp_path / "o.db", Committed()
    async with an_outbox(path, stored) as outbox:
        for at in range(700):
            outbox.put(a_reading(30 + at % 200))
    async with serving(tmp_path / "server") as server:
        tokens = SignedTokens(partial(_same, await _token(server)))
        async with an_outbox(path, stored) as outbox:
            uplink = an_uplink(outbox, _url(server), tokens=tokens)
            async with running(uplink):
                for at in range(300):
                    outbox.put(a_reading(30 + at % 200))
                    if at % 10 == 0:
                        await outbox.flush()
                await outbox.flush()
                await drained(uplink)
        assert len(stored.content) == 1_000
        assert Counter(await _history(server)) == Counter(_expected(stored.content))


async def test_a_server_put_back_from_a_copy_gets_earlier_runs_again(tmp_path: Path) -> None:
    """Its folder is copied back under the same epoch: nothing but the answers tells."""
    path, stored, folder = tmp_path / "o.db", Committed(), tmp_path / "server"
    async with serving(folder) as server:
        token = await _token(server)
        port = server.port
    shutil.copytree(folder, tmp_path / "copy")
    options = {"tokens": SignedTokens(partial(_same, token))}
    for _ in range(2):
        async with _at(folder, port) as server, an_outbox(path, stored) as outbox:
            uplink = an_uplink(outbox, _url(server), **options)
            async with running(uplink):
                for at in range(50):
                    outbox.put(a_reading(60 + at))
                await outbox.flush()
                await drained(uplink)
    async with an_outbox(path, stored) as outbox:
        uplink = an_uplink(outbox, f"ws://127.0.0.1:{port}/ws", **options)
        async with running(uplink):
            async with _at(folder, port) as server:
                outbox.put(a_reading(99))
                await outbox.flush()
                await drained(uplink)
                assert Counter(await _history(server)) == Counter(_expected(stored.content))
            shutil.rmtree(folder)
            shutil.copytree(tmp_path / "copy", folder)
            async with _at(folder, port) as server:
                async with asyncio.timeout(20):
                    # Nothing announces what comes back into a history.
                    while len(await _history(server)) < len(stored.content):  # noqa: ASYNC110
                        await asyncio.sleep(0.1)
                await drained(uplink)
                assert Counter(await _history(server)) == Counter(_expected(stored.content))


async def test_killed_in_mid_flow_the_server_has_each_stored_reading_once(tmp_path: Path) -> None:
    path, stored = tmp_path / "o.db", Content()
    async with serving(tmp_path / "server") as server:
        token = await _token(server)
        for _ in range(3):
            victim = await a_victim(path, _url(server), stored, token)
            await victim.until_stored(200)
            await victim.kill()
        async with an_outbox(path) as outbox:
            numbers = sum(record.next_seq for record in outbox.records())
            uplink = an_uplink(outbox, _url(server), tokens=SignedTokens(lambda _: token))
            async with running(uplink):
                await drained(uplink)
        history = Counter(await _history(server))
        assert not Counter(_expected(stored)) - history
        # A kill between a commit and the line about it leaves a reading that nobody spoke of.
        assert history.total() == numbers
        assert numbers - len(stored) <= 3 * 50


async def test_a_stream_of_another_bridge_is_kept_and_holds_nothing_back(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    async with serving(tmp_path / "server") as server:
        first = await _token(server)
        async with an_outbox(path) as outbox:
            async with running(
                an_uplink(outbox, _url(server), tokens=SignedTokens(lambda _: first))
            ) as uplink:
                outbox.put(a_reading(60))
                await outbox.flush()
                await drained(uplink)
            outbox.put(a_reading(61))
        second = await _token(server, "bridge-2")
        async with an_outbox(path) as outbox:
            outbox.put(a_reading(62))
            await outbox.flush()
            async with running(
                an_uplink(outbox, _url(server), tokens=SignedTokens(lambda _: second))
            ):
                await until(lambda: outbox.status().pending == 1)
            assert outbox.status().dead_letters == 0
            assert [record.pending() for record in outbox.records()] == [[(1, 1)], []]


async def test_a_revoked_bridge_says_so_and_goes_on_recording(tmp_path: Path) -> None:
    async with serving(tmp_path / "server") as server, an_outbox(tmp_path / "o.db") as outbox:
        token = await _token(server)
        uplink = an_uplink(outbox, _url(server), tokens=SignedTokens(lambda _: token))
        async with running(uplink):
            outbox.put(a_reading(60))
            await outbox.flush()
            await drained(uplink)
            await server.admin.revoke("bridge-1")
            await until(lambda: uplink.state.link is Link.STOPPED)
            assert "does not allow this bridge" in (uplink.state.why or "")
            assert uplink.state.retry_ms > 3_000_000
            outbox.put(a_reading(61))
            await outbox.flush()
            assert outbox.status().pending == 1
