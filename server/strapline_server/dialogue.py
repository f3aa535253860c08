"""The server's side of the protocol on one connection: opening, renewal, and the role's part.

The rules of what may be said when are the protocol's :class:`ServerSession`; here is what
follows. Messages are acted on one after another: while one waits for the store, nothing more
is read from that connection.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Protocol

from strapline_protocol.base import WireModel
from strapline_protocol.closing import CloseCode
from strapline_protocol.messages import ClientMessage
from strapline_protocol.opening import (
    Authenticate,
    Authenticated,
    ClockState,
    GoingAway,
    Heartbeat,
    Hello,
    Limits,
    Refresh,
    Refreshed,
    Role,
    TokenExpiring,
)
from strapline_protocol.publishing import Rejected
from strapline_protocol.server_session import Deadlines, ServerSession, SessionState
from strapline_server.auth import Authority, BridgeKey, Claims
from strapline_server.carrier import RETRY_AFTER_MS, Carrier, Hold
from strapline_server.counters import Counters
from strapline_server.errors import StoreError, TokenError
from strapline_server.hub import Hub
from strapline_server.ingest import Ingest
from strapline_server.keys import PublicKey
from strapline_server.status import Statuses
from strapline_server.store import Grant, Store
from strapline_server.wheel import Wheel

_LOG = logging.getLogger(__name__)
_MOST_WAITING: Final = 64
_ASK_AGAIN: Final = "the server cannot read its database now"
_MOST_USERS_TOLD: Final = 10_000
_NO_RIGHTS: Final = "this principal has no rights here in this role"
_TAKEN: Final = "the rights of this principal were taken away"
_OTHER_KEY: Final = "this bridge is known by another key, or by none"
_REVOKED: Final = "this token was revoked; `strapline server token` makes a new one"


class Part(Protocol):
    """What a role does with its messages."""

    def act(self, message: ClientMessage) -> Coroutine[Any, Any, None] | None:
        """Act on one message; what is returned is waited for before the next."""

    def reject(self, rejected: tuple[Rejected, ...]) -> None:
        """Parts of a message could not be read."""

    def regrant(self, grant: Grant) -> None:
        """The rights were read anew."""

    def wake(self, now_ms: int) -> int | None:
        """Do what is due; when next, None for nothing."""

    def room(self) -> None:
        """What was unsent is sent."""

    def lost(self) -> None:
        """The connection is gone."""


@dataclass(frozen=True, slots=True)
class Context:
    """The server's parts, as a dialogue uses them."""

    authority: Authority
    store: Store
    ingest: Ingest
    hub: Hub
    statuses: Statuses
    wheel: Wheel
    counters: Counters
    wall_ms: Callable[[], int]
    monotonic_ms: Callable[[], int]
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    register: Callable[[Member], bool]
    unregister: Callable[[Member], None]
    make_part: Callable[[Context, Carrier, ServerSession, Grant], Part]
    limits: Limits
    deadlines: Deadlines
    messages_per_s: Callable[[Role], int]
    reconnect_spread_ms: int
    simulated: bool
    clock_state: Callable[[], ClockState]


class Member(Protocol):
    """An authenticated dialogue, as the server's registry holds it."""

    @property
    def sub(self) -> str:
        """Its principal."""

    @property
    def role(self) -> Role:
        """Its role."""

    def end(self, code: CloseCode, reason: str) -> None:
        """Close it."""

    def regrant(self, grant: Grant | None) -> None:
        """The rights were read anew."""

    def go_away(self, after_ms: int) -> None:
        """Tell it when to come back, and close it."""


class Dialogue:
    """One connection's conversation."""

    __slots__ = (
        "_busy",
        "_claims",
        "_connection",
        "_context",
        "_part",
        "_session",
        "_waiting",
        "session_id",
    )

    def __init__(self, context: Context, connection: Carrier, session_id: str) -> None:
        self._context = context
        self._connection = connection
        self._session = ServerSession(context.monotonic_ms(), context.limits, context.deadlines)
        self._claims: Claims | None = None
        self._part: Part | None = None
        self._busy = False
        self._waiting: deque[ClientMessage] | None = None
        self.session_id = session_id
        connection.send(
            Hello(
                store=context.store.store_id,
                epoch=context.store.epoch,
                server_time=context.wall_ms(),
                clock_state=context.clock_state(),
            )
        )

    # What the connection calls

    def receive(self, frame: str) -> None:
        """Take one text frame."""
        self._context.counters.messages_received += 1
        received = self._session.receive(frame)
        for reply in received.replies:
            self._context.counters.requests_denied += 1
            self._connection.send(reply)
        if received.close is not None:
            self._context.counters.protocol_violations += 1
            self._connection.close(received.close.code, received.close.reason)
            return
        if received.rejected and self._part is not None:
            self._part.reject(received.rejected)
        if received.message is not None:
            self._take(received.message)

    def wake(self, now_ms: int) -> int | None:
        """Look at the session's deadlines and the role's."""
        self._session.spoke(self._connection.wrote_ms)
        due = self._session.tick(now_ms)
        if due.close is not None:
            self._context.counters.tokens_expired += self._claims is not None
            self._connection.close(due.close.code, due.close.reason)
            return None
        if due.token_expiring:
            self._warn()
        if due.heartbeat:
            self._connection.send(Heartbeat(server_time=self._context.wall_ms()))
            self._session.spoke(now_ms)
        next_ms = self._session.next_due_ms()
        part_ms = self._part.wake(now_ms) if self._part is not None else None
        if next_ms is None or part_ms is None:
            return next_ms
        return min(next_ms, part_ms)

    def room(self) -> None:
        """What was unsent is sent."""
        if self._part is not None:
            self._part.room()
        self._go_on()

    def lost(self) -> None:
        """The connection is gone."""
        self._session.closed()
        self._waiting = None
        if self._part is not None:
            self._part.lost()
        if self._claims is not None:
            self._context.unregister(self)

    # What the registry calls

    @property
    def sub(self) -> str:
        """Its principal."""
        assert self._claims is not None, "only authenticated dialogues are registered"
        return self._claims.sub

    @property
    def role(self) -> Role:
        """Its role."""
        assert self._claims is not None, "only authenticated dialogues are registered"
        return self._claims.role

    def end(self, code: CloseCode, reason: str) -> None:
        """Close it."""
        self._session.closed()
        self._connection.close(code, reason)

    def regrant(self, grant: Grant | None) -> None:
        """Narrow or widen what it may, or end it."""
        assert self._claims is not None, "only authenticated dialogues are registered"
        if grant is None or grant.role is not self.role:
            self._rights_taken(_TAKEN)
        elif (fault := _no_longer(self._claims, grant)) is not None:
            self._rights_taken(fault)
        elif self._part is not None:
            self._part.regrant(grant)

    def go_away(self, after_ms: int) -> None:
        """Tell it when to come back, and close it."""
        self._connection.send(GoingAway(reconnect_after_ms=after_ms))
        self.end(CloseCode.RESTART, "the server restarts")

    def _rights_taken(self, reason: str) -> None:
        self._context.counters.rights_taken += 1
        _LOG.info("a connection of %s is closed: %s", self.sub, reason)
        self.end(CloseCode.NOT_ALLOWED, reason)

    # One message after another

    def _take(self, message: ClientMessage) -> None:
        if not self._busy and not self._waiting:
            self._begin(message)
            return
        if self._waiting is None:
            self._waiting = deque()
        if len(self._waiting) >= _MOST_WAITING:
            self._context.counters.rate_limited += 1
            self._connection.close(
                CloseCode.RATE_LIMITED, "too many messages at once", RETRY_AFTER_MS
            )
            return
        self._waiting.append(message)

    def _begin(self, message: ClientMessage) -> None:
        work = self._act(message)
        if work is not None:
            self._busy = True
            self._connection.hold(Hold.WORK)
            self._context.spawn(self._finish(work))

    async def _finish(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except StoreError as error:
            _LOG.error("%s", error)
            self._connection.close(CloseCode.OVERLOADED, _ASK_AGAIN, RETRY_AFTER_MS)
        except Exception:  # noqa: BLE001  # logged, and this connection alone pays for it
            _LOG.exception("a message was not acted on")
            self._connection.close(CloseCode.SERVER_FAULT, "a fault of the server")
        finally:
            self._busy = False
            self._go_on()

    def _go_on(self) -> None:
        """Begin what waits. Answers do not pile up for one that does not read them."""
        while self._waiting and not self._busy and not self._connection.congested:
            self._begin(self._waiting.popleft())
        if not self._busy and not self._waiting:
            self._connection.release(Hold.WORK)

    def _act(self, message: ClientMessage) -> Coroutine[Any, Any, None] | None:
        if self._session.state is SessionState.CLOSED:
            return None
        match message:
            case Authenticate():
                return self._authenticate(message)
            case Refresh():
                return self._refresh(message)
        assert self._part is not None, "the session lets nothing else by before"
        return self._part.act(message)

    # Who it is

    async def _authenticate(self, message: Authenticate) -> None:
        found = await self._admit(message.token)
        if found is None or self._session.state is not SessionState.VERIFYING:
            return
        claims, grant = found
        context, connection = self._context, self._connection
        self._claims = claims
        if not context.register(self):
            connection.close(
                CloseCode.OVERLOADED, "too many connections of one principal", RETRY_AFTER_MS
            )
            return
        connection.admit(context.messages_per_s(claims.role))
        now_ms = context.monotonic_ms()
        self._session.authenticated(claims.role, *self._life(claims, now_ms))
        self._part = context.make_part(context, connection, self._session, grant)
        connection.send(
            Authenticated(
                session=self.session_id,
                principal=claims.sub,
                role=claims.role,
                users=[user.id for user in grant.users][:_MOST_USERS_TOLD],
                expires_at=claims.expires_ms,
                heartbeat_ms=context.deadlines.heartbeat_ms,
                reconnect_spread_ms=context.reconnect_spread_ms,
                limits=context.limits,
                simulated=context.simulated,
                may_mark=grant.may_mark,
            )
        )
        self._sleep()

    async def _refresh(self, message: Refresh) -> None:
        found = await self._admit(message.token)
        if found is None or self._session.state is SessionState.CLOSED:
            return
        claims, grant = found
        if (claims.sub, claims.role) != (self.sub, self.role):
            self._refuse(CloseCode.NOT_ALLOWED, "that token is another principal's")
            return
        self._claims = claims
        self._session.renewed(*self._life(claims, self._context.monotonic_ms()))
        if self._part is not None:
            self._part.regrant(grant)
        self._connection.send(Refreshed(expires_at=claims.expires_ms))
        self._sleep()

    async def _admit(self, token: str) -> tuple[Claims, Grant] | None:
        """Who the token is of and what it may now, or a refusal."""
        try:
            claims = self._context.authority.verify(token, await self._bridge_key(token))
        except TokenError as error:
            self._refuse(CloseCode.UNAUTHENTICATED, str(error))
            return None
        grant = await self._context.store.grant(claims.sub)
        if grant is None or grant.role is not claims.role:
            self._refuse(CloseCode.NOT_ALLOWED, _NO_RIGHTS)
            return None
        if (fault := _no_longer(claims, grant)) is not None:
            self._refuse(CloseCode.NOT_ALLOWED, fault)
            return None
        return claims, grant

    async def _bridge_key(self, token: str) -> BridgeKey | None:
        """The key that the store has of this token's bridge, where one signed it."""
        key = self._context.authority.bridge_key_of(token)
        found = await self._context.store.bridge_key(key) if key is not None else None
        return None if found is None else BridgeKey(found[0], PublicKey.of(found[1]))

    def _refuse(self, code: CloseCode, reason: str) -> None:
        self._context.counters.authentications_refused += 1
        _LOG.info("authentication refused: %s", reason)
        self._connection.close(code, reason)

    def _life(self, claims: Claims, now_ms: int) -> tuple[int, int, int]:
        """How long the token is good, from when, and how long it has been."""
        left_ms = max(0, claims.expires_ms - self._context.wall_ms())
        return left_ms, now_ms, max(0, claims.lifetime_s * 1000 - left_ms)

    def _warn(self) -> None:
        claims = self._claims
        if claims is None:
            return
        token = None
        if claims.issued_here:
            # Of the same generation: what is revoked meanwhile has no successor.
            token = self._context.authority.issue(
                claims.sub, claims.role, claims.lifetime_s, claims.generation
            )
        self._send(TokenExpiring(expires_at=claims.expires_ms, token=token))

    def _send(self, message: WireModel) -> None:
        self._connection.send(message)

    def _sleep(self) -> None:
        due_ms = self._session.next_due_ms()
        if due_ms is not None:
            self._context.wheel.wake_at(self._connection, due_ms)


def _no_longer(claims: Claims, grant: Grant) -> str | None:
    """Why a good token lets nobody in who has these rights; None where it does."""
    if claims.bridge_key != grant.bridge_key:
        return _OTHER_KEY
    if claims.issued_here and claims.generation != grant.generation:
        return _REVOKED
    return None
