"""The viewer's end of one connection, without I/O: each change once, and a hole is noticed.

A viewer keeps one :class:`Positions` for as long as it lives and makes one
:class:`ViewerSession` for each connection. It gives every text frame to
:meth:`ViewerSession.receive` and acts on what comes out. The opening is :class:`ClientLink`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from strapline_protocol.codec import encode
from strapline_protocol.link import ClientLink, expected
from strapline_protocol.messages import ServerMessage
from strapline_protocol.opening import Client, Error, Request
from strapline_protocol.positions import Change, Positions, Taken
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


@dataclass(frozen=True, slots=True)
class Gap:
    """A change of this user and metric is missing: send :meth:`ViewerSession.subscribe` again."""

    user: str
    metric: str


Event = ServerMessage | Gap


class ViewerSession(ClientLink):
    """One connection of a viewer.

    Attributes:
        useful: a snapshot has come, so the next failure starts backing off from the beginning.
    """

    EXPECTED = expected(
        HealthDataUpdate, HistoryChanged, Subscribed, SubscriptionChanged, SyncStatusUpdate
    )

    def __init__(self, now_ms: int, client: Client, positions: Positions) -> None:
        super().__init__(now_ms, client)
        self.useful = False
        self._positions = positions
        self._asked: str | None = None
        self._asked_users: list[str] | None = None
        self._conflated = False
        #: Where each gap was that the last SUBSCRIBE asked to fill.
        self._sought: dict[str, tuple[str, Position]] = {}
        self._gaps: dict[str, tuple[str, Position]] = {}

    def receive(self, frame: str | bytes, now_ms: int) -> list[Event]:
        """Take one text frame.

        What is held already, is unknown, or answers a SUBSCRIBE that was replaced, is no event.

        Raises:
            RemoteProtocolError: the server said what it may not say now; close with 4400.
        """
        message = self._hear(frame, now_ms)
        return [] if message is None else self._take(message)

    def _take(self, message: ServerMessage) -> list[Event]:
        match message:
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
        self._require_ready()
        since = self._positions.since()
        if users is not None:
            since = {user: since[user] for user in users if user in since}
        since = dict(islice(since.items(), MOST_USERS))
        self._sought, self._gaps = self._gaps, {}
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
        self._require_ready()
        return encode(request)

    def sync(self) -> bytes:
        """The frame that asks the bridges to flush and report."""
        self._require_ready()
        return encode(SyncAsked(status="syncing"))

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
            self._note_gap(change)
            return [Gap(change.user, change.metric)]
        return []

    def _note_gap(self, change: Change) -> None:
        """What was asked for already and is missing still cannot be followed up: all anew."""
        place = (change.metric, self._positions.since()[change.user])
        if self._sought.get(change.user) == place:
            self._positions.forget(change.user)
        else:
            self._gaps[change.user] = place
