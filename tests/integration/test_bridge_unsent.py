"""However long the backlog, at most 16 KiB of it wait in the socket: the present is next."""

from __future__ import annotations

import asyncio
import fcntl
import struct
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection

from strapline_bridge.uplink import connection as module
from tests.integration.bridge_kit import (
    Receiver,
    a_reading,
    an_outbox,
    an_uplink,
    drained,
    running,
    until,
)

#: Bytes written to a TCP socket that have not left yet (linux/sockios.h).
_SIOCOUTQNSD = 0x894B
_MOST_UNSENT = 16 * 1_024


def _unsent(websocket: ClientConnection) -> int:
    transport = websocket.transport
    answer = fcntl.ioctl(
        transport.get_extra_info("socket").fileno(), _SIOCOUTQNSD, struct.pack("i", 0)
    )
    (in_kernel,) = struct.unpack("i", answer)
    return int(in_kernel) + transport.get_write_buffer_size()


async def test_a_server_that_stops_reading_leaves_little_unsent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sockets: list[ClientConnection] = []
    keep_little = module._keep_little_unsent

    def noted(websocket: ClientConnection) -> None:
        sockets.append(websocket)
        keep_little(websocket)

    monkeypatch.setattr(module, "_keep_little_unsent", noted)
    server = Receiver(window=100_000)
    async with an_outbox(tmp_path / "o.db") as outbox:
        for at in range(20_000):
            outbox.put(a_reading(40 + at % 100, boot_ns=at * 10**9))
            if at % 2_000 == 0:
                await outbox.flush()
        await outbox.flush()
    async with server.serving(receive_buffer=4_096), an_outbox(tmp_path / "o.db") as outbox:
        async with running(an_uplink(outbox, server.url)) as uplink:
            # The allowance has grown by then: what stops the bridge is the socket alone.
            await server.until(lambda: len(server.held) > 3_000)
            server.sockets[-1].transport.pause_reading()
            await until(lambda: bool(sockets) and _unsent(sockets[-1]) > 0)
            # Whatever it could still hand over, it has by then.
            for _ in range(20):
                await asyncio.sleep(0.01)
                assert _unsent(sockets[-1]) <= _MOST_UNSENT
            server.sockets[-1].transport.resume_reading()
            await drained(uplink)
        assert len(server.held) == 20_000
