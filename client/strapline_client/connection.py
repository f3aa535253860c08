"""One connection to the server: opens it, keeps it subscribed, and pairs answers with questions."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Final, Protocol

from pydantic import JsonValue

from strapline_client.errors import NotConnectedError, TokenSourceError
from strapline_client.options import Options
from strapline_client.outgoing import Outgoing
from strapline_client.questions import Questions
from strapline_client.retry import SPREAD_UNTIL_TOLD_MS, Ending
from strapline_client.socket import Socket, SocketEndedError
from strapline_client.state import Watched
from strapline_client.token import TokenKeeper
from strapline_protocol.base import WireModel
from strapline_protocol.closing import CloseCode
from strapline_protocol.errors import (
    MalformedMessageError,
    MessageTooLargeError,
    RemoteProtocolError,
)
from strapline_protocol.link import LinkState
from strapline_protocol.opening import (
    Authenticated,
    Error,
    GoingAway,
    Heartbeat,
    Hello,
    Refreshed,
    Result,
    TokenExpiring,
)
from strapline_protocol.positions import Positions
from strapline_protocol.viewer_session import Event, Gap, ViewerSession
from strapline_protocol.watching import Subscribed, SubscriptionChanged

_log = logging.getLogger(__name__)

#: Until the session stands; a server gives a client five seconds for its part.
_OPENING_MS: Final = 10_000


class Host(Protocol):
    """What a connection tells whoever keeps it."""

    def heard(self, event: Event) -> None:
        """The server said something."""

    def authenticated(self, message: Authenticated) -> None:
        """The session stands."""

    def deliver(self, message: Watched) -> None:
        """Something of the people who are watched."""


class _ContractError(RemoteProtocolError):
    """The server will not have this connection subscribed: it is of no use."""


class Connection:
    """Runs one session over one socket.

    Attributes:
        token: the one that it authenticated with.
    """

    def __init__(
        self,
        socket: Socket,
        token: str,
        options: Options,
        *,
        positions: Positions,
        tokens: TokenKeeper,
        outgoing: Outgoing,
        host: Host,
        now_ms: Callable[[], int],
    ) -> None:
        self.token = token
        self._socket = socket
        self._options = options
        self._positions = positions
        self._tokens = tokens
        self._outgoing = outgoing
        self._host = host
        self._now_ms = now_ms
        self._session = ViewerSession(now_ms(), options.client, positions)
        self._numbers = itertools.count(1)
        self._questions = Questions()
        self._awaited: str | None = None
        self._hello: Hello | None = None
        self._authenticated: Authenticated | None = None
        self._return_at_ms: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._unreadable = 0
        self._sending = False

    @property
    def ignored(self) -> int:
        """Messages of a newer server's, or broken ones."""
        return self._unreadable + self._session.unknown

    @property
    def stands(self) -> bool:
        """Whether there is a session."""
        return self._session.state is LinkState.READY

    @property
    def subscribed(self) -> bool:
        """Whether what is sent now goes now."""
        return self.stands and self._session.useful

    async def run(self) -> Ending:
        """Until it ends, however it does. Raises nothing that the other end causes.

        Cancelled, it leaves in order.
        """
        try:
            while True:
                within_ms = self._session.silence_allowed_ms if self.stands else _OPENING_MS
                await self._take(await self._socket.receive(within_ms))
        except asyncio.CancelledError:
            await self._leave(CloseCode.GOING_AWAY, "the viewer leaves")
            raise
        except SocketEndedError as ended:
            return self._ending(ended.code, ended.reason)
        except TimeoutError:
            return self._ending(CloseCode.LOST, "the server fell silent")
        except RemoteProtocolError as error:
            _log.error("the connection is given up: %s", error)
            await self._leave(CloseCode.PROTOCOL_VIOLATION, "not understood")
            return self._ending(CloseCode.LOST, f"this server is not understood: {error}")
        finally:
            self._over()
            for task in self._tasks:
                task.cancel()
            self._socket.abort()

    async def _leave(self, code: int, reason: str) -> None:
        """Nothing is asked from here on, while the other end takes its time."""
        self._over()
        await self._socket.close(code, reason)

    def _over(self) -> None:
        self._session.closed()
        self._questions.leave()

    async def request(self, method: str, params: Mapping[str, JsonValue]) -> WireModel:
        """Ask, and wait for the answer in the method's own shape.

        Raises:
            LocalProtocolError: there is no such method in this version.
            NotConnectedError: the session does not stand, or ended first.
            RequestRefusedError: the server will not, or too many questions wait.
            MalformedMessageError: the answer has another shape.
        """
        async with self._questions.turn(method):
            if not self.stands:
                raise NotConnectedError(f"no session to ask {method} in")
            number = self._next_request()
            with self._questions.asked(number, method) as answer:
                frame = self._session.ask(self._questions.question(number, method, params))
                try:
                    await self._socket.send(frame)
                except SocketEndedError as ended:
                    why = f"the connection ended before {method} went"
                    raise NotConnectedError(why) from ended
                return await answer

    async def sync(self) -> None:
        """Ask the bridges to flush and report."""
        if self.stands:
            await self._send(self._session.sync())

    async def _take(self, frame: str | bytes) -> None:
        try:
            events = self._session.receive(frame, self._now_ms())
        except (MalformedMessageError, MessageTooLargeError) as error:
            # What was in it is missed as a gap, if it was a change: nothing else ends for it.
            self._unreadable += 1
            _log.warning("a message of the server is passed over: %s", error)
            return
        for event in events:
            self._host.heard(event)
            await self._act(event)

    async def _act(self, event: Event) -> None:
        match event:
            case Hello():
                self._hello = event
                await self._send(self._session.authenticate(self.token))
            case Authenticated():
                self._authenticated = event
                self._questions.allow(event.limits.requests_in_flight)
                self._host.authenticated(event)
                await self._subscribe()
            case TokenExpiring():
                await self._renew(event)
            case GoingAway():
                self._return_at_ms = self._now_ms() + event.reconnect_after_ms
            case Result():
                self._questions.answered(event)
            case Error():
                self._refused(event)
            case Heartbeat() | Refreshed():
                pass  # That it came is all that it says.
            case _:
                await self._watch(event)

    async def _watch(self, event: Event) -> None:
        match event:
            case Gap():
                _log.info("a change of %s was missed: subscribing again", event.metric)
                await self._subscribe()
            case Subscribed():
                self._subscribed(event)
            case SubscriptionChanged():
                self._host.deliver(event)
                if event.added:
                    # Of users who are granted later nothing comes before it is asked for.
                    await self._subscribe()
            case _:
                assert isinstance(event, Watched)
                self._host.deliver(event)

    async def _subscribe(self) -> None:
        options = self._options
        self._awaited = self._next_request()
        await self._send(
            self._session.subscribe(
                self._awaited,
                None if options.users is None else list(options.users),
                None if options.metrics is None else list(options.metrics),
                options.min_interval_ms,
            )
        )

    def _subscribed(self, message: Subscribed) -> None:
        # Whoever this subscription leaves out is not held either: asked for again, they begin anew.
        for user in self._positions.users():
            if user not in message.snapshot:
                self._positions.forget(user)
        self._awaited = None
        self._host.deliver(message)
        if not self._sending:
            self._sending = True
            self._begin(self._send_waiting())

    def _refused(self, message: Error) -> None:
        if message.request is not None and message.request == self._awaited:
            raise _ContractError(
                f"the subscription was refused ({message.code}): {message.message}"
            )
        if not self._questions.refused(message):
            _log.warning("the server refused something: %s (%s)", message.message, message.code)

    async def _renew(self, message: TokenExpiring) -> None:
        if message.token is not None:
            self._tokens.keep(message.token)
            await self._send(self._session.refresh(message.token))
        elif self._tokens.has_source:
            # Apart: the program may take its time, and the readings go on.
            self._begin(self._refresh())

    async def _refresh(self) -> None:
        try:
            token = await self._tokens.renew()
        except TokenSourceError as error:
            # The old one still holds; when it is refused, the program is asked once more.
            _log.warning("%s", error, exc_info=error)
            return
        if self.stands:
            await self._send(self._session.refresh(token))

    async def _send_waiting(self) -> None:
        """Until the socket ends: what waits then, waits for the next connection."""
        while True:
            frame = await self._outgoing.next()
            try:
                await self._socket.send(frame)
            except SocketEndedError:
                self._outgoing.put_back(frame)
                return

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, frame: bytes) -> None:
        with contextlib.suppress(SocketEndedError):  # The end is told by run(), with its code.
            await self._socket.send(frame)

    def _ending(self, code: int, reason: str) -> Ending:
        granted, left_ms = self._authenticated, None
        if self._return_at_ms is not None:
            left_ms = max(0, self._return_at_ms - self._now_ms())
        return Ending(
            code,
            reason,
            self._session.useful,
            left_ms,
            granted.reconnect_spread_ms if granted else SPREAD_UNTIL_TOLD_MS,
            self._hello.versions if self._hello else (),
        )

    def _next_request(self) -> str:
        return f"r{next(self._numbers)}"
