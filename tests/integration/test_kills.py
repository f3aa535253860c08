"""SIGKILL of both ends at random moments under load: nothing is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from strapline_client import WebSocketService
from tests.integration.kill_kit import Eye, KilledBridge, KilledServer, compare, killed_server

_EVERY_MS = 12
_AGO_MS = 3 * 3_600_000


async def carry_out(folder: Path, kills: int, seed: int) -> None:
    """So many kills, then calm, then both ends are compared."""
    dice = random.Random(seed)  # noqa: S311  # moments are to be named again
    eye = Eye()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(killed_server(folder / "server"))
        bridges = [
            # What the last one's strap says is hours old: its blocks are merged meanwhile.
            KilledBridge(folder / f"{n}.db", server, n, ago_ms=_AGO_MS if n == 2 else 0)
            for n in range(3)
        ]
        for bridge in bridges:
            stack.push_async_callback(bridge.kill)
            await bridge.start(_EVERY_MS)
        viewer = await stack.enter_async_context(WebSocketService(server.url, server.viewer_token))
        watching = asyncio.create_task(eye.watch(viewer.updates(1_000_000)))
        stack.callback(watching.cancel)
        for bridge in bridges:
            await bridge.until_said(20)
        for _ in range(kills):
            await _kill_one(dice, server, bridges)
        for bridge in bridges:
            await bridge.until_said(20)
            await bridge.kill()
        cards = [await bridge.drain(folder / "look.db") for bridge in bridges]
        stored = await asyncio.to_thread(server.look)
    said = {one: line for bridge in bridges for one, line in bridge.said.items()}
    readings = compare(stored, cards, said)
    assert readings > 20 * kills
    assert eye.seen
    assert max(eye.seen.values()) == 1
    assert eye.seen.keys() <= stored.lines.keys()


async def _kill_one(dice: random.Random, server: KilledServer, bridges: list[KilledBridge]) -> None:
    await asyncio.sleep(dice.random() * 0.4)
    if dice.random() < 0.4:
        await server.kill()
        # A while without a server, so that what was measured then is drained under the next kill.
        await asyncio.sleep(dice.random() * 0.5)
        await server.start()
    else:
        bridge = dice.choice(bridges)
        await bridge.kill()
        await bridge.start(_EVERY_MS)
        if dice.random() < 0.5:
            await bridge.until_said(1)


@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_lost_or_doubled_by_ten_kills(tmp_path: Path, seed: int) -> None:
    await carry_out(tmp_path, 10, seed)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("seed", range(10, 18))
async def test_nothing_is_lost_or_doubled_by_two_hundred_kills(tmp_path: Path, seed: int) -> None:
    await carry_out(tmp_path, 25, seed)
