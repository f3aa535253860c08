"""A viewer that reads slowly or not at all: bounded, the newest only, told what it missed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from websockets.frames import Frame, Opcode

from strapline_protocol.codec import decode_server, encode
from strapline_protocol.opening import Authenticate, Client
from strapline_protocol.server_session import Deadlines
from strapline_protocol.watching import HealthDataUpdate, HistoryChange, HistoryChanged, Subscribe
from strapline_server import connection as connection_module
from strapline_server.clock import wall_ms
from strapline_server.config import Bounds
from tests.integration.server_kit import Peer, Raw, Run, joined, raw, serving, until


def said(message: Authenticate | Subscribe) -> bytes:
    return Frame(Opcode.TEXT, encode(message)).serialize(mask=True)


async def join(peer: Raw, token: str) -> None:
    await peer.upgrade()
    await peer.send(said(Authenticate(token=token, client=Client(name="slow", version="0"))))
    while b"AUTHENTICATED" not in (await peer.frame())[1]:
        pass


async def watch(peer: Raw, token: str) -> None:
    await join(peer, token)
    await peer.send(said(Subscribe(request="1")))
    while b"SUBSCRIBED" not in (await peer.frame())[1]:
        pass


async def push(bridge: Peer, run: Run, count: int) -> None:
    """Readings with many RR intervals, so that few of them fill any buffer."""
    for number in range(count):
        elapsed = wall_ms() - run.began_ms
        series = run.series(
            [60 + number % 90] * 200, [elapsed] * 200, rr=[[900] * 60 for _ in range(200)]
        )
        await run.publish(bridge, series)


async def test_a_stopped_reader_costs_a_bound_and_is_told_what_it_skipped(tmp_path: Path) -> None:
    limits = Bounds(viewer_buffer_bytes=16_384)
    async with serving(tmp_path, limits=limits) as server:
        await server.admin.add_user("ana", zone="UTC")
        bridge_token = await server.admin.issue_token("pi", "bridge", ["ana"], 600)
        viewer_token = await server.admin.issue_token("eye", "viewer", ["ana"], 600)
        async with joined(server, bridge_token) as bridge, joined(server, viewer_token) as other:
            await other.subscribe()
            async with raw(server) as slow:
                await watch(slow, viewer_token)
                # From here on it reads nothing.
                slow.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a ReadTransport
                run = Run(wall_ms() - 1_000)
                await run.declare(bridge)
                reading = asyncio.create_task(drain(other))
                await push(bridge, run, 400)
                assert server.counters.conflated > 50
                unsent = [one for one in server._connections if one.congested]
                assert len(unsent) == 1
                assert isinstance(unsent[0], connection_module.Connection)
                transport = unsent[0]._transport
                assert transport is not None
                assert transport.get_write_buffer_size() < 16_384 + 150_000
                # It reads again: what is left is in order, complete to the last, and says so.
                slow.writer.transport.resume_reading()  # type: ignore[attr-defined]  # see above
                last = await told_all(slow, 400)
                assert last.position[1] == 400
                reading.cancel()


async def test_what_is_replayed_to_a_stopped_reader_costs_a_bound_too(tmp_path: Path) -> None:
    limits = Bounds(viewer_buffer_bytes=16_384)
    async with serving(tmp_path, limits=limits) as server:
        await server.admin.add_user("ana", zone="UTC")
        bridge_token = await server.admin.issue_token("pi", "bridge", ["ana"], 600)
        viewer_token = await server.admin.issue_token("eye", "viewer", ["ana"], 600)
        async with joined(server, bridge_token) as bridge, raw(server) as slow:
            run = Run(wall_ms() - 1_000)
            await run.declare(bridge)
            await push(bridge, run, 150)
            await join(slow, viewer_token)
            slow.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a ReadTransport
            await slow.send(said(Subscribe(request="1", since={"ana": (server._store.epoch, 0)})))
            await until(lambda: server.counters.conflated > 0, "some were kept")
            (unsent,) = (one for one in server._connections if one.congested)
            assert isinstance(unsent, connection_module.Connection)
            assert unsent._transport is not None
            assert unsent._transport.get_write_buffer_size() < 16_384 + 150_000
            slow.writer.transport.resume_reading()  # type: ignore[attr-defined]  # see above
            assert (await told_all(slow, 150, 0)).series.value[0] == 60 + 149 % 90


async def drain(peer: Peer) -> None:
    while True:
        await peer.hear()
        peer.heard.clear()


async def told_all(slow: Raw, end: int, least_left_out: int = 50) -> HealthDataUpdate:
    """Follow the changes to the last: none lost without its stretch, none told as a gap."""
    update = position = left_out = skipped = 0
    while True:
        opcode, payload = await slow.frame()
        if opcode != Opcode.TEXT:
            continue
        message = decode_server(payload)
        if not isinstance(message, (HealthDataUpdate, HistoryChanged)):
            continue
        assert message.previous[1] <= position < message.position[1]
        position = message.position[1]
        if isinstance(message, HistoryChanged):
            assert message.why is HistoryChange.SKIPPED
            assert message.from_ms < message.to_ms <= wall_ms() + 1
            skipped += message.count
            continue
        assert message.position[1] == update + 1 + message.conflated
        update = message.position[1]
        left_out += message.conflated
        assert skipped == 200 * left_out
        if update == end:
            assert left_out > least_left_out
            return message


async def test_who_asked_for_an_interval_is_told_only_how_many_were_left_out(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as server:
        await server.admin.add_user("ana", zone="UTC")
        bridge_token = await server.admin.issue_token("pi", "bridge", ["ana"], 600)
        viewer_token = await server.admin.issue_token("eye", "viewer", ["ana"], 600)
        async with joined(server, bridge_token) as bridge, joined(server, viewer_token) as eye:
            await eye.subscribe(min_interval_ms=400)
            run = Run(wall_ms() - 1_000)
            await run.declare(bridge)
            await run.publish(bridge, run.series([60], [1]))
            assert (await eye.expect(HealthDataUpdate)).conflated == 0
            for number in range(5):
                await run.publish(bridge, run.series([70 + number], [10 + number]))
            newest = await eye.expect(HealthDataUpdate)
            while newest.series.value != [74]:
                newest = await eye.expect(HealthDataUpdate)
            assert not [one for one in eye.heard if isinstance(one, HistoryChanged)]
            updates = [one for one in eye.heard if isinstance(one, HealthDataUpdate)]
            assert sum(one.conflated for one in updates) + len(updates) == 6
            assert [one.previous for one in updates[1:]] == [one.position for one in updates[:-1]]


async def test_a_viewer_that_takes_nothing_for_minutes_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "STUCK_MS", 300)
    limits = Bounds(viewer_buffer_bytes=16_384)
    # Long enough that it is not cut for its silence before it is stuck.
    deadlines = Deadlines(heartbeat_ms=2_500)
    async with serving(tmp_path, limits=limits, deadlines=deadlines) as server:
        await server.admin.add_user("ana", zone="UTC")
        bridge_token = await server.admin.issue_token("pi", "bridge", ["ana"], 600)
        viewer_token = await server.admin.issue_token("eye", "viewer", ["ana"], 600)
        async with joined(server, bridge_token) as bridge, raw(server) as slow:
            await watch(slow, viewer_token)
            slow.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a ReadTransport
            run = Run(wall_ms() - 1_000)
            await run.declare(bridge)
            for _ in range(60):
                await push(bridge, run, 10)
                if server.counters.stuck_closed:
                    break
            await until(lambda: server.counters.stuck_closed == 1, "it was cut")
