"""The WebSocket service of a program that watches: connects for ever, resumes, and tells."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import JsonValue
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidMessage
from websockets.typing import Subprotocol

from strapline_client.connection import Connection, now_ms
from strapline_client.errors import NotConnectedError, StoppedError, TokenSourceError
from strapline_client.events import (
    ConnectionChanged,
    ConnectionStatus,
    Update,
    UserState,
    WebSocketEventType,
)
from strapline_client.retry import Ending, Retry, Stop
from strapline_client.state import States, Watched
from strapline_client.token import TokenKeeper, TokenSource
from strapline_client.updates import DEFAULT_BOUND, Updates
from strapline_protocol.base import WireModel
from strapline_protocol.closing import CloseCode
from strapline_protocol.codec import LARGEST_ANSWER
from strapline_protocol.metrics import METRICS
from strapline_protocol.opening import SUBPROTOCOL, Authenticated, Client
from strapline_protocol.positions import Positions
from strapline_protocol.viewer_session import ViewerSession

_log = logging.getLogger(__name__)

_CONNECT_TIMEOUT_S: Final = 10
_CLOSE_TIMEOUT_S: Final = 2
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

Listener = Callable[[Update], None]


class WebSocketService:
    """Watches all users that a token grants, and keeps their state across connections.

    ::

        async with WebSocketService("wss://strapline.example/ws", token) as service:
            async for update in service.updates():
                print(update.user, update.state)

    Args:
        url: ``wss://…``; ``ws://…`` on this machine.
        token: a viewer's token, or a function that gets a fresh one.
        client: how this program calls itself to the server.
        plain_text: allow ``ws://`` beyond this machine, where others in the network can read
            along.

    Raises:
        ValueError: ``url`` is not one, carries a token, or would send it unencrypted.

    Attributes:
        status: this end's link to the server.
        session: what the server granted, newest; None before the first session.
        connections: how many sessions stood so far.
    """

    def __init__(
        self,
        url: str,
        token: TokenSource,
        *,
        client: Client | None = None,
        plain_text: bool = False,
    ) -> None:
        self._local = _checked(url, plain_text=plain_text)
        self._url = url
        self._tokens = TokenKeeper(token)
        self._client = client or Client(
            name="strapline-client", version="1", metrics=sorted(METRICS)
        )
        self._positions = Positions()
        self._states = States()
        self._readers: list[Updates] = []
        self._listeners: dict[WebSocketEventType, list[Listener]] = {}
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._error: Exception | None = None
        self.status = ConnectionStatus.DISCONNECTED
        self.session: Authenticated | None = None
        self.connections = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._guarded(), name="strapline viewer")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def users(self) -> Mapping[str, UserState]:
        """Every watched user's whole state, by id."""
        return self._states.users

    def updates(self, bound: int = DEFAULT_BOUND) -> Updates:
        """What comes from now on; at most ``bound`` updates wait for a slow reader."""
        reader = Updates(bound)
        if self.status is ConnectionStatus.STOPPED:
            reader.end(self._error)
        else:
            self._readers.append(reader)
        return reader

    def add_event_listener(
        self, kind: WebSocketEventType, listener: Listener
    ) -> Callable[[], None]:
        """Call ``listener`` at each event of this kind; the function returned takes it off."""
        listeners = self._listeners.setdefault(kind, [])
        listeners.append(listener)

        def remove() -> None:
            if listener in listeners:
                listeners.remove(listener)

        return remove

    async def request(self, method: str, params: Mapping[str, JsonValue]) -> WireModel:
        """Ask the server: ``history``, ``sync``. Raises as :meth:`Connection.request` does."""
        if self._connection is None:
            raise NotConnectedError(f"no session to ask {method} in")
        return await self._connection.request(method, params)

    async def sync(self) -> None:
        """Ask the bridges to flush and report; nothing while there is no session."""
        if self._connection is not None:
            await self._connection.sync()

    async def stop(self) -> None:
        """Leave, and end every iteration. Once stopped a service stays so."""
        task, self._task = self._task, None
        if task is None:
            return
        if self._connection is not None:
            await self._connection.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self._end(None)

    async def _guarded(self) -> None:
        """Run; what nobody thought of ends every iteration with it: nobody waits for ever."""
        try:
            await self._run()
        except Exception as error:  # noqa: BLE001  # handed on to those who wait
            _log.exception("the service failed")
            self._end(error)

    async def _run(self) -> None:
        retry = Retry()
        while True:
            self._change(ConnectionStatus.CONNECTING)
            ending = await self._connect_once()
            # Jitter keeps clients apart; nothing secret hangs on it.
            retry, step = retry.after(ending, random.random())  # noqa: S311
            if isinstance(step, Stop):
                _log.error("stopped: %s (%d)", step.reason, step.code)
                self._end(StoppedError(step.code, step.reason))
                return
            self._change(ConnectionStatus.DISCONNECTED, ending.reason)
            _log.info("%s; connecting again in %d ms", ending.reason, step.after_ms)
            await asyncio.sleep(step.after_ms / 1_000)

    async def _connect_once(self) -> Ending:
        try:
            token = await self._tokens.fresh()
            socket = await self._dial()
        except TokenSourceError as error:
            _log.warning("%s", error, exc_info=error)
            return Ending(CloseCode.LOST, str(error))
        except (OSError, TimeoutError, InvalidHandshake, InvalidMessage) as error:
            return Ending(CloseCode.LOST, f"the server cannot be reached: {error}")
        session = ViewerSession(now_ms(), self._client, self._positions)
        self._connection = Connection(
            socket, session, token, self._tokens, deliver=self._deliver, opened=self._opened
        )
        try:
            return await self._connection.run()
        finally:
            self._connection = None
            socket.transport.abort()

    async def _dial(self) -> ClientConnection:
        return await connect(
            self._url,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            # A proxy of the environment leads away from this machine.
            proxy=None if self._local else True,
            open_timeout=_CONNECT_TIMEOUT_S,
            close_timeout=_CLOSE_TIMEOUT_S,
            max_size=LARGEST_ANSWER,
            # The server's heartbeats tell whether it is there.
            ping_interval=None,
        )

    def _opened(self, authenticated: Authenticated) -> None:
        self.session = authenticated
        self.connections += 1
        self._change(ConnectionStatus.CONNECTED)

    def _deliver(self, message: Watched) -> None:
        self._tell(self._states.apply(message))

    def _change(self, status: ConnectionStatus, reason: str = "") -> None:
        if status is self.status:
            return
        self.status = status
        self._tell(Update(WebSocketEventType.CONNECTION_STATUS, ConnectionChanged(status, reason)))

    def _tell(self, update: Update) -> None:
        for reader in self._readers:
            reader.put(update)
        for listener in tuple(self._listeners.get(update.type, ())):
            try:
                listener(update)
            except Exception:  # noqa: BLE001  # a program's mistake must not end its connection
                _log.exception("a listener of %s failed", update.type)

    def _end(self, error: Exception | None) -> None:
        if self.status is ConnectionStatus.STOPPED:
            return
        self._error = error
        self._change(ConnectionStatus.STOPPED, str(error or ""))
        for reader in self._readers:
            reader.end(error)
        self._readers.clear()


def _checked(url: str, *, plain_text: bool) -> bool:
    """Whether the server is on this machine."""
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError(f"not a WebSocket address: {parts.scheme}://…; give wss://HOST/ws")
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("a WebSocket address carries no token and no user: give the token apart")
    local = parts.hostname in _LOOPBACK
    if parts.scheme == "ws" and not local and not plain_text:
        raise ValueError(
            "ws:// beyond this machine sends token and readings unencrypted: use wss://, "
            "or allow it with plain_text=True"
        )
    return local
