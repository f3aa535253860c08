"""A server on one store: commits in groups, acknowledges after, and shows what is granted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from strapline_protocol.base import WireModel
from strapline_protocol.codec import encode
from strapline_protocol.opening import (
    Authenticate,
    Authenticated,
    ClockState,
    Hello,
    Limits,
    Role,
)
from strapline_protocol.publishing import Acknowledged, Dropped, Readings, Stream
from strapline_protocol.server_session import ServerSession, SessionState
from strapline_protocol.watching import (
    HealthDataUpdate,
    MetricData,
    Subscribe,
    Subscribed,
    SubscriptionChanged,
    UserSnapshot,
    ValueData,
)
from tests.unit.protocol.examples import USER_STATUS
from tests.unit.protocol.simulated.link import Link
from tests.unit.protocol.simulated.store import Change, Store

if TYPE_CHECKING:
    from tests.unit.protocol.simulated.world import World

LIMITS = Limits(window_readings=12)


@dataclass
class Waiting:
    """READINGS that the next commit takes."""

    connection: Connection
    message: Readings


class Server:
    """One process on a store that outlives it."""

    def __init__(self, world: World, store: Store) -> None:
        self.world = world
        self.store = store
        self.alive = True
        #: Where a mutant that keeps positions in memory alone begins again.
        self.began_with = store.last.copy()
        self.connections: list[Connection] = []
        self._waiting: list[Waiting] = []
        self._committing = False

    def die(self) -> None:
        """What is not committed is gone."""
        self.alive = False
        for connection in self.connections:
            connection.link.cut(1012)

    def accept(self, link: Link, who: str) -> Connection:
        """A connection, greeted."""
        connection = Connection(self, link, who)
        self.connections.append(connection)
        return connection

    def take(self, connection: Connection, message: Readings) -> None:
        """Put readings into the next commit."""
        self._waiting.append(Waiting(connection, message))
        if "acknowledge_early" in self.world.mutants:
            self._acknowledge(self._waiting[-1])
        if not self._committing:
            self._committing = True
            self.world.clock.after(self.world.random.randrange(120), self._commit)

    def _commit(self) -> None:
        if not self.alive:
            return
        self._committing = False
        batch, self._waiting = self._waiting, []
        for one in batch:
            for series in one.message.series:
                change = self.store.commit(
                    one.message.stream,
                    series,
                    count_repeats="count_repeats" in self.world.mutants,
                    trust_drops="drop_overrides" in self.world.mutants,
                )
                if change is not None:
                    self._show(change)
            if "acknowledge_early" not in self.world.mutants:
                self._acknowledge(one)

    def _acknowledge(self, one: Waiting) -> None:
        ranges = [span for series in one.message.series for span in series.ranges()]
        one.connection.session.settled(sum(map(len, one.message.series)))
        one.connection.send(Acknowledged(stream=one.message.stream, ranges=ranges))

    def _show(self, change: Change) -> None:
        for connection in self.connections:
            connection.show(change)

    def granted(self, viewer: str, user: str, *, now: bool) -> None:
        """A grant came or went: the open connections hear of it."""
        for connection in self.connections:
            if connection.who == viewer and connection.session.state is SessionState.WATCHING:
                connection.granted(user, now=now)


class Connection:
    """The server's side of one connection."""

    def __init__(self, server: Server, link: Link, who: str) -> None:
        self.link = link
        self.who = who
        self.session = ServerSession(server.world.clock.now_ms, LIMITS)
        self._server = server
        self._world = server.world
        self._users: set[str] | None = None
        self._left_out: dict[tuple[str, str], int] = {}

    def greet(self) -> None:
        """Say what this is."""
        self.send(
            Hello(
                store="store",
                epoch=self._server.store.epoch,
                server_time=self._world.clock.now_ms,
                clock_state=ClockState.SYNCHRONISED,
            )
        )

    def send(self, message: WireModel) -> None:
        """Put a message on its way."""
        self.link.send(encode(message), to_client=True)

    def lost(self, _code: int, _reason: str) -> None:
        """Forget it."""
        self.session.closed()
        if self in self._server.connections:
            self._server.connections.remove(self)

    def heard(self, frame: bytes) -> None:
        """Take what the client says."""
        if not self._server.alive:
            return
        received = self.session.receive(frame)
        if received.close or received.replies or received.rejected:
            self._world.fail(f"the server refused something: {received}")
        match received.message:
            case Authenticate():
                self._world.clock.after(self._world.random.randrange(50), self._authenticated)
            case Stream(stream=stream):
                held = self._server.store.held(stream).ranges()
                self.send(Acknowledged(stream=stream, ranges=held, zero_version=3))
            case Readings() as message:
                self._server.take(self, message)
            case Dropped(stream=stream, ranges=ranges):
                self._server.store.drop(stream, ranges)
                self.send(Acknowledged(stream=stream, ranges=ranges))
            case Subscribe() as message:
                self._subscribe(message)

    def _authenticated(self) -> None:
        if not self._server.alive or self.session.state is not SessionState.VERIFYING:
            return
        role = Role.BRIDGE if self.who == "bridge" else Role.VIEWER
        self.session.authenticated(role, 10**9, self._world.clock.now_ms)
        if role is Role.BRIDGE:
            for other in self._server.connections:
                if other is not self and other.who == self.who:
                    other.link.close(4409, "another connection took over")
        self.send(
            Authenticated(
                session="s",
                principal=self.who,
                role=role,
                users=sorted(self._world.grants_of(self.who)),
                expires_at=10**12,
                heartbeat_ms=15_000,
                reconnect_spread_ms=500,
                limits=LIMITS,
            )
        )

    def _subscribe(self, message: Subscribe) -> None:
        """Join, and say the position and state of this same moment."""
        store = self._server.store
        granted = self._world.grants_of(self.who)
        if "resume_without_rights" in self._world.mutants:
            granted = granted | message.since.keys()
        self._users = set(granted)
        self._left_out.clear()
        snapshot, following = {}, []
        for user in granted:
            epoch, n = message.since.get(user, ("", 0))
            changes = store.since(user, epoch, n)
            following += changes or []
            snapshot[user] = UserSnapshot(
                name=user,
                position=(store.epoch, store.last[user]),
                reset=changes is None,
                status=USER_STATUS,
                state=self._state(user) if changes is None else None,
            )
        now_ms = self._world.clock.now_ms
        self.send(Subscribed(request=message.request, snapshot=snapshot, server_time=now_ms))
        for change in following:
            self.send(self._update(change))

    def _state(self, user: str) -> dict[str, MetricData]:
        totals = self._server.store.totals
        return {metric: data(total) for (who, metric), total in totals.items() if who == user}

    def show(self, change: Change) -> None:
        """Send a change to one who may see it, unless the way to them is too narrow or broken."""
        if self._users is None or change.user not in self._users:
            return
        key = change.user, change.metric
        fate = self._world.fate()
        if fate == "lost":
            return
        if fate == "left out":
            self._left_out[key] = self._left_out.get(key, 0) + 1
            return
        self.send(self._update(change, self._left_out.pop(key, 0)))

    def _update(self, change: Change, conflated: int = 0) -> HealthDataUpdate:
        epoch = self._server.store.epoch
        return HealthDataUpdate(
            user=change.user,
            metric=change.metric,
            stream=change.stream,
            data=data(change.total),
            series=change.series.timed(
                change.series.elapsed(),
                received_ms=self._world.clock.now_ms,
                time_source="system",
            ),
            position=(epoch, change.n),
            previous=(epoch, change.previous),
            server_time=self._world.clock.now_ms,
            conflated=conflated,
        )

    def granted(self, user: str, *, now: bool) -> None:
        """A grant came or went."""
        if not now and "revocation_unheard" in self._world.mutants:
            return
        if not now and self._users is not None:
            self._users.discard(user)
        self.send(SubscriptionChanged(added=[user] if now else [], removed=[] if now else [user]))


def data(total: int) -> ValueData:
    """The state of a metric: how many readings of it are counted."""
    return ValueData(current=total, last=None, fresh_for_ms=1, on_change=False)
