"""One connection to the server: opens it, keeps it subscribed, and pairs answers with questions."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from pydantic import JsonValue
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from strapline_client.errors import NotConnectedError, RequestRefusedError, TokenSourceError
from strapline_client.retry import SPREAD_UNTIL_TOLD_MS, Ending
from strapline_client.state import Watched
from strapline_client.token import TokenKeeper
from strapline_protocol.base import WireModel
from strapline_protocol.closing import CloseCode
from strapline_protocol.codec import result_of
from strapline_protocol.errors import RemoteProtocolError
from strapline_protocol.link import LinkState
from strapline_protocol.opening import (
    Authenticated,
    Error,
    GoingAway,
    Heartbeat,
    Hello,
    Refreshed,
    Request,
    Result,
    TokenExpiring,
)
from strapline_protocol.viewer_session import Event, Gap, ViewerSession
from strapline_protocol.watching import SubscriptionChanged

_log = logging.getLogger(__name__)

_MS_PER_S: Final = 1_000


def now_ms() -> int:
    """The monotonic clock that sessions are driven by."""
    return time.monotonic_ns() // 1_000_000


class Connection:
    """Runs one session over one socket.

    Attributes:
        authenticated: what the server granted; None until it has.
    """

    def __init__(
        self,
        socket: ClientConnection,
        session: ViewerSession,
        token: str,
        tokens: TokenKeeper,
        *,
        deliver: Callable[[Watched], None],
        opened: Callable[[Authenticated], None],
    ) -> None:
        self._socket = socket
        self._session = session
        self._token = token
        self._tokens = tokens
        self._deliver = deliver
        self._opened = opened
        self._numbers = itertools.count(1)
        self._questions: dict[str, tuple[str, asyncio.Future[WireModel]]] = {}
        self._return_after_ms: int | None = None
        self._room = asyncio.Semaphore(1)
        self.authenticated: Authenticated | None = None

    async def run(self) -> Ending:
        """Until it ends, however it does. Raises nothing that the other end causes."""
        code, reason = int(CloseCode.LOST), "the server fell silent"
        try:
            while True:
                async with asyncio.timeout(self._session.silence_allowed_ms / _MS_PER_S):
                    frame = await self._socket.recv()
                for event in self._session.receive(frame, now_ms()):
                    await self._act(event)
        except ConnectionClosed as closed:
            if closed.rcvd is not None:
                code, reason = closed.rcvd.code, closed.rcvd.reason
            else:
                reason = "the connection was lost"
        except TimeoutError:
            await self._socket.close(CloseCode.GOING_AWAY)
        except RemoteProtocolError as error:
            code, reason = (
                int(CloseCode.PROTOCOL_VIOLATION),
                f"this server is not understood: {error}",
            )
            await self._socket.close(code)
        finally:
            self._session.closed()
            self._leave_unanswered()
        granted = self.authenticated
        return Ending(
            code,
            reason,
            self._session.useful,
            self._return_after_ms,
            granted.reconnect_spread_ms if granted else SPREAD_UNTIL_TOLD_MS,
        )

    async def request(self, method: str, params: Mapping[str, JsonValue]) -> WireModel:
        """Ask, and wait for the answer in the method's own shape.

        Raises:
            NotConnectedError: the session does not stand, or ended first.
            RequestRefusedError: the server will not.
            MalformedMessageError: the answer has another shape.
        """
        async with self._room:
            if self._session.state is not LinkState.READY:
                raise NotConnectedError(f"no session to ask {method} in")
            number = self._next_request()
            answer: asyncio.Future[WireModel] = asyncio.get_running_loop().create_future()
            self._questions[number] = (method, answer)
            try:
                question = Request(request=number, method=method, params=dict(params))
                await self._send(self._session.ask(question))
                return await answer
            except ConnectionClosed as closed:
                raise NotConnectedError(f"the connection ended before {method} went") from closed
            finally:
                self._questions.pop(number, None)

    async def sync(self) -> None:
        """Ask the bridges to flush and report."""
        if self._session.state is LinkState.READY:
            with contextlib.suppress(ConnectionClosed):  # The end is told by run().
                await self._send(self._session.sync())

    async def close(self) -> None:
        """Leave in order."""
        await self._socket.close(CloseCode.GOING_AWAY, "the viewer leaves")

    async def _act(self, event: Event) -> None:
        match event:
            case Hello():
                await self._send(self._session.authenticate(self._token))
            case Authenticated():
                self.authenticated = event
                for _ in range(event.limits.requests_in_flight - 1):
                    self._room.release()
                self._opened(event)
                await self._send(self._session.subscribe(self._next_request()))
            case Gap() | SubscriptionChanged(added=[_, *_]):
                await self._subscribe_again(event)
            case TokenExpiring():
                await self._renew(event.token)
            case GoingAway():
                self._return_after_ms = event.reconnect_after_ms
            case Result() | Error():
                self._answered(event)
            case Heartbeat() | Refreshed():
                pass  # That it came is all that it says.
            case _:
                self._take(event)

    async def _subscribe_again(self, event: Gap | SubscriptionChanged) -> None:
        if isinstance(event, Gap):
            _log.info("a change of %s was missed: subscribing again", event.metric)
        else:
            # Of users who are granted later nothing comes before it is asked for.
            self._take(event)
        await self._send(self._session.subscribe(self._next_request()))

    def _take(self, event: Event) -> None:
        assert isinstance(event, Watched)
        self._deliver(event)

    async def _renew(self, token: str | None) -> None:
        if token is None:
            try:
                token = await self._tokens.fresh()
            except TokenSourceError as error:
                # The old one still holds; when it runs out, connecting again asks once more.
                _log.warning("%s", error, exc_info=error)
                return
        else:
            self._tokens.keep(token)
        await self._send(self._session.refresh(token))

    def _answered(self, message: Result | Error) -> None:
        method, answer = self._questions.get(message.request or "", (None, None))
        if method is None or answer is None or answer.done():
            if isinstance(message, Error):
                _log.warning("the server refused something: %s (%s)", message.message, message.code)
            return
        if isinstance(message, Error):
            answer.set_exception(RequestRefusedError(message.code, message.message))
            return
        try:
            answer.set_result(result_of(method, message.result))
        except RemoteProtocolError as error:
            answer.set_exception(error)

    def _leave_unanswered(self) -> None:
        for method, answer in self._questions.values():
            if not answer.done():
                answer.set_exception(
                    NotConnectedError(f"the connection ended before {method} was answered")
                )

    def _next_request(self) -> str:
        return f"r{next(self._numbers)}"

    async def _send(self, frame: bytes) -> None:
        await self._socket.send(frame, text=True)
