"""The viewer's end of one connection, without I/O: each change once, and a hole is noticed.

A viewer keeps one :class:`Positions` for as long as it lives and makes one
:class:`ViewerSession` for each connection. It gives every text frame to
:meth:`ViewerSession.receive` and acts on what comes out.

::

    WAITING         HELLO → GREETED
    GREETED         the caller sends authenticate() → AUTHENTICATING
    AUTHENTICATING  AUTHENTICATED → READY
    READY           the caller sends subscribe(); snapshots and changes come
    CLOSED          nothing
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from types import MappingProxyType
from typing import Final

from strapline_protocol.base import WireModel
from strapline_protocol.codec import decode_server, encode
from strapline_protocol.errors import LocalProtocolError, RemoteProtocolError, UnknownTypeError
from strapline_protocol.link import HEARTBEAT_UNTIL_TOLD_MS, LinkState
from strapline_protocol.messages import ServerMessage
from strapline_protocol.opening import (
    Authenticate,
    Authenticated,
    Client,
    Error,
    GoingAway,
    Heartbeat,
    Hello,
    Refresh,
    Refreshed,
    Request,
    Result,
    TokenExpiring,
)
from strapline_protocol.watching import (
    MOST_USERS,
    HealthDataUpdate,
    HistoryChanged,
    Position,
    Subscribe,
    Subscribed,
    SubscriptionChanged,
    SyncAsked,
    SyncStatusUpdate,
)

EXPECTED: Final = MappingProxyType(
    {
        LinkState.WAITING: frozenset[type[WireModel]]({Hello}),
        LinkState.GREETED: frozenset[type[WireModel]]({Heartbeat, GoingAway}),
        LinkState.AUTHENTICATING: frozenset({Authenticated, Heartbeat, GoingAway, Error}),
        LinkState.READY: frozenset(
            {
                Error,
                GoingAway,
                Heartbeat,
                HealthDataUpdate,
                HistoryChanged,
                Refreshed,
                Result,
                Subscribed,
                SubscriptionChanged,
                SyncStatusUpdate,
                TokenExpiring,
            }
        ),
        LinkState.CLOSED: frozenset[type[WireModel]](),
    }
)

Change = HealthDataUpdate | HistoryChanged


@dataclass(frozen=True, slots=True)
class Gap:
    """A change of this user and metric is missing: send :meth:`ViewerSession.subscribe` again."""

    user: str
    metric: str


Event = ServerMessage | Gap


@dataclass(slots=True)
class _Held:
    """How far one user is held: since the last reset, overall, by metric, and behind a gap."""

    start: Position
    last: Position
    metrics: dict[str, Position]
    behind: Position | None = None

    def metric(self, name: str) -> Position:
        return self.metrics.get(name, self.start)


class Taken(Enum):
    """What a change is to one who holds some already."""

    NEWS = auto()
    OLD = auto()
    GAP = auto()


class Positions:
    """How far a viewer has each user's changes; it outlives the connections."""

    def __init__(self) -> None:
        self._users: dict[str, _Held] = {}

    def since(self) -> dict[str, Position]:
        """What to subscribe from: what is held behind a gap, else the user's last."""
        return {user: held.behind or held.last for user, held in self._users.items()}

    def users(self) -> list[str]:
        """Whose changes are held."""
        return list(self._users)

    def snapshot(self, user: str, position: Position, *, reset: bool) -> None:
        """Start anew at a snapshot's position, or go on where ``reset`` is false."""
        held = self._users.get(user)
        if reset or held is None:
            self._users[user] = _Held(position, position, {})
        else:
            held.behind = None

    def forget(self, user: str) -> None:
        """This user is no longer granted."""
        self._users.pop(user, None)

    def take(self, change: Change, *, conflated: bool) -> Taken:
        """Hold this change if it is the next one; ``conflated``: a jump is no gap."""
        held = self._users.get(change.user)
        if held is None:
            return Taken.OLD
        at = held.metric(change.metric)
        same_epoch = change.position[0] == at[0]
        if same_epoch and change.position[1] <= at[1]:
            return Taken.OLD
        if not same_epoch or (not conflated and change.previous[1] > at[1]):
            if held.behind is None or at[1] < held.behind[1]:
                held.behind = at
            return Taken.GAP
        held.metrics[change.metric] = change.position
        if change.position[1] > held.last[1]:
            held.last = change.position
        return Taken.NEWS


class ViewerSession:
    """One connection of a viewer.

    Attributes:
        useful: a snapshot has come, so the next failure starts backing off from the beginning.
    """

    def __init__(self, now_ms: int, client: Client, positions: Positions) -> None:
        self.state = LinkState.WAITING
        self.useful = False
        self._client = client
        self._positions = positions
        self._heard_ms = now_ms
        self._heartbeat_ms = HEARTBEAT_UNTIL_TOLD_MS
        self._asked: str | None = None
        self._asked_users: list[str] | None = None
        self._conflated = False

    def receive(self, frame: str | bytes, now_ms: int) -> list[Event]:
        """Take one text frame.

        What is held already, is unknown, or answers a SUBSCRIBE that was replaced, is no event.

        Raises:
            RemoteProtocolError: the server said what it may not say now; close with 4400.
        """
        self._heard_ms = now_ms
        try:
            message = decode_server(frame)
        except UnknownTypeError:
            return []
        if type(message) not in EXPECTED[self.state]:
            raise RemoteProtocolError(f"{message.type} while {self.state.name}")
        return self._take(message)

    def _take(self, message: ServerMessage) -> list[Event]:
        match message:
            case Hello():
                self.state = LinkState.GREETED
            case Authenticated():
                self.state = LinkState.READY
                self._heartbeat_ms = message.heartbeat_ms
            case Subscribed():
                if message.request != self._asked:
                    # A later SUBSCRIBE replaced that one, and said ``since`` without knowing this.
                    return []
                self._subscribed(message)
            case Error(request=str(request)) if request == self._asked:
                # Nothing is under way any more that would fill a gap.
                self._asked = None
            case SubscriptionChanged():
                for user in message.removed:
                    self._positions.forget(user)
            case HealthDataUpdate() | HistoryChanged():
                return self._changed(message)
        return [message]

    def authenticate(self, token: str) -> bytes:
        """The frame that says who this is, once HELLO has come."""
        if self.state is not LinkState.GREETED:
            raise LocalProtocolError(f"authenticate in state {self.state.name}")
        self.state = LinkState.AUTHENTICATING
        return encode(Authenticate(token=token, client=self._client))

    def refresh(self, token: str) -> bytes:
        """The frame that renews the token."""
        self._ready()
        return encode(Refresh(token=token))

    def subscribe(
        self,
        request: str,
        users: list[str] | None = None,
        metrics: list[str] | None = None,
        min_interval_ms: int = 0,
    ) -> bytes:
        """The frame that asks for snapshots and changes, from where :class:`Positions` stands.

        Those beyond :data:`MOST_USERS` are asked for without ``since``, and start anew.
        """
        self._ready()
        since = self._positions.since()
        if users is not None:
            since = {user: since[user] for user in users if user in since}
        since = dict(islice(since.items(), MOST_USERS))
        self._asked = request
        self._asked_users = users
        self._conflated = min_interval_ms > 0
        return encode(
            Subscribe(
                request=request,
                users=users,
                metrics=metrics,
                since=since,
                min_interval_ms=min_interval_ms,
            )
        )

    def ask(self, request: Request) -> bytes:
        """The frame with a question."""
        self._ready()
        return encode(request)

    def sync(self) -> bytes:
        """The frame that asks the bridges to flush and report."""
        self._ready()
        return encode(SyncAsked(status="syncing"))

    def silent(self, now_ms: int) -> bool:
        """Two and a half heartbeats without a word: the connection is dead."""
        return now_ms - self._heard_ms > self.silence_allowed_ms

    @property
    def silence_allowed_ms(self) -> int:
        """How long the server may say nothing."""
        return self._heartbeat_ms * 5 // 2

    def closed(self) -> None:
        """The connection is gone."""
        self.state = LinkState.CLOSED

    def _ready(self) -> None:
        if self.state is not LinkState.READY:
            raise LocalProtocolError(f"nothing may be sent in state {self.state.name}")

    def _subscribed(self, message: Subscribed) -> None:
        self.useful = True
        self._asked = None
        asked = self._positions.users() if self._asked_users is None else self._asked_users
        for user in asked:
            # No longer granted, though nothing was here to say so when it went.
            if user not in message.snapshot:
                self._positions.forget(user)
        for user, snapshot in message.snapshot.items():
            self._positions.snapshot(user, snapshot.position, reset=snapshot.reset)

    def _changed(self, change: Change) -> list[Event]:
        left_out = isinstance(change, HealthDataUpdate) and change.conflated > 0
        taken = self._positions.take(change, conflated=self._conflated or left_out)
        if taken is Taken.NEWS:
            return [change]
        # While an answer to SUBSCRIBE is under way, the missing changes are too.
        if taken is Taken.GAP and self._asked is None:
            return [Gap(change.user, change.metric)]
        return []
