"""The opening of a socket in a host application: who is refused, and what else is said."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from strapline_server import WebSocketHandler
from strapline_server.config import Bounds
from strapline_server.host.asgi import Event
from tests.unit.server.asgi_kit import SECRET, Client, answered, scope


@pytest.fixture
def handler(tmp_path: Path) -> WebSocketHandler:
    return WebSocketHandler(SECRET, state_folder=tmp_path / "state")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"query_string": b"token=abc"}, 400),
        ({"query_string": b"t=eyJhbGciOiJIUzI1NiJ9.eyJ"}, 400),
        ({"query_string": b"x=1"}, 400),
        ({"path": "/realtime/ws/eyJhbGciOiJIUzI1NiJ9.eyJ"}, 400),
        ({"path": "/realtime/other"}, 404),
        ({"headers": [(b"host", b"a"), (b"origin", b"http://b")]}, 403),
        ({"headers": [(b"host", b"a"), (b"origin", b"null")]}, 403),
        ({"headers": [(b"origin", b"http://a")]}, 403),
        ({"headers": [(b"host", b"a"), (b"origin", b"http://a"), (b"origin", b"http://a")]}, 400),
        ({"headers": [(b"host", b"a"), (b"host", b"b")]}, 400),
    ],
)
async def test_who_is_refused_at_the_handshake(
    handler: WebSocketHandler, fields: dict[str, Any], status: int
) -> None:
    connect: Event = {"type": "websocket.connect"}
    first = await answered(handler, "websocket", (connect,), **fields)
    assert (first["type"], first["status"]) == ("websocket.http.response.start", status)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"headers": [(b"host", b"a:8000"), (b"origin", b"http://a:8000")]},
        {"path": "/realtime/ws", "root_path": ""},
        {"client": None},
    ],
)
async def test_who_is_accepted(handler: WebSocketHandler, fields: dict[str, Any]) -> None:
    events: tuple[Event, ...] = (
        {"type": "websocket.connect"},
        {"type": "websocket.disconnect", "code": 1006},
    )
    first = await answered(handler, "websocket", events, **fields)
    assert first == {"type": "websocket.accept", "subprotocol": "strapline.v1"}


@pytest.mark.parametrize(
    ("offered", "spoken"), [([], None), (["strapline.v9", "x"], "strapline.v9"), (None, None)]
)
async def test_another_version_is_accepted_and_then_told(
    handler: WebSocketHandler, offered: list[str] | None, spoken: str | None
) -> None:
    client = Client({"type": "websocket.connect"})
    async with handler.running():
        await handler(scope("websocket", subprotocols=offered), client.receive, client.send)
    accepted, closed = client.sent
    assert accepted["subprotocol"] == spoken
    assert (closed["code"], closed["reason"]) == (4426, "this server speaks strapline.v1")


async def test_a_token_in_the_address_is_in_no_log_and_in_no_scope(
    handler: WebSocketHandler, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client({"type": "websocket.connect"})
    one = scope("websocket", query_string=b"token=eyJhbGciOiJIUzI1NiJ9.eyJ")
    with caplog.at_level(logging.DEBUG):
        async with handler.running():
            await handler(one, client.receive, client.send)
    assert "eyJ" not in caplog.text
    # Servers log path and query of the scope with their answer.
    assert "eyJ" not in repr(one)


async def test_where_there_is_no_room_it_is_said_and_room_comes_again(tmp_path: Path) -> None:
    limits = Bounds(unauthenticated_per_address=1)
    handler = WebSocketHandler(SECRET, state_folder=tmp_path, limits=limits)
    async with handler.running():
        counters = handler._running().counters
        held = Client({"type": "websocket.connect"})
        task = asyncio.create_task(handler(scope("websocket"), held.receive, held.send))
        async with asyncio.timeout(5):
            while len(held.sent) < 2:  # noqa: ASYNC110  # accepted, and greeted
                await asyncio.sleep(0)
        refused = Client({"type": "websocket.connect"})
        await handler(scope("websocket"), refused.receive, refused.send)
        assert refused.sent[0]["status"] == 503
        assert (counters.connections, counters.connections_refused) == (1, 1)
        task.cancel()
        await asyncio.wait({task})
        assert (counters.connections, counters.unauthenticated) == (0, 0)
    with_room: tuple[Event, ...] = (
        {"type": "websocket.connect"},
        {"type": "websocket.disconnect", "code": 1006},
    )
    assert (await answered(handler, "websocket", with_room))["type"] == "websocket.accept"
