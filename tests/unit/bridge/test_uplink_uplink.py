"""The uplink's life between connections: jitter, draining, and what it says of itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from strapline_bridge.uplink import FileTokens, Link
from strapline_protocol.closing import Backoff, CloseCode
from strapline_protocol.publishing import Status
from tests.integration.bridge_kit import (
    Receiver,
    a_reading,
    an_outbox,
    an_uplink,
    drained,
    running,
    until,
)


async def test_each_wait_is_drawn_anew_below_a_ceiling_that_doubles(tmp_path: Path) -> None:
    draws: Iterator[float] = cycle([0.5, 0.1])
    server = Receiver()
    async with server.serving():
        pass
    waits: list[int] = []
    async with an_outbox(tmp_path / "o.db") as outbox:
        uplink = an_uplink(
            outbox,
            server.url,
            draw=lambda: next(draws),
            backoff=Backoff(base_ms=400_000, cap_ms=1_600_000),
        )
        async with running(uplink):
            for attempt in range(1, 7):
                await until(
                    lambda wanted=attempt: (  # type: ignore[misc]  # bound now
                        uplink.state.attempts == wanted and uplink.state.link is Link.WAITING
                    )
                )
                waits.append(uplink.state.retry_ms)
                uplink.retry_now()
    assert waits == [200_000, 80_000, 800_000, 160_000, 800_000, 160_000]


async def test_the_backoff_goes_on_until_a_session_was_useful(tmp_path: Path) -> None:
    server = Receiver(acknowledges=False)
    async with server.serving(), an_outbox(tmp_path / "o.db") as outbox:
        uplink = an_uplink(
            outbox, server.url, draw=lambda: 0.999, backoff=Backoff(base_ms=20, cap_ms=10_000)
        )
        async with running(uplink):
            ceilings = []
            for attempt in range(1, 5):
                await server.until(lambda wanted=attempt: len(server.of(Status)) >= wanted)  # type: ignore[misc]  # bound now
                if attempt == 4:
                    server.acknowledges = True
                    outbox.put(a_reading())
                    await outbox.flush()
                    await drained(uplink)
                await server.end(CloseCode.SERVER_FAULT)
                await until(lambda: uplink.state.link is Link.WAITING)
                ceilings.append(uplink.state.retry_ms)
                uplink.retry_now()
            assert ceilings == [19, 39, 79, 19]


async def test_draining_gives_up_in_time(tmp_path: Path) -> None:
    server = Receiver(acknowledges=False)
    async with server.serving(), an_outbox(tmp_path / "o.db") as outbox:
        outbox.put(a_reading())
        await outbox.flush()
        uplink = an_uplink(outbox, server.url)
        assert not await uplink.drain(1), "without a connection it does not wait"
        async with running(uplink):
            await server.until(lambda: bool(server.held))
            began_s = asyncio.get_running_loop().time()
            assert not await uplink.drain(0.1)
            assert asyncio.get_running_loop().time() - began_s < 5


async def test_a_server_that_stays_away_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = Receiver()
    async with server.serving():
        pass
    async with an_outbox(tmp_path / "o.db") as outbox:
        async with running(an_uplink(outbox, server.url)) as uplink:
            await until(lambda: uplink.state.attempts >= 5)
    said = [record for record in caplog.records if "trying again" in record.getMessage()]
    assert len([record for record in said if record.levelno >= logging.INFO]) == 1


async def test_a_fault_and_what_follows_are_one_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Receiver().serving() as server, an_outbox(tmp_path / "o.db") as outbox:
        tokens = FileTokens(tmp_path / "token")
        async with running(an_uplink(outbox, server.url, tokens=tokens)) as uplink:
            await until(lambda: uplink.state.link is Link.WAITING)
            assert "no token file" in (uplink.state.why or "")
    assert f"chmod 600 {tmp_path / 'token'}`; trying again in" in caplog.text


async def test_it_says_how_it_stands(tmp_path: Path) -> None:
    async with Receiver().serving() as server, an_outbox(tmp_path / "o.db") as outbox:
        uplink = an_uplink(outbox, server.url)
        uplink.report()
        assert uplink.state.link is Link.CONNECTING
        async with running(uplink):
            await until(lambda: uplink.state.link is Link.ONLINE)
            assert uplink.state.why is None
            await server.end(CloseCode.SERVER_FAULT, "out of order")
            await until(lambda: uplink.state.connections == 2)
            assert uplink.state.attempts == 2
            assert uplink.state.frames >= 1
