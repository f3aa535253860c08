"""A handler in a host application, on real sockets: slow viewers, floods, logs, mounts, updates."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount, WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol

from strapline_protocol.codec import decode_server, encode
from strapline_protocol.opening import SUBPROTOCOL, Authenticate, Client, Hello
from strapline_protocol.server_session import Deadlines
from strapline_protocol.watching import HealthDataUpdate, HistoryChanged, Subscribe, SummaryData
from strapline_server import WebSocketHandler
from strapline_server.config import Bounds
from strapline_server.host import socket as socket_module
from tests.integration.host_kit import SECRET, Mounted, mounted, uvicorn_serving
from tests.integration.server_kit import PATIENCE_S, Raw, connected, joined, raw, until


def masked(message: Authenticate | Subscribe) -> bytes:
    return Frame(Opcode.TEXT, encode(message)).serialize(mask=True)


async def watching(server: Any, peer: Raw, token: str) -> None:
    """A viewer that has subscribed, and from now on reads nothing."""
    await peer.upgrade()
    await peer.send(masked(Authenticate(token=token, client=Client(name="test", version="0"))))
    await peer.send(masked(Subscribe(request="1")))
    await until(lambda: server._hub.is_watched("ana"), "it watches")
    peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a ReadTransport


async def changed(peer: Raw) -> HealthDataUpdate | HistoryChanged:
    """The next change that it reads."""
    while True:
        _, payload = await peer.frame()
        message = decode_server(payload)
        if isinstance(message, (HealthDataUpdate, HistoryChanged)):
            return message


async def ready(server: Any) -> tuple[str, WebSocketHandler]:
    await server.admin.add_user("ana", zone="UTC")
    handler: WebSocketHandler = server._handler
    return await server.admin.issue_token("eye", "viewer", ["ana"], 600), handler


async def test_a_stopped_reader_costs_a_bound_holds_up_nobody_and_is_told_what_it_skipped(
    tmp_path: Path,
) -> None:
    limits = Bounds(viewer_buffer_bytes=16_384)
    async with mounted(tmp_path, limits=limits) as server:
        token, handler = await ready(server)
        async with raw(server) as slow, joined(server, token) as other:
            await watching(server, slow, token)
            await other.subscribe()
            sent, text = 0, "x" * 8_000
            async with asyncio.timeout(60):
                while not server.counters.conflated:
                    sent += 1
                    await handler.send_health_data_update("ana", {"steps": sent, "text": text})
                    # What is slow is so for itself alone.
                    assert (await other.expect(HealthDataUpdate)).position[1] == sent
            (stuck,) = (one for one in server._connections if one.congested)
            assert stuck._unsent_bytes < 16_384 + 20_000
            for _ in range(5):
                sent += 1
                await handler.send_health_data_update("ana", {"steps": sent})
            slow.writer.transport.resume_reading()  # type: ignore[attr-defined]  # see above
            left_out, last, shown = 0, 0, None
            async with asyncio.timeout(PATIENCE_S):
                while last < sent:
                    change = await changed(slow)
                    shown = change.data
                    assert change.position[1] > last
                    # A jump is no gap: it says what came before it here.
                    assert change.previous[1] == last
                    last = change.position[1]
                    if isinstance(change, HealthDataUpdate):
                        left_out += change.conflated
            assert isinstance(shown, SummaryData)
            assert shown.summary["steps"] == sent
            assert left_out >= 5


async def test_a_reader_that_takes_nothing_for_minutes_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_module, "STUCK_MS", 300)
    limits = Bounds(viewer_buffer_bytes=16_384)
    deadlines = Deadlines(heartbeat_ms=300)
    async with mounted(tmp_path, limits=limits, deadlines=deadlines) as server:
        token, handler = await ready(server)
        async with raw(server) as slow:
            await watching(server, slow, token)
            async with asyncio.timeout(60):
                while not server.counters.conflated:
                    await handler.send_health_data_update("ana", {"text": "x" * 8_000})
            await until(lambda: server.counters.connections == 0, "it is cut")
            assert server.counters.stuck_closed == 1
            slow.writer.transport.abort()


async def test_a_token_in_the_address_is_refused_and_not_in_the_servers_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"
    with caplog.at_level(logging.INFO):
        async with mounted(tmp_path) as server:
            for path in (f"/ws?token={token}", f"/ws/{token}"):
                async with raw(server) as peer:
                    assert (await peer.upgrade(path)).status == 400
            async with raw(server) as peer:
                assert (await peer.request(f"/?t={token}", Connection="close")).status == 400
            assert server.counters.handshakes_refused == 2
            assert server.counters.http_responses == 1
    # It logs each request all the same.
    assert caplog.text.count(" 400") >= 3
    assert "eyJ" not in caplog.text
    assert "token=" not in caplog.text


@pytest.mark.parametrize("way", ["mount", "route", "outermost", "nested"])
async def test_every_way_to_put_it_into_an_application(tmp_path: Path, way: str) -> None:
    handler = WebSocketHandler(SECRET, state_folder=tmp_path)
    app: Any
    match way:
        case "mount":
            app = Starlette(routes=[Mount("/a", handler)], lifespan=handler.lifespan)
            path = "/a/ws"
        case "route":
            route = WebSocketRoute("/somewhere/ws", handler)
            app, path = Starlette(routes=[route], lifespan=handler.lifespan), "/somewhere/ws"
        case "outermost":
            app, path = handler, "/ws"
        case _:
            inner = FastAPI()
            inner.mount("/b", handler)
            app, path = FastAPI(lifespan=handler.lifespan), "/a/b/ws"
            app.mount("/a", inner)
    async with uvicorn_serving(app) as port:
        address = f"ws://127.0.0.1:{port}{path}"
        async with connect(address, subprotocols=[Subprotocol(SUBPROTOCOL)]) as socket:
            assert isinstance(decode_server(await socket.recv()), Hello)
        with pytest.raises(InvalidStatus):
            await connect(f"{address}/other", subprotocols=[Subprotocol(SUBPROTOCOL)])


async def test_a_lifespan_that_only_the_mounted_application_has_is_never_run(
    tmp_path: Path,
) -> None:
    handler = WebSocketHandler(SECRET, state_folder=tmp_path / "state")
    inner = FastAPI(lifespan=handler.lifespan)
    inner.mount("/", handler)
    outer = FastAPI()
    outer.mount("/realtime", inner)
    async with uvicorn_serving(outer) as port:
        address = f"ws://127.0.0.1:{port}/realtime/ws"
        async with connect(address, subprotocols=[Subprotocol(SUBPROTOCOL)]) as socket:
            await asyncio.wait_for(socket.wait_closed(), PATIENCE_S)
            assert socket.close_code == 1011


async def test_who_may_not_see_a_summary_is_not_reached_by_it(tmp_path: Path) -> None:
    async with mounted(tmp_path) as server:
        token, handler = await ready(server)
        rates = await server.admin.issue_token(
            "rates", "viewer", ["ana"], 600, metrics=["heart_rate"]
        )
        async with joined(server, token) as eye, joined(server, rates) as other:
            await eye.subscribe()
            await other.subscribe()
            receipt = await handler.send_health_data_update("ana", {"steps": 7})
            assert receipt.viewers == 1
            update = await eye.expect(HealthDataUpdate)
            assert (update.position, update.stream) == (receipt.position, receipt.stream)
            assert update.series.numbers() == [receipt.seq]
            again = await other.subscribe()
            assert again.snapshot["ana"].state == {}
            state = (await eye.subscribe()).snapshot["ana"].state
            assert state is not None
            assert state["summary"] == update.data


async def test_many_updates_at_once_are_all_there_in_one_order(tmp_path: Path) -> None:
    async with mounted(tmp_path) as server:
        token, handler = await ready(server)
        async with joined(server, token) as eye:
            await eye.subscribe()
            receipts = await asyncio.gather(
                *(handler.send_health_data_update("ana", {"steps": n}) for n in range(200))
            )
            receipts.sort(key=lambda one: one.seq)
            assert [one.seq for one in receipts] == list(range(200))
            # Those of one commit share its position.
            positions = [one.position[1] for one in receipts]
            assert positions == sorted(positions)
            seen: list[int] = []
            shown = None
            while len(seen) < 200:
                update = await eye.expect(HealthDataUpdate)
                numbers = update.series.numbers()
                assert {positions[number] for number in numbers} == {update.position[1]}
                seen += numbers
                shown = update.data
            assert seen == list(range(200))
            assert isinstance(shown, SummaryData)
            assert shown.summary == {"steps": 199}


async def test_a_stop_of_the_application_ends_every_connection(tmp_path: Path) -> None:
    async with mounted(tmp_path) as server:
        token, _ = await ready(server)
        counters = server.counters
        stack = joined(server, token)
        peer = await stack.__aenter__()
        greeted = connected(server)
        waiting = await greeted.__aenter__()
    assert counters.connections == counters.unauthenticated == 0
    assert (await peer.ended())[0] == 1012
    assert (await waiting.ended())[0] == 1012
    await stack.__aexit__(None, None, None)
    await greeted.__aexit__(None, None, None)
    assert isinstance(server, Mounted)
