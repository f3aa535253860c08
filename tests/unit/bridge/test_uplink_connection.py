"""One connection: how it opens, and every way in which it can end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from strapline_bridge.clock import SystemBootClock
from strapline_bridge.errors import BridgeError
from strapline_bridge.outbox.errors import OutboxReadError
from strapline_bridge.uplink import connection as module
from strapline_bridge.uplink.connection import Connection, Endpoint, Greeting
from strapline_bridge.uplink.leaving import MayNotLeaveError
from strapline_bridge.uplink.retrying import Ending
from strapline_bridge.uplink.tokens import SignedTokens, TokenSource
from strapline_protocol.closing import CloseCode
from strapline_protocol.opening import Authenticate, Client, GoingAway
from tests.integration.bridge_kit import Receiver, until


class _Stub:
    """Stands where a conversation stands, and says what it is told to."""

    def __init__(self, frames: list[bytes]) -> None:
        self.frames = frames
        self.taken: list[object] = []

    def take(self, message: object) -> None:
        self.taken.append(message)

    async def next_frame(self) -> bytes | None:
        return self.frames.pop(0) if self.frames else None

    def say(self, frame: bytes) -> None:
        self.frames.append(frame)


class _Attempt:
    """A connection to be run, and what is heard of it."""

    def __init__(
        self, url: str, tokens: TokenSource | None = None, frames: list[bytes] | None = None
    ) -> None:
        self.greetings: list[Greeting] = []
        self.stub = _Stub(frames or [])
        self.connected = 0
        self.done = 0
        self.connection = Connection(
            Endpoint(
                url=url,
                tokens=tokens or SignedTokens(lambda _: "a-token"),
                client=Client(name="strapline-bridge", version="9"),
                boot_clock=SystemBootClock(),
                converse=self._converse,
                greeted=self.greetings.append,
                connected=self._connected,
                done=self._done,
            )
        )

    def _converse(self, *_: object) -> Any:
        return self.stub

    def _connected(self) -> None:
        self.connected += 1

    def _done(self) -> None:
        self.done += 1

    async def ending(self) -> Ending:
        async with asyncio.timeout(20):
            return await self.connection.run()


@asynccontextmanager
async def _served(handler: Callable[[ServerConnection], Any], **options: Any) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, compression=None, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


async def _nothing(socket: ServerConnection) -> None:
    await socket.wait_closed()


async def test_it_opens_and_says_who_it_is() -> None:
    async with Receiver().serving() as server:
        attempt = _Attempt(server.url)
        running = asyncio.create_task(attempt.connection.run())
        await until(lambda: attempt.connected == 1)
        (said,) = server.of(Authenticate)
        assert (said.token, said.client.name) == ("a-token", "strapline-bridge")
        (greeting,) = attempt.greetings
        assert greeting.before_ns < greeting.after_ns
        assert attempt.connection.progress.ready
        assert server.sockets[0].request is not None
        assert server.sockets[0].request.headers["User-Agent"] == "strapline-bridge/9"
        assert "a-token" not in str(server.sockets[0].request.headers)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()
        assert attempt.done == 1
        await server.sockets[0].wait_closed()
        assert server.sockets[0].close_code == CloseCode.GOING_AWAY


async def test_the_code_and_reason_of_a_close_are_passed_on() -> None:
    server = Receiver()
    async with server.serving():
        attempt = _Attempt(server.url)
        running = asyncio.create_task(attempt.ending())
        await until(lambda: attempt.connected == 1)
        await server.say(GoingAway(reconnect_after_ms=60_000))
        await server.end(4429, "too many; retry after 100 ms")
        ending = await running
        assert (ending.code, ending.reason) == (4429, "too many; retry after 100 ms")
        assert not ending.useful
        assert ending.come_back_ms is not None
        assert 50_000 < ending.come_back_ms <= 60_000
        assert ending.spread_ms == 50


async def test_a_reason_that_would_move_a_terminal_does_not() -> None:
    server = Receiver()
    async with server.serving():
        attempt = _Attempt(server.url)
        running = asyncio.create_task(attempt.ending())
        await until(lambda: attempt.connected == 1)
        await server.end(4403, "no\x1b[2J\n\x07 more")
        assert (await running).reason == "no[2J more"


async def test_a_lost_connection_is_one_without_a_code() -> None:
    server = Receiver()
    async with server.serving():
        attempt = _Attempt(server.url)
        running = asyncio.create_task(attempt.ending())
        await until(lambda: attempt.connected == 1)
        server.sockets[0].transport.abort()
        assert (await running).code == CloseCode.LOST


async def test_nobody_there() -> None:
    ending = await _Attempt("ws://127.0.0.1:1").ending()
    assert ending.code == CloseCode.LOST
    assert "cannot be reached" in ending.reason


async def test_a_server_of_another_kind() -> None:
    async with _served(_nothing) as url:
        assert "does not speak strapline.v1" in (await _Attempt(url).ending()).reason


async def test_a_door_that_is_shut() -> None:
    def refuse(socket: ServerConnection, request: Request) -> Response:
        return socket.respond(403, "no")

    async with _served(_nothing, process_request=refuse) as url:
        assert "HTTP 403" in (await _Attempt(url).ending()).reason


async def test_something_that_is_no_websocket_at_all() -> None:
    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(chatter, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        ending = await _Attempt(f"ws://127.0.0.1:{port}").ending()
        assert ending.code == CloseCode.LOST
        assert ending.reason


async def test_a_server_that_never_says_hello(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OPEN_WITHIN_S", 0.2)
    async with _served(_nothing, subprotocols=["strapline.v1"]) as url:
        assert "silent" in (await _Attempt(url).ending()).reason


async def test_a_token_that_cannot_be_had_is_said_and_tried_again() -> None:
    class Broken:
        async def token(self, server_time_ms: int) -> str:
            raise BridgeError("there is no token", "Make one")

        async def keep(self, token: str) -> None: ...

    async with Receiver().serving() as server:
        ending = await _Attempt(server.url, Broken()).ending()
        assert ending.code == CloseCode.UNAUTHENTICATED
        assert ending.reason == "there is no token. Make one."
        assert not server.of(Authenticate)


async def test_a_disk_that_cannot_be_read_is_not_a_token_that_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def unreadable(self: _Stub) -> bytes | None:
        raise OutboxReadError("disk I/O error")

    monkeypatch.setattr(_Stub, "next_frame", unreadable)
    async with Receiver().serving() as server:
        ending = await _Attempt(server.url).ending()
        assert ending.code == CloseCode.LOST
        assert ending.reason == "the outbox cannot be read: disk I/O error. Check the disk."


async def test_a_frame_that_may_not_leave_does_not(caplog: pytest.LogCaptureFixture) -> None:
    frame = b'{"type":"STATUS","address":"AA:BB:CC:DD:EE:FF"}'
    async with Receiver().serving() as server:
        with caplog.at_level(logging.ERROR):
            ending = await _Attempt(server.url, frames=[frame]).ending()
        assert "a fault in this bridge" in ending.reason
        assert ending.code == CloseCode.LOST
        assert not [said for said in server.frames if "STATUS" in said]
    assert MayNotLeaveError.__name__ in caplog.text
    assert "AA:BB" not in caplog.text


async def test_the_token_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="strapline_bridge"):
        async with Receiver().serving() as server:
            tokens = SignedTokens(lambda _: "very-secret-token")
            attempt = _Attempt(server.url, tokens)
            running = asyncio.create_task(attempt.ending())
            await until(lambda: attempt.connected == 1)
            await server.end(4401, "expired")
            await running
    assert "very-secret-token" not in caplog.text
