"""Outbox and uplink against a server of the test's own, over real sockets and a real file."""

from __future__ import annotations

import asyncio
from pathlib import Path

from strapline_protocol.publishing import Lane, Readings, Stream
from tests.integration.bridge_kit import (
    Committed,
    Receiver,
    a_reading,
    an_outbox,
    an_uplink,
    drained,
    running,
)


async def test_what_is_stored_arrives_once_and_is_acknowledged(tmp_path: Path) -> None:
    stored = Committed()
    async with Receiver().serving() as server, an_outbox(tmp_path / "o.db", stored) as outbox:
        async with running(an_uplink(outbox, server.url)) as uplink:
            for rate in range(100):
                outbox.put(a_reading(60 + rate))
                await asyncio.sleep(0)
            await outbox.flush()
            await server.until(lambda: len(server.held) == 100)
            await drained(uplink)
        assert server.held == stored.content
        assert server.repeats == 0
        assert outbox.status().pending == 0
        assert [message.stream for message in server.of(Stream)] == [outbox.stream]


async def test_backlog_of_an_earlier_run_follows_behind_the_live_lane(tmp_path: Path) -> None:
    stored = Committed()
    async with an_outbox(tmp_path / "o.db", stored) as outbox:
        for rate in range(3_000):
            outbox.put(a_reading(60 + rate % 100))
    async with Receiver().serving() as server, an_outbox(tmp_path / "o.db", stored) as outbox:
        async with running(an_uplink(outbox, server.url)) as uplink:
            await server.until(lambda: uplink.state.connections == 1 and len(server.held) > 0)
            outbox.put(a_reading(55))
            await server.until(lambda: len(server.held) == 3_001)
            await drained(uplink)
        lanes = [m.lane for m in server.messages if isinstance(m, Readings)]
        assert Lane.LIVE in lanes
        assert lanes.index(Lane.LIVE) < len(lanes) - 1
        assert server.held == stored.content
        assert server.repeats == 0
