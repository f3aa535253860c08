"""A viewer's part: one subscription, what is delivered to it, and what it asks.

The hub is joined first; what is committed while position and state are read is kept, and of
that only what is later than the snapshot follows it: no blank, no double, no hole.
"""

from __future__ import annotations

from collections.abc import Coroutine
from collections.abc import Set as AbstractSet
from typing import Any, Final

from strapline_protocol.asking import (
    EndSessionParams,
    GapsPage,
    GapsParams,
    HistoryPage,
    HistoryParams,
    MarkParams,
    SessionsPage,
    SessionsParams,
    StartSessionParams,
    SyncParams,
    SyncResult,
)
from strapline_protocol.closing import CloseCode
from strapline_protocol.codec import decode_params, decode_server, encode_result
from strapline_protocol.errors import MalformedMessageError, UnknownTypeError
from strapline_protocol.messages import METHODS, ClientMessage
from strapline_protocol.opening import Error, ErrorCode, Request, Role
from strapline_protocol.publishing import Rejected
from strapline_protocol.server_session import ServerSession
from strapline_protocol.watching import (
    HealthDataUpdate,
    HistoryChanged,
    Subscribe,
    Subscribed,
    SubscriptionChanged,
    SyncAsked,
    SyncStatusUpdate,
    UserSnapshot,
)
from strapline_server.carrier import RETRY_AFTER_MS, Carrier
from strapline_server.dialogue import Context
from strapline_server.errors import NoteError, StoreError
from strapline_server.hub import ready_frame
from strapline_server.outlet import Outlet
from strapline_server.store import Grant, Saying, UserView, View

#: Changes kept while a snapshot is read, which takes milliseconds.
_MOST_JOINING: Final = 10_000
#: The same for a user that there is and one that there is not.
_NOT_GRANTED: Final = "not granted"

Arrival = tuple[HealthDataUpdate | HistoryChanged, bytes]


class Viewer:
    """One viewer's connection."""

    __slots__ = (
        "_connection",
        "_context",
        "_floors",
        "_gone",
        "_grant",
        "_interval_ms",
        "_joining",
        "_may_mark",
        "_metrics",
        "_next_ms",
        "_outlet",
        "_session",
        "_users",
        "_wanted",
    )

    def __init__(
        self, context: Context, connection: Carrier, session: ServerSession, grant: Grant
    ) -> None:
        self._context = context
        self._connection = connection
        self._session = session
        self._grant = grant
        self._users: set[str] = set()
        self._wanted: frozenset[str] | None = None
        self._metrics = grant.metrics
        #: As it was told last.
        self._may_mark = grant.may_mark
        self._floors: dict[str, int] = {}
        self._gone = False
        self._joining: list[Arrival] | None = None
        self._outlet: Outlet | None = None
        self._interval_ms = 0
        self._next_ms = 0

    def act(self, message: ClientMessage) -> Coroutine[Any, Any, None] | None:
        """Begin to do what is asked."""
        match message:
            case Subscribe():
                return self._subscribe(message)
            case SyncAsked():
                self._context.statuses.ask([user.id for user in self._grant.users])
            case Request():
                return self._request(message)
        return None

    # What the hub calls

    def deliver(self, change: HealthDataUpdate | HistoryChanged, frame: bytes, now_ms: int) -> None:
        """A change of a user that this one joined for."""
        if self._joining is not None:
            if len(self._joining) < _MOST_JOINING:
                self._joining.append((change, frame))
            else:
                self._connection.close(
                    CloseCode.OVERLOADED, "too much came while subscribing", RETRY_AFTER_MS
                )
            return
        if self._metrics is not None and change.metric not in self._metrics:
            return
        floor = self._floors.get(change.user)
        if floor is not None:
            if change.position[1] <= floor:
                return
            del self._floors[change.user]
        if self._must_keep:
            self._keep_change(change)
        else:
            self._connection.write(frame, now_ms)

    def deliver_status(self, status: SyncStatusUpdate, frame: bytes, now_ms: int) -> None:
        """A status of a user that this one joined for."""
        if self._connection.congested or self._joining is not None:
            self._keep().keep_status(status)
            return
        self._connection.write(frame, now_ms)

    def sees(self, metric: str) -> bool:
        """Whether it gets this metric, by its grant and by what it asked for."""
        return self._metrics is None or metric in self._metrics

    # What the dialogue calls

    def reject(self, rejected: tuple[Rejected, ...]) -> None:
        """A viewer publishes nothing."""

    def regrant(self, grant: Grant) -> None:
        """Rights came or went: what is removed leaves the screen."""
        before, after = self._grant.ids, grant.ids
        saw = self._metrics
        self._grant = grant
        self._metrics = _both(self._wanted, grant.metrics)
        # The message names users alone: of whom other metrics may be seen, goes and comes.
        others = self._users & after if self._metrics != saw else set()
        added, removed = (after - before) | others, (before - after) | others
        if removed:
            self._leave(removed)
            if self._outlet is not None:
                self._outlet.forget(removed)
        told, self._may_mark = self._may_mark, grant.may_mark
        may_mark = grant.may_mark if grant.may_mark is not told else None
        if added or removed or may_mark is not None:
            self._connection.send(
                SubscriptionChanged(added=sorted(added), removed=sorted(removed), may_mark=may_mark)
            )

    def wake(self, now_ms: int) -> int | None:
        """Send what was kept for an interval."""
        if not self._outlet or self._connection.congested or not self._interval_ms:
            return None
        if now_ms < self._next_ms:
            return self._next_ms
        self._next_ms = now_ms + self._interval_ms
        self.room()
        return None

    def room(self) -> None:
        """Send what was kept, until it is too much again."""
        if self._outlet is None or self._joining is not None:
            return
        for message in self._outlet.take():
            if not self._connection.congested:
                self._connection.send(message)
            elif isinstance(message, SyncStatusUpdate):
                self._outlet.keep_status(message)
            elif isinstance(message, (HealthDataUpdate, HistoryChanged)):
                self._outlet.keep(message)

    def lost(self) -> None:
        """Nobody watches here any more."""
        self._gone = True
        self._context.hub.leave(self, self._users)
        self._users = set()
        self._joining = self._outlet = None

    @property
    def _must_keep(self) -> bool:
        """Whether a change is not to be sent now."""
        return self._connection.congested or self._interval_ms > 0

    def _keep_change(self, change: HealthDataUpdate | HistoryChanged) -> None:
        self._context.counters.conflated += self._keep().keep(change)
        if self._interval_ms:
            self._context.wheel.wake_at(self._connection, self._next_ms)

    def _keep(self) -> Outlet:
        if self._outlet is None:
            self._outlet = Outlet(tells_skipped=not self._interval_ms)
        return self._outlet

    # Subscribing

    async def _subscribe(self, message: Subscribe) -> None:
        self._joining = []
        before = set(self._users)
        try:
            view = await self._join(message)
        except StoreError:
            self._joining = None
            raise
        if view is None or not self._connection.open:
            self._joining = None
            return
        if view.grant is None:
            self._connection.close(CloseCode.NOT_ALLOWED, "this principal has no rights here")
            return
        if view.denied:
            self._leave(self._users - before)
            self._arrived()
            self._context.counters.requests_denied += 1
            self._error(message.request, ErrorCode.NOT_GRANTED, _NOT_GRANTED)
            return
        self._grant = view.grant
        self._leave(self._users - {one.user.id for one in view.users})
        self._wanted = None if message.metrics is None else frozenset(message.metrics)
        self._metrics = _both(self._wanted, view.grant.metrics)
        self._interval_ms, self._next_ms = message.min_interval_ms, 0
        self._outlet = None
        self._tell(message.request, view)
        self._arrived()

    async def _join(self, message: Subscribe) -> View | None:
        """Join the hub, then read; again where the rights became others meanwhile.

        None where the connection was lost: one that has left must not join again.
        """
        asked = message.users
        users = set(self._grant.ids)
        if asked is not None:
            # Of users that are not granted nothing may be kept, even for a moment.
            users &= set(asked)
        while not self._gone:
            rights = self._grant
            self._users |= users
            self._context.hub.join(self, users)
            for user in users:
                self._context.statuses.watched(user)
            view = await self._context.store.view(
                self._grant.sub, message, self._context.statuses.connected()
            )
            seen = {one.user.id for one in view.users}
            if self._grant is not rights or self._gone:
                # What was read may be from before rights were taken away.
                users &= self._grant.ids
            elif view.denied or view.grant is None or seen <= self._users:
                return view
            else:
                users = seen
        return None

    def _leave(self, users: AbstractSet[str]) -> None:
        self._context.hub.leave(self, users)
        self._users -= users

    def _tell(self, request: str, view: View) -> None:
        self._floors = {one.user.id: one.user.position for one in view.users}
        users = view.users
        self._connection.send(
            Subscribed(
                request=request,
                snapshot={one.user.id: self._snapshot(one) for one in users},
                server_time=self._context.wall_ms(),
            )
        )
        now_ms = self._context.monotonic_ms()
        for one in users:
            for logged in one.replay:
                if not self.sees(logged.metric):
                    continue
                if self._must_keep:
                    self._keep_change(_change(logged.payload))
                else:
                    self._connection.write(ready_frame(logged.payload), now_ms)

    def _snapshot(self, one: UserView) -> UserSnapshot:
        user = one.user
        # What it holds stays; from where it is, the changes follow.
        return UserSnapshot(
            name=user.name,
            position=(self._context.store.epoch, user.position),
            reset=one.state is not None,
            status=self._context.statuses.of(user.id, user.synced_ms),
            state=one.state,
        )

    def _arrived(self) -> None:
        """Deliver what was committed meanwhile."""
        arrivals, self._joining = self._joining or [], None
        now_ms = self._context.monotonic_ms()
        for change, frame in arrivals:
            if change.user in self._users:
                self.deliver(change, frame, now_ms)
        if not self._connection.congested:
            self.room()

    # Asking

    async def _request(self, request: Request) -> None:
        try:
            _check_role(request)
            params = decode_params(request)
            store, sub = self._context.store, self._grant.sub
            match params:
                case HistoryParams():
                    self._tell_page(request.request, await store.history(sub, params))
                case GapsParams():
                    known = self._context.statuses.known(params.user, params.device)
                    self._tell_page(request.request, await store.gaps(sub, params, known))
                case SessionsParams():
                    self._tell_page(request.request, await store.sessions(sub, params))
                case StartSessionParams() | EndSessionParams() | MarkParams():
                    said = await self._context.ingest.say(Saying(self._grant, params))
                    self._connection.send_text(encode_result(request.request, said))
                case SyncParams():
                    self._sync(request.request, params)
        except UnknownTypeError:
            self._error(request.request, ErrorCode.UNKNOWN_METHOD, f"no method {request.method}")
        except (MalformedMessageError, ValueError) as error:
            self._error(request.request, ErrorCode.BAD_REQUEST, str(error))
        except NoteError as error:
            denied = error.code in {ErrorCode.NOT_ALLOWED, ErrorCode.NOT_GRANTED}
            self._context.counters.requests_denied += denied
            self._error(request.request, error.code, str(error))
        except StoreError:
            self._error(request.request, ErrorCode.FAILED, "the database cannot be read now")
        finally:
            self._session.answered()

    def _tell_page(self, request: str, page: GapsPage | HistoryPage | SessionsPage | None) -> None:
        if page is None:
            self._context.counters.requests_denied += 1
            self._error(request, ErrorCode.NOT_GRANTED, _NOT_GRANTED)
        else:
            self._connection.send_text(encode_result(request, page))

    def _sync(self, request: str, params: SyncParams) -> None:
        users = params.users
        if users is None:
            users = [user.id for user in self._grant.users]
        if not all(self._grant.allows(user) for user in users):
            self._context.counters.requests_denied += 1
            self._error(request, ErrorCode.NOT_GRANTED, _NOT_GRANTED)
            return
        asked = self._context.statuses.ask(users)
        self._connection.send_text(encode_result(request, SyncResult(asked=asked)))

    def _error(self, request: str, code: str, message: str) -> None:
        self._connection.send(Error(request=request, code=code, message=message[:1000]))


def _check_role(request: Request) -> None:
    """NoteError where the method is a bridge's."""
    method = METHODS.get(request.method)
    if method is not None and method.role is not Role.VIEWER:
        raise NoteError(ErrorCode.NOT_ALLOWED, f"{request.method} is not for this role")


def _change(payload: bytes) -> HealthDataUpdate | HistoryChanged:
    change = decode_server(payload)
    assert isinstance(change, (HealthDataUpdate, HistoryChanged)), "the log holds nothing else"
    return change


def _both(wanted: frozenset[str] | None, granted: frozenset[str] | None) -> frozenset[str] | None:
    """Metrics that are in both; None is all."""
    if wanted is None or granted is None:
        return granted if wanted is None else wanted
    return wanted & granted
