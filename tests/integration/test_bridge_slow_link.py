"""The present overtakes the past on a slow link: a live reading does not wait behind a backlog."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from strapline_protocol.base import WireModel
from strapline_protocol.publishing import Lane, Readings
from tests.fault_proxy import fault_proxy
from tests.integration.bridge_kit import Receiver, a_reading, an_outbox, an_uplink, running

_BYTES_A_S = 64 * 1_024


async def test_a_live_reading_does_not_wait_behind_a_days_backlog(tmp_path: Path) -> None:
    came: dict[float, float] = {}
    server = Receiver()

    def note(_: object, message: WireModel) -> None:
        if isinstance(message, Readings) and message.lane is Lane.LIVE:
            for one in message.series:
                came.update((value, time.monotonic()) for value in one.value if value is not None)

    server.react = note
    async with an_outbox(tmp_path / "o.db") as outbox:
        for at in range(40_000):
            outbox.put(a_reading(40 + at % 100, boot_ns=at * 10**9))
            if at % 2_000 == 0:
                await outbox.flush()
        await outbox.flush()
    async with (
        server.serving(),
        fault_proxy(server.port, small_buffers=True) as link,
        an_outbox(tmp_path / "o.db") as outbox,
        running(an_uplink(outbox, f"ws://127.0.0.1:{link.port}")),
    ):
        link.up.bytes_per_s = _BYTES_A_S
        # The backlog is in full flow before the present is measured.
        await server.until(lambda: len(server.held) > 2_000)
        waits: list[float] = []
        for rate in range(20):
            put_at = time.monotonic()
            outbox.put(a_reading(1_000 + rate))
            await server.until(lambda wanted=1_000 + rate: wanted in came)  # type: ignore[misc]  # bound now
            waits.append(came[1_000 + rate] - put_at)
            await asyncio.sleep(0.05)
        assert outbox.status().pending > 1_000, "the backlog was still draining"
        # About 0.25 s of it are this link's own buffers; behind the backlog it would be 6 s.
        assert sorted(waits)[len(waits) // 2] < 0.8
        assert max(waits) < 3
