"""SIGKILL in mid-flow, again and again: nothing that was stored is lost, doubled or changed."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from strapline_bridge.outbox import OutboxHeldError
from tests.integration.bridge_kit import (
    Content,
    Receiver,
    an_outbox,
    an_uplink,
    drained,
    running,
)
from tests.integration.bridge_victim import a_victim


async def test_killed_in_mid_flow_nothing_stored_is_lost_or_doubled(tmp_path: Path) -> None:
    path, stored = tmp_path / "outbox.db", Content()
    async with Receiver().serving() as server:
        for round_number in range(4):
            # In the second round a server that does not acknowledge lets a backlog grow.
            server.acknowledges = round_number != 1
            victim = await a_victim(path, server.url, stored, "a-token")
            await victim.until_stored(150)
            await server.until(lambda: server.connections >= 1 and bool(server.held))
            await victim.kill()
        server.acknowledges = True
        async with an_outbox(path) as outbox:
            assert outbox.status().pending > 0
            async with running(an_uplink(outbox, server.url)) as uplink:
                await drained(uplink)
            assert outbox.status().pending == 0
    missing = stored.keys() - server.held.keys()
    assert not missing
    assert {key: server.held[key] for key in stored} == stored
    assert not server.differing
    assert len({stream for stream, _ in stored}) == 4


async def test_a_second_process_is_refused_by_the_name_of_the_first(tmp_path: Path) -> None:
    path, stored = tmp_path / "outbox.db", Content()
    async with Receiver().serving() as server:
        victim = await a_victim(path, server.url, stored, "a-token")
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
