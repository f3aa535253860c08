"""A server on a real socket, and plain clients that say and hear one message at a time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from websockets.asyncio.client import ClientConnection, connect

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
from strapline_server.clock import wall_ms

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
        await asyncio.wait_for(self.socket.wait_closed(), PATIENCE_S)
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
    config = ServerConfig(port=0, state_folder=folder, **settings)
    async with Server(config, clock=clock, deadlines=deadlines) as server:
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
