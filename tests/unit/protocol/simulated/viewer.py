"""A viewer with a screen, that comes back whenever it is cut off, and checks what it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strapline_protocol.closing import Backoff
from strapline_protocol.link import LinkState
from strapline_protocol.opening import Authenticated, Hello
from strapline_protocol.positions import Change, Positions, Taken
from strapline_protocol.viewer_session import Gap, ViewerSession
from strapline_protocol.watching import (
    HealthDataUpdate,
    Position,
    Subscribed,
    SubscriptionChanged,
    ValueData,
)
from tests.unit.protocol.examples import CLIENT
from tests.unit.protocol.simulated.link import Link

if TYPE_CHECKING:
    from tests.unit.protocol.simulated.world import World


class Heedless(Positions):
    """The mutant that does not look at ``previous``."""

    def take(self, change: Change, *, conflated: bool) -> Taken:
        return super().take(change, conflated=True)


class Hasty(Positions):
    """The mutant that takes where the changes lead for where it is."""

    def snapshot(self, user: str, position: Position, *, reset: bool) -> None:
        super().snapshot(user, position, reset=True)


class Forgetful(Positions):
    """The mutant that takes what it holds already."""

    def take(self, change: Change, *, conflated: bool) -> Taken:
        taken = super().take(change, conflated=conflated)
        return Taken.NEWS if taken is Taken.OLD else taken


POSITIONS = {
    "ignore_previous": Heedless,
    "reach_ahead": Hasty,
    "take_old": Forgetful,
}


class Viewer:
    """What one person sees."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        #: How many readings it has of each user and metric.
        self.screen: dict[tuple[str, str], int] = {}
        self._world = world
        (kind,) = [POSITIONS[one] for one in world.mutants if one in POSITIONS] or [Positions]
        self._positions = kind()
        self._session = ViewerSession(0, CLIENT, self._positions)
        self._link: Link | None = None
        self._backoff = Backoff()
        self._requests = 0
        #: Of each user the position that was begun from, and of each metric the last one seen.
        self._start: dict[str, Position] = {}
        self._seen: dict[tuple[str, str], Position] = {}
        self.connect()

    def connect(self) -> None:
        """Begin a connection, with the positions of those before."""
        self._session = ViewerSession(self._world.clock.now_ms, CLIENT, self._positions)
        self._link = self._world.connect(self, self.name)

    def cut(self) -> None:
        """The network goes."""
        if self._link:
            self._link.cut()

    def lost(self, _code: int, _reason: str) -> None:
        """Come back later."""
        self._session.closed()
        self._backoff = self._backoff.useful() if self._session.useful else self._backoff.failed()
        delay_ms = self._backoff.delay_ms(self._world.random.random())
        self._world.clock.after(min(delay_ms, 2_000), self.connect)

    def heard(self, frame: bytes) -> None:
        """Take what the server says."""
        if self._session.state is LinkState.CLOSED:
            return
        for event in self._session.receive(frame, self._world.clock.now_ms):
            match event:
                case Hello():
                    self._send(self._session.authenticate(self.name))
                case Authenticated() | Gap():
                    self._subscribe()
                case Subscribed():
                    self._subscribed(event)
                case HealthDataUpdate():
                    self._see(event)
                case SubscriptionChanged():
                    for user in event.removed:
                        self._leave(user)
                    if event.added:
                        self._subscribe()

    def _subscribe(self) -> None:
        self._requests += 1
        self._send(self._session.subscribe(f"r{self._requests}"))

    def _subscribed(self, message: Subscribed) -> None:
        for user in self._start.keys() - message.snapshot.keys():
            self._leave(user)
        for user, snapshot in message.snapshot.items():
            self._world.shown(self.name, user, message.server_time)
            if snapshot.reset:
                assert snapshot.state is not None
                self._leave(user)
                self._start[user] = snapshot.position
                for metric, data in snapshot.state.items():
                    assert isinstance(data, ValueData)
                    self.screen[user, metric] = int(data.current or 0)

    def _see(self, change: HealthDataUpdate) -> None:
        """Each change once, in order, and none between that was not told of."""
        self._world.shown(self.name, change.user, change.server_time)
        key = change.user, change.metric
        start = self._start.get(change.user)
        if start is None:
            self._world.fail(f"{self.name} sees {change.user} without a beginning")
            return
        at = self._seen.get(key, start)
        if change.position[0] != at[0]:
            self._world.fail(f"{self.name} sees a change of {change.position} after {at}")
        if change.position[1] <= at[1]:
            self._world.fail(f"{self.name} sees {change.position} of {key} after {at}")
        if change.previous[1] > at[1] and not change.conflated:
            self._world.fail(f"{self.name} misses {change.previous} of {key} after {at}")
        self._seen[key] = change.position
        assert isinstance(change.data, ValueData)
        total = int(change.data.current or 0)
        had = self.screen.get(key, 0)
        if had + len(change.series) != total and not change.conflated:
            self._world.fail(f"{self.name} has {had} of {key} and is told of {total}")
        self.screen[key] = total

    def _leave(self, user: str) -> None:
        self._start.pop(user, None)
        for kept in (self._seen, self.screen):
            for key in [key for key in kept if key[0] == user]:
                del kept[key]

    def _send(self, frame: bytes) -> None:
        assert self._link is not None
        self._link.send(frame, to_client=False)
