"""One connection over a real socket: opens, talks, and says how it ended."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from strapline_bridge.clock import BootClock
from strapline_bridge.config import is_loopback
from strapline_bridge.errors import BridgeError
from strapline_bridge.uplink.leaving import let_out
from strapline_bridge.uplink.retrying import Ending
from strapline_bridge.uplink.tokens import TokenSource
from strapline_protocol.bridge_session import BridgeSession
from strapline_protocol.closing import CloseCode
from strapline_protocol.codec import LARGEST_ANSWER
from strapline_protocol.errors import LocalProtocolError, RemoteProtocolError
from strapline_protocol.messages import ServerMessage
from strapline_protocol.opening import (
    SUBPROTOCOL,
    Authenticated,
    Client,
    GoingAway,
    Hello,
    TokenExpiring,
)

_log = logging.getLogger(__name__)

_OPEN_WITHIN_S: Final = 10.0
_CLOSE_WITHIN_S: Final = 1.0
_LONGEST_REASON: Final = 300
_NS_PER_MS: Final = 1_000_000
#: What the kernel may hold unsent; with one frame of the backlog less than 16 KiB.
_UNSENT_BYTES: Final = 4 * 1_024


@dataclass(frozen=True, slots=True)
class Greeting:
    """What HELLO said, and when.

    Attributes:
        before_ns, after_ns: boot clock before the connection was begun and after HELLO came.
    """

    hello: Hello
    before_ns: int
    after_ns: int


@dataclass(slots=True)
class Progress:
    """How far a connection has come: read by whoever runs it, also after it has ended.

    Attributes:
        ready: AUTHENTICATED has come.
    """

    ready: bool = False
    frames: int = 0
    useful: bool = False
    spread_ms: int | None = None
    come_back_at_ms: int | None = None


class Talk(Protocol):
    """What says and hears in a connection: a bridge's conversation for one."""

    def say(self, frame: bytes) -> None:
        """Send this first."""
        ...

    def take(self, message: ServerMessage) -> None:
        """Act on a message that came."""
        ...

    async def next_frame(self) -> bytes | None:
        """What is to be sent now, or None until woken."""
        ...


Converse = Callable[[BridgeSession, Hello, Authenticated, Callable[[], None]], Talk]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect, as whom, and who listens.

    Attributes:
        converse: makes the conversation once the session stands.
        greeted: hears of each HELLO, for the clock.
        connected: hears that the session stands.
        done: hears that what ``converse`` made is over.
    """

    url: str
    tokens: TokenSource
    client: Client
    boot_clock: BootClock
    converse: Converse
    greeted: Callable[[Greeting], None]
    connected: Callable[[], None]
    done: Callable[[], None]
    headers: dict[str, str] = field(default_factory=dict)


class _NoTokenError(Exception):
    """There is no token to say who this bridge is, and nothing can be said without one."""


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Connection:
    """One attempt to reach the server and all that follows from it."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._session = BridgeSession(_now_ms(), endpoint.client)
        self._wake = asyncio.Event()
        self._token = ""
        self._ahead_ms = 0
        self.progress = Progress()

    async def run(self) -> Ending:
        """Connect and talk until it ends; never raises but when cancelled."""
        before_ns = self._endpoint.boot_clock.now_ns()
        try:
            async with self._connect() as websocket:
                return await self._use(websocket, before_ns)
        except InvalidStatus as error:
            return self._lost(f"the server answers HTTP {error.response.status_code}")
        except InvalidHandshake as error:
            return self._lost(f"no WebSocket server of this kind is there ({error})")
        except (OSError, TimeoutError) as error:
            return self._lost(f"the server cannot be reached ({_words(error)})")
        finally:
            self._session.closed()

    def _connect(self) -> connect:
        host = urlsplit(self._endpoint.url).hostname or ""
        return connect(
            self._endpoint.url,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            max_size=LARGEST_ANSWER,
            open_timeout=_OPEN_WITHIN_S,
            close_timeout=_CLOSE_WITHIN_S,
            # The protocol has its own heartbeat, which tells a wedged server from a living one.
            ping_interval=None,
            # So that send() returns when the frame is with the kernel, and the present is next.
            write_limit=0,
            proxy=None if is_loopback(host) else True,
            user_agent_header=f"{self._endpoint.client.name}/{self._endpoint.client.version}",
        )

    async def _use(self, websocket: ClientConnection, before_ns: int) -> Ending:
        if websocket.subprotocol != SUBPROTOCOL:
            return self._lost(f"the server does not speak {SUBPROTOCOL}")
        _keep_little_unsent(websocket)
        try:
            async with asyncio.timeout(_OPEN_WITHIN_S):
                hello, authenticated = await self._open(websocket, before_ns)
            self.progress.spread_ms = authenticated.reconnect_spread_ms
            await self._talk(websocket, hello, authenticated)
        except TimeoutError:
            return self._lost("the server has fallen silent")
        except ConnectionClosed as closed:
            return self._closed(closed)
        except RemoteProtocolError as error:
            await websocket.close(CloseCode.PROTOCOL_VIOLATION, "not in this protocol")
            return self._lost(f"the server broke the protocol ({error})")
        except LocalProtocolError as error:
            _log.exception("this bridge would have said something wrong")
            return self._lost(f"a fault in this bridge ({error})")
        except _NoTokenError as error:
            return Ending(CloseCode.UNAUTHENTICATED, str(error))
        except BridgeError as error:
            # The disk for one: what is to be sent cannot be read.
            return self._lost(str(error))
        except asyncio.CancelledError:
            # Leaving the context with an error would tell the server of a fault (1011).
            await websocket.close(CloseCode.GOING_AWAY, "the bridge stops")
            raise
        return self._lost("the conversation ended")

    async def _open(
        self, websocket: ClientConnection, before_ns: int
    ) -> tuple[Hello, Authenticated]:
        hello: Hello | None = None
        while True:
            message = await self._receive(websocket)
            match message:
                case Hello():
                    hello = message
                    after_ns = self._endpoint.boot_clock.now_ns()
                    self._ahead_ms = hello.server_time - after_ns // _NS_PER_MS
                    self._endpoint.greeted(Greeting(hello, before_ns, after_ns))
                    try:
                        self._token = await self._endpoint.tokens.token(hello.server_time)
                    except BridgeError as error:
                        raise _NoTokenError(str(error)) from error
                    await self._send(websocket, self._session.authenticate(self._token))
                case Authenticated() if hello is not None:
                    return hello, message
                case GoingAway():
                    self._going_away(message)

    async def _talk(
        self, websocket: ClientConnection, hello: Hello, authenticated: Authenticated
    ) -> None:
        conversation = self._endpoint.converse(self._session, hello, authenticated, self._wake.set)
        self.progress.ready = True
        self._endpoint.connected()
        # Not a TaskGroup: one that fails leaves its own request to stop on this task, and with one
        # of those asyncio.timeout() never raises TimeoutError again in Python 3.11.2, Debian 12's.
        both = [
            asyncio.create_task(self._pump(websocket, conversation), name="uplink pump"),
            asyncio.create_task(self._listen(websocket, conversation), name="uplink listen"),
        ]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for ended in [task for task in both if task.done()]:
                ended.result()
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            self.progress.useful = self._session.useful
            self._endpoint.done()

    async def _pump(self, websocket: ClientConnection, conversation: Talk) -> None:
        while True:
            self._wake.clear()
            while (frame := await conversation.next_frame()) is not None:
                await self._send(websocket, frame)
            await self._wake.wait()

    async def _listen(self, websocket: ClientConnection, conversation: Talk) -> None:
        while True:
            async with asyncio.timeout(self._session.silence_allowed_ms / 1_000):
                message = await self._receive(websocket)
            match message:
                case None:
                    continue
                case TokenExpiring():
                    await self._renew(message, conversation)
                case GoingAway():
                    self._going_away(message)
                case _:
                    conversation.take(message)

    async def _receive(self, websocket: ClientConnection) -> ServerMessage | None:
        return self._session.receive(await websocket.recv(decode=False), _now_ms())

    async def _send(self, websocket: ClientConnection, frame: bytes) -> None:
        await websocket.send(let_out(frame), text=True)
        self.progress.frames += 1

    async def _renew(self, message: TokenExpiring, conversation: Talk) -> None:
        tokens = self._endpoint.tokens
        if message.token is not None:
            token = message.token
            await tokens.keep(token)
        else:
            # Half of its life is left, so that a new token is in time if it comes by then.
            try:
                token = await tokens.token(self._server_time_ms())
            except BridgeError as error:
                _log.warning("the token cannot be renewed: %s", error)
                return
        if token != self._token:
            self._token = token
            conversation.say(self._session.refresh(token))

    def _server_time_ms(self) -> int:
        """What the server's clock shows now, by HELLO and the boot clock since."""
        return self._ahead_ms + self._endpoint.boot_clock.now_ns() // _NS_PER_MS

    def _going_away(self, message: GoingAway) -> None:
        self.progress.come_back_at_ms = _now_ms() + message.reconnect_after_ms

    def _closed(self, closed: ConnectionClosed) -> Ending:
        if closed.rcvd is None:
            return self._lost("the connection was lost")
        return self._ending(closed.rcvd.code, closed.rcvd.reason)

    def _lost(self, reason: str) -> Ending:
        return self._ending(CloseCode.LOST, reason)

    def _ending(self, code: int, reason: str) -> Ending:
        progress = self.progress
        # What a stranger wrote ends up in a log and on a terminal.
        reason = "".join(letter for letter in reason if letter.isprintable())[:_LONGEST_REASON]
        ending = Ending(code, reason, useful=self._session.useful)
        if progress.spread_ms is not None:
            ending = Ending(code, reason, ending.useful, spread_ms=progress.spread_ms)
        if progress.come_back_at_ms is not None:
            left_ms = max(0, progress.come_back_at_ms - _now_ms())
            ending = Ending(code, reason, ending.useful, left_ms, ending.spread_ms)
        return ending


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or "no answer in time"


def _keep_little_unsent(websocket: ClientConnection) -> None:
    """A kernel buffers megabytes otherwise, and the present waits behind them (tcp(7))."""
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    transport_socket = websocket.transport.get_extra_info("socket")
    if option is not None and transport_socket is not None:
        transport_socket.setsockopt(socket.IPPROTO_TCP, option, _UNSENT_BYTES)
