"""Backup beside a running server, restore, and what both ends make of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from strapline_protocol.intervals import IntervalSet
from strapline_protocol.watching import HealthDataUpdate
from strapline_server import ServerConfig, StoreError, backup, restore
from strapline_server.clock import wall_ms
from tests.integration.server_kit import Run, joined, serving


async def test_a_copy_made_under_load_holds_all_that_was_acknowledged_before(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "server"
    config = ServerConfig(state_folder=folder)
    run = Run(wall_ms() - 60_000)
    async with serving(folder) as server:
        await server.admin.add_user("ana", "Ana", "UTC")
        token = await server.admin.issue_token("pi", "bridge", ["ana"], 600)
        viewer = await server.admin.issue_token("eye", "viewer", ["ana"], 600)
        async with joined(server, token) as bridge:
            await run.declare(bridge)
            for _ in range(20):
                await run.publish(bridge, run.series([70] * 50, range(run.next, run.next + 50)))
            before = run.next
            copying = asyncio.create_task(backup(config, tmp_path / "copy.db"))
            while not copying.done():
                await run.publish(bridge, run.series([71], [run.next]))
            copied = await copying
            assert before <= copied.readings <= run.next
        async with joined(server, viewer) as eye:
            epoch, position = (await eye.subscribe()).snapshot["ana"].position
        with pytest.raises(StoreError, match="Stop it"):
            await restore(config, tmp_path / "copy.db")
    await restore(config, tmp_path / "copy.db")
    async with serving(folder) as server:
        async with joined(server, token) as bridge, joined(server, viewer) as eye:
            snapshot = (await eye.subscribe(since={"ana": (epoch, position)})).snapshot["ana"]
            assert snapshot.reset, "a position of the history that is gone"
            assert snapshot.position[0] != epoch
            held = IntervalSet((await run.declare(bridge)).ranges)
            assert held == IntervalSet([(0, copied.readings - 1)])
            # What the copy lacks comes again, under its own numbers.
            lacking = range(copied.readings, run.next)
            run.next = copied.readings
            await run.publish(bridge, run.series([71] * len(lacking), list(lacking)))
            update = await eye.expect(HealthDataUpdate)
            assert update.position[0] == snapshot.position[0]
            assert (await run.declare(bridge)).ranges == [(0, run.next - 1)]
