"""Keeps one connection alive: opens it, watches over it, comes back as the close code says."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from strapline_client.clock import ServerClock
from strapline_client.connection import Connection
from strapline_client.errors import StoppedError, TokenSourceError
from strapline_client.events import ConnectionState, ConnectionStatus, Reason
from strapline_client.options import Options
from strapline_client.outgoing import Outgoing
from strapline_client.ports import Ports
from strapline_client.retry import Again, Ending, Renew, Retry, Stop
from strapline_client.socket import SocketEndedError
from strapline_client.state import Watched
from strapline_client.token import TokenKeeper
from strapline_protocol.closing import CloseCode
from strapline_protocol.opening import Authenticated
from strapline_protocol.positions import Positions
from strapline_protocol.viewer_session import Event
from strapline_protocol.watching import Subscribed, SubscriptionChanged

_log = logging.getLogger(__name__)

UNCONNECTED = ConnectionState(ConnectionStatus.DISCONNECTED)


class Link:
    """One service's way to the server, over all its connections.

    Attributes:
        options: what counts from the next connection on.
        state: as it is now.
        session: what the server granted, newest; None before the first session.
        connections: how many sessions stood so far.
    """

    def __init__(
        self,
        options: Options,
        tokens: TokenKeeper,
        ports: Ports,
        *,
        delivered: Callable[[Watched], None],
        changed: Callable[[ConnectionState], None],
    ) -> None:
        self.options = options
        self.positions = Positions()
        self.outgoing = Outgoing()
        self.state = UNCONNECTED
        self.session: Authenticated | None = None
        self.connections = 0
        self.connection: Connection | None = None
        self._tokens = tokens
        self._ports = ports
        self._delivered = delivered
        self._changed = changed
        self._clock = ServerClock()
        self._heard_at_ms: int | None = None
        self._retry = Retry()
        self._ignored = 0

    @property
    def ignored(self) -> int:
        """Messages that this version could not read, of all connections."""
        return self._ignored + (self.connection.ignored if self.connection else 0)

    def server_now_ms(self) -> int | None:
        """The server's time; None before its first word."""
        return self._clock.now_ms(self._ports.now_ms())

    def silence_ms(self) -> int:
        """Since the server's last word; 0 before the first."""
        return 0 if self._heard_at_ms is None else self._ports.now_ms() - self._heard_at_ms

    def retry_in_ms(self) -> int | None:
        """Until it is tried again; None where that is not planned."""
        at_ms = self.state.retry_at_ms
        return None if at_ms is None else max(0, at_ms - self._ports.now_ms())

    async def run(self) -> StoppedError | None:
        """Connect for ever; returns why it was given up, or None where it may not try again."""
        while True:
            self._open()
            step = await self._once()
            if isinstance(step, Stop):
                return StoppedError(step.code, step.reason)
            if not self.options.auto_reconnect:
                self._set(replace(self.state, status=ConnectionStatus.DISCONNECTED))
                return None
            await self._wait(step.after_ms)

    def moves(self) -> None:
        """What stood is left for another connection."""
        if self.state.status is ConnectionStatus.CONNECTED:
            self._open()

    def left(self) -> None:
        """Nobody wants it any more."""
        self._set(UNCONNECTED)

    def failed(self, why: str) -> None:
        """This package failed, and nothing goes on."""
        self._set(replace(self.state, status=ConnectionStatus.STOPPED, reason=why, why=Reason.BUG))

    # What the connection tells.

    def heard(self, event: Event) -> None:
        """The server said something."""
        self._heard_at_ms = self._ports.now_ms()
        said_ms: int | None = getattr(event, "server_time", None)
        if said_ms is not None:
            self._clock.heard(said_ms, self._heard_at_ms)

    def authenticated(self, message: Authenticated) -> None:
        """The session stands."""
        self.session = message
        self.connections += 1

    def deliver(self, message: Watched) -> None:
        """Something of the people who are watched."""
        if isinstance(message, SubscriptionChanged):
            self._rights_changed(message)
        self._delivered(message)
        if isinstance(message, Subscribed):
            self._tokens.worked()
            simulated = self.session is not None and self.session.simulated
            self._set(ConnectionState(ConnectionStatus.CONNECTED, simulated=simulated))

    def _rights_changed(self, message: SubscriptionChanged) -> None:
        if self.session is not None and message.may_mark is not None:
            self.session = self.session.model_copy(update={"may_mark": message.may_mark})

    # One connection after another.

    def _open(self) -> None:
        never = self.state.lost_at_ms is None
        status = ConnectionStatus.CONNECTING if never else ConnectionStatus.RECONNECTING
        self._set(replace(self.state, status=status, retry_at_ms=None))

    async def _once(self) -> Again | Stop:
        try:
            token = await self._tokens.current()
        except TokenSourceError as error:
            return self._no_token(error)
        try:
            socket = await self._ports.dial(self.options.url, local=self.options.local)
        except SocketEndedError as ended:
            return await self._ended(Ending(ended.code, ended.reason), token)
        self._clock.begin()
        self.connection = Connection(
            socket,
            token,
            self.options,
            positions=self.positions,
            tokens=self._tokens,
            outgoing=self.outgoing,
            host=self,
            now_ms=self._ports.now_ms,
        )
        try:
            ending = await self.connection.run()
        finally:
            self._ignored += self.connection.ignored
            self.connection = None
        return await self._ended(ending, token)

    async def _ended(self, ending: Ending, token: str) -> Again | Stop:
        refused = ending.code == CloseCode.UNAUTHENTICATED
        other = refused and (self._tokens.differs_from(token) or self._tokens.can_renew())
        self._retry, step = self._retry.after(
            ending, self._ports.random(), other_token=other, asks=self._tokens.has_source
        )
        if refused:
            self._tokens.refused(token)
        lost_at_ms = self.state.lost_at_ms
        if lost_at_ms is None and self._heard_at_ms is not None:
            lost_at_ms = self._clock.now_ms(self._heard_at_ms)
        self._lost(ending, lost_at_ms, renewing=isinstance(step, Renew))
        match step:
            case Stop():
                self._set(replace(self.state, status=ConnectionStatus.STOPPED))
            case Renew():
                return await self._with_another_token(step, token)
        return step

    def _lost(self, ending: Ending, lost_at_ms: int | None, *, renewing: bool) -> None:
        """Why it ended; where only an old token was refused, nothing has ended yet."""
        self.state = replace(
            self.state,
            reason=ending.reason,
            why=None if renewing else ending.why,
            code=None if renewing else ending.code,
            lost_at_ms=lost_at_ms,
            retry_at_ms=None,
        )

    async def _with_another_token(self, step: Renew, used: str) -> Again:
        if not self._tokens.differs_from(used):
            self._set(replace(self.state, status=ConnectionStatus.RECONNECTING))
            try:
                await self._tokens.renew()
            except TokenSourceError as error:
                return self._no_token(error)
        return Again(0)

    def _no_token(self, error: TokenSourceError) -> Again:
        _log.warning("%s", error, exc_info=error)
        self._retry, step = self._retry.failed(self._ports.random())
        self.state = replace(self.state, reason=str(error))
        return step

    async def _wait(self, after_ms: int) -> None:
        at_ms = self._ports.now_ms() + after_ms
        status = ConnectionStatus.RECONNECTING
        self._set(replace(self.state, status=status, retry_at_ms=at_ms))
        _log.info("%s; connecting again in %d ms", self.state.reason, after_ms)
        await self._ports.sleep(after_ms)

    def _set(self, state: ConnectionState) -> None:
        if state != self.state:
            self.state = state
            self._changed(state)


def forgets(why: Reason | None) -> bool:
    """Whether nobody may be shown any more after an end for this reason."""
    return why in (Reason.LINK_REVOKED, Reason.LINK_ENDED)
