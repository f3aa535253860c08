"""`strapline server stats`: what a real server tells of itself, and what it does not."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import fields
from pathlib import Path

import pytest
from pydantic.alias_generators import to_camel

from strapline.errors import CommandError
from strapline.statistics import NOT_RUNNING, ask, picture, show
from strapline_server import Server, ServerConfig
from strapline_server.clock import wall_ms
from strapline_server.counters import Counters
from strapline_server.errors import StoreError
from strapline_server.stats import Running, StoreStats
from tests.integration.rights_kit import people, refusal, status_of
from tests.integration.server_kit import Run, joined, serving, until


async def told(server: Server) -> tuple[Running, StoreStats]:
    stats = await ask(server.config)
    assert stats.running is not None
    assert stats.store is not None
    return stats.running, stats.store


async def test_who_is_here_what_is_stored_and_what_was_counted(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        await until(lambda: len(server._statuses.standings()) == 2, "rights were looked at")
        running, store = await told(server)
        assert (running.bridges_connected, running.viewers_connected) == (0, 0)
        assert (store.users, store.bridges, store.viewers, store.readings) == (2, 2, 3, 0)
        async with joined(server, tokens["pi-ana"]) as bridge, joined(server, tokens["eye-ana"]):
            run = Run(wall_ms() - 500)
            await run.declare(bridge)
            await run.publish(bridge, run.series([70, 71, 72], [0, 1, 2]))
            await bridge.say(status_of(run, pending=7, oldest_pending_ms=90_000))
            await until(lambda: bool(server._statuses.connected()), "the status has come")
            assert (await refusal(server, "x.y.z"))[0] == 4401
            running, store = await told(server)
            assert (running.bridges_connected, running.viewers_connected) == (1, 1)
            assert (store.readings, store.streams) == (3, 1)
            assert store.database_bytes + store.log_bytes > 4_096
            assert running.storing
            assert running.counters["readingsStored"] == 3
            assert running.counters["authenticationsRefused"] == 1
            assert running.counters.keys() == {to_camel(one.name) for one in fields(Counters)}
            here, gone = running.bridges
            assert (here.name, here.state, here.pending, here.devices) == ("pi-ana", "online", 7, 1)
            assert here.oldest_pending_ms == 90_000
            assert (gone.name, gone.state, gone.pending) == ("pi-ben", "offline", 0)
            assert all(queue.waiting <= queue.bound for queue in running.queues)
            bounds = {queue.name: queue.bound for queue in running.queues}
            assert bounds["connections"] == server.config.limits.connections
        # Nobody at the desk is counted as a connection.
        assert running.counters["connectionsOpened"] == 3


async def test_it_holds_no_secret_no_address_and_nobodys_name(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with joined(server, tokens["pi-ana"]) as bridge:
            run = Run(wall_ms() - 500)
            await run.declare(bridge)
            await run.publish(bridge, run.series([70], [0]))
            text = (await ask(server.config)).model_dump_json()
    secret = (tmp_path / "secret").read_text().strip()
    for part in (secret, *tokens.values(), "eyJ", "127.0.0.1", run.id, run.device, '"ana"'):
        assert part not in text


async def test_a_server_that_cannot_store_or_keeps_failing_says_so_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path) as server:
        server._ingest._set_storing(False, StoreError("full"))
        monkeypatch.setattr("strapline_server.chores._MANY", 1)

        async def broken() -> int:
            raise StoreError("no")

        monkeypatch.setattr(server._store, "rights_version", broken)
        monkeypatch.setattr(server._store, "facts", broken)
        await until(lambda: bool(server._chores.failing), "it failed")
        stats = await ask(server.config)
        assert stats.store is None
        first = picture(stats).plain.splitlines()[0]
        assert "It cannot store, and acknowledges nothing" in first
        assert "Keeps failing: looking at rights" in first
        assert "cannot be read now" in picture(stats).plain


async def test_without_a_server_the_database_tells_what_it_can(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(tmp_path) as server:
        await people(server)
    here = ServerConfig(state_folder=tmp_path)
    assert await show(here, as_json=False, watch=False) == NOT_RUNNING
    out = capsys.readouterr().out
    assert "no server runs here" in out.splitlines()[0]
    assert re.search(r"^  people +2$", out, re.MULTILINE)
    assert await show(here, as_json=True, watch=False) == NOT_RUNNING
    answer = json.loads(capsys.readouterr().out)
    assert ("running" in answer, answer["store"]["users"]) == (False, 2)


async def test_a_folder_without_either_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"no server and no database in .*/none"):
        await ask(ServerConfig(state_folder=tmp_path / "none"))
    assert not await asyncio.to_thread((tmp_path / "none").exists)


async def test_it_is_told_again_until_it_is_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("strapline.statistics._WATCH_EVERY_S", 0.01)
    async with serving(tmp_path) as server:
        watching = asyncio.create_task(show(server.config, as_json=True, watch=True))
        lines: list[str] = []
        async with asyncio.timeout(20):
            while len(lines) < 3:
                await asyncio.sleep(0.01)
                lines += capsys.readouterr().out.splitlines()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    ages = [json.loads(line)["running"]["uptimeMs"] for line in lines]
    assert ages == sorted(ages)


async def test_numbers_stand_under_one_another_and_no_name_of_a_field_is_shown(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as server:
        await people(server)
        server.counters.readings_stored = 1_234_567
        stats = await ask(server.config)
    text = picture(stats)
    lines = [line for line in text.plain.splitlines() if line.startswith("  ")]
    ends = {match.end() for line in lines if (match := re.match(r"  .+?  +[\d,.]+", line))}
    assert len(ends) == 1
    assert "1,234,567" in text.plain
    assert "_" not in text.plain
    assert not re.search(r"[a-z][A-Z]", text.plain.replace("MiB", ""))
