"""A server that says what a test tells it to, over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from strapline_protocol.base import WireModel
from strapline_protocol.codec import decode_client, encode
from strapline_protocol.messages import ClientMessage
from strapline_protocol.opening import (
    SUBPROTOCOL,
    Authenticate,
    Authenticated,
    ClockState,
    Hello,
    Limits,
    Role,
)
from strapline_protocol.watching import (
    Hops,
    ServerHop,
    ServerState,
    Subscribe,
    Subscribed,
    SyncStatus,
    UserSnapshot,
    UserStatus,
)


class Peer:
    """The server's end of one connection."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket

    async def say(self, *messages: WireModel) -> None:
        for message in messages:
            await self._socket.send(encode(message), text=True)

    async def hear(self) -> ClientMessage:
        return decode_client(await self._socket.recv())

    async def close(self, code: int, reason: str = "") -> None:
        await self._socket.close(code, reason)

    async def lose(self) -> None:
        """End it as a cable does."""
        self._socket.transport.abort()
        await self._socket.wait_closed()

    async def until_left(self) -> None:
        await self._socket.wait_closed()

    async def open(self, *, heartbeat_ms: int = 15_000, spread_ms: int = 0) -> Authenticate:
        """HELLO, AUTHENTICATE, AUTHENTICATED."""
        await self.say(
            Hello(store="s", epoch="e", server_time=1, clock_state=ClockState.SYNCHRONISED)
        )
        message = await self.hear()
        assert isinstance(message, Authenticate)
        await self.say(
            Authenticated(
                session="s1",
                principal="watcher",
                role=Role.VIEWER,
                users=["maren"],
                expires_at=2**40,
                heartbeat_ms=heartbeat_ms,
                reconnect_spread_ms=spread_ms,
                limits=Limits(requests_in_flight=2),
            )
        )
        return message

    async def subscribe(self, position: int, *, reset: bool = True) -> Subscribe:
        """SUBSCRIBE, and its answer."""
        message = await self.hear()
        assert isinstance(message, Subscribe)
        status = UserStatus(
            status=SyncStatus.REALTIME,
            hops=Hops(server=ServerHop(state=ServerState.OK, since_ms=0)),
            pending=0,
            complete_through_ms=None,
            last_sync_at=None,
        )
        maren = UserSnapshot(
            name="Maren Holt",
            position=("e", position),
            reset=reset,
            status=status,
            state={} if reset else None,
        )
        await self.say(
            Subscribed(request=message.request, snapshot={"maren": maren}, server_time=1)
        )
        return message


Script = Callable[[Peer], Awaitable[None]]


class ScriptedServer:
    """Plays one script for each connection, in order.

    Attributes:
        url: where it listens.
        failures: what a script raised; a test asserts that there is none.
    """

    def __init__(self, scripts: tuple[Script, ...]) -> None:
        self._scripts = iter(scripts)
        self.url = ""
        self.failures: list[BaseException] = []
        self.played = 0
        self.done = asyncio.Event()

    async def play(self, socket: ServerConnection) -> None:
        self.played += 1
        script = next(self._scripts, None)
        if script is None:
            return
        try:
            await script(Peer(socket))
        except ConnectionClosed:
            pass
        except Exception as error:  # noqa: BLE001  # the test reads and raises it
            self.failures.append(error)
        self.done.set()


@contextlib.asynccontextmanager
async def scripted(*scripts: Script) -> AsyncIterator[ScriptedServer]:
    """A listening server; raises at the end what a script raised."""
    server = ScriptedServer(scripts)
    async with serve(
        server.play, "127.0.0.1", 0, subprotocols=[Subprotocol(SUBPROTOCOL)]
    ) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        server.url = f"ws://127.0.0.1:{port}/ws"
        yield server
    for failure in server.failures:
        raise failure
