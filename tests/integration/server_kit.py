"""A server on a real socket, and plain clients that say and hear one message at a time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from strapline_protocol.base import WireModel
from strapline_protocol.codec import decode_server, encode
from strapline_protocol.opening import SUBPROTOCOL, Authenticate, Authenticated, Client, Hello
from strapline_protocol.publishing import (
    Acknowledged,
    Anchor,
    ClockSource,
    Lane,
    Readings,
    Stream,
    Zero,
)
from strapline_protocol.series import Counter, Series, differences
from strapline_protocol.server_session import Deadlines
from strapline_protocol.watching import Subscribe, Subscribed
from strapline_server import Server, ServerConfig
from strapline_server.clock import clock_state, wall_ms

M = TypeVar("M", bound=WireModel)
PATIENCE_S = 10.0


class Peer:
    """One client's connection."""

    def __init__(self, socket: ClientConnection, hello: Hello) -> None:
        self.socket = socket
        self.hello = hello
        self.heard: list[WireModel] = []

    async def say(self, message: WireModel) -> None:
        """Send one message."""
        await self.socket.send(encode(message).decode())

    async def hear(self) -> WireModel:
        """The next message."""
        frame = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
        message = decode_server(frame)
        self.heard.append(message)
        return message

    async def expect(self, kind: type[M]) -> M:
        """The next message of this kind; others before it are kept in ``heard``."""
        while True:
            message = await self.hear()
            if isinstance(message, kind):
                return message

    async def ended(self) -> tuple[int, str]:
        """The code and reason that the server closes with."""
        with suppress(ConnectionClosed):
            while True:
                await self.hear()
        return self.socket.close_code or 1006, self.socket.close_reason or ""

    async def subscribe(self, **fields: Any) -> Subscribed:
        """Subscribe and hear the snapshot."""
        await self.say(Subscribe(request=secrets.token_urlsafe(4), **fields))
        return await self.expect(Subscribed)


@asynccontextmanager
async def serving(folder: Path, **settings: Any) -> AsyncIterator[Server]:
    """A server on a free port."""
    deadlines = settings.pop("deadlines", Deadlines())
    clock = settings.pop("clock", wall_ms)
    state = settings.pop("clock_state", clock_state)
    config = ServerConfig(port=0, state_folder=folder, **settings)
    async with Server(config, clock, deadlines, clock_state=state) as server:
        yield server


@asynccontextmanager
async def connected(server: Server, **options: Any) -> AsyncIterator[Peer]:
    """A socket that has heard HELLO."""
    options.setdefault("subprotocols", [SUBPROTOCOL])
    address = f"ws://127.0.0.1:{server.port}/ws"
    async with connect(address, compression=None, max_size=None, **options) as socket:
        hello = decode_server(await asyncio.wait_for(socket.recv(), PATIENCE_S))
        assert isinstance(hello, Hello)
        yield Peer(socket, hello)


@asynccontextmanager
async def joined(server: Server, token: str, **options: Any) -> AsyncIterator[Peer]:
    """A client that has authenticated."""
    async with connected(server, **options) as peer:
        await peer.say(Authenticate(token=token, client=Client(name="test", version="0")))
        await peer.expect(Authenticated)
        yield peer


def stream_id() -> str:
    """A new stream's id."""
    return secrets.token_urlsafe(16)


def zero_at(wall: int, version: int = 1, source: ClockSource = ClockSource.SYSTEM) -> Zero:
    """A zero whose ``elapsedMs`` 0 is at this wall time."""
    anchor = Anchor(elapsed_ms=0, wall_ms=wall, uncertainty_ms=10, source=source)
    return Zero(version=version, anchors=[anchor])


class Run:
    """One run of a bridge: a stream of one user's strap, numbered from 0."""

    def __init__(self, began_ms: int, user: str = "ana", device: str = "strap-1") -> None:
        self.id = stream_id()
        self.began_ms = began_ms
        self.user = user
        self.device = device
        self.next = 0

    def declaration(self, version: int = 1, began_ms: int | None = None) -> Stream:
        """Its STREAM."""
        zero = zero_at(self.began_ms if began_ms is None else began_ms, version)
        return Stream(stream=self.id, next_seq=self.next, zero=zero)

    def series(
        self,
        values: Sequence[float | None],
        elapsed_ms: Sequence[int],
        metric: str = "heart_rate",
        first: int | None = None,
        counter: tuple[str, int] | None = None,
        **columns: Any,
    ) -> Series:
        """Readings with the next numbers, or from ``first`` on."""
        begin = self.next if first is None else first
        self.next = max(self.next, begin + len(values))
        if counter is not None:
            columns["counter"] = Counter(id=counter[0], from_=counter[1])
        return Series(
            user=columns.pop("user", self.user),
            device=columns.pop("device", self.device),
            metric=metric,
            seq=[begin] + [1] * (len(values) - 1),
            elapsed_ms=differences(elapsed_ms),
            value=list(values),
            **columns,
        )

    def readings(self, *series: Series, lane: Lane = Lane.LIVE) -> Readings:
        """A message with these."""
        return Readings(stream=self.id, lane=lane, series=list(series))

    async def declare(self, bridge: Peer, **fields: Any) -> Acknowledged:
        """Tell the server of it."""
        await bridge.say(self.declaration(**fields))
        return await bridge.expect(Acknowledged)

    async def publish(self, bridge: Peer, *series: Series, lane: Lane = Lane.LIVE) -> Acknowledged:
        """Send these and wait for the acknowledgement."""
        await bridge.say(self.readings(*series, lane=lane))
        return await bridge.expect(Acknowledged)


class Raw:
    """A plain TCP connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """Send these bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def read_all(self) -> bytes:
        """All until the server closes its end."""
        return await asyncio.wait_for(self.reader.read(), PATIENCE_S)

    async def request(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """One plain request and its response."""
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.send("\r\n".join([*lines, "", ""]).encode())
        return Answer.parse(await self.read_all())

    async def upgrade(
        self, path: str = "/ws", *, host: str = "localhost", **headers: str
    ) -> Answer:
        """A handshake; what follows its response is left to be read."""
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
        ]
        headers.setdefault("Sec_WebSocket_Protocol", SUBPROTOCOL)
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.send("\r\n".join([*lines, "", ""]).encode())
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        return Answer.parse(head)

    async def frame(self) -> tuple[int, bytes]:
        """The next frame that the server sends: opcode and payload."""
        head = await asyncio.wait_for(self.reader.readexactly(2), PATIENCE_S)
        length = head[1] & 0x7F
        if length == 126:
            length = int.from_bytes(await self.reader.readexactly(2), "big")
        elif length == 127:
            length = int.from_bytes(await self.reader.readexactly(8), "big")
        return head[0] & 0x0F, await self.reader.readexactly(length)

    async def close_code(self) -> int:
        """The code of the close frame that comes, whatever comes before it."""
        while True:
            opcode, payload = await self.frame()
            if opcode == 8:
                return int.from_bytes(payload[:2], "big")


@dataclass(frozen=True)
class Answer:
    """A plain response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def parse(cls, data: bytes) -> Answer:
        """Out of all that was received."""
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        pairs = (line.split(": ", 1) for line in lines)
        return cls(int(first.split()[1]), {name.lower(): value for name, value in pairs}, body)


@asynccontextmanager
async def raw(server: Server) -> AsyncIterator[Raw]:
    """A plain TCP connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield Raw(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something inside the server that no message tells."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  # no event tells of it
            await asyncio.sleep(0)
    assert condition(), what
