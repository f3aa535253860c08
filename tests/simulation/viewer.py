"""A viewer that comes back whenever it is cut off, and checks what it is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from strapline_protocol.closing import Backoff
from strapline_protocol.errors import StraplineError
from strapline_protocol.link import LinkState
from strapline_protocol.opening import Authenticated, Client, Hello
from strapline_protocol.positions import Positions
from strapline_protocol.viewer_session import Event, Gap, ViewerSession
from strapline_protocol.watching import (
    HealthDataUpdate,
    HistoryChanged,
    Position,
    Subscribed,
    SubscriptionChanged,
)
from tests.simulation.wire import Link

if TYPE_CHECKING:
    from tests.simulation.ground import Ground

_CLIENT = Client(name="eye", version="0")


class Viewer:
    """What one person sees.

    Attributes:
        taken: positions of the changes that it took since it last began with a user.
        start: where it began.
        narrow: users of whom the way here was too narrow to tell each change.
    """

    def __init__(self, world: Ground, name: str) -> None:
        self.name = name
        self.taken: dict[str, list[int]] = defaultdict(list)
        self.start: dict[str, Position] = {}
        self.narrow: set[str] = set()
        self.seen: dict[tuple[str, str], Position] = {}
        self.changes = self.resets = self.resumes = self.gaps = 0
        self.link: Link | None = None
        self._world = world
        self._positions = Positions()
        self._session = ViewerSession(0, _CLIENT, self._positions)
        self._backoff = Backoff(base_ms=50, cap_ms=1_000)
        self._requests = 0
        self._narrow_now = False
        self.connect()

    def connect(self) -> None:
        """Begin a connection, with the positions of those before."""
        self._session = ViewerSession(self._world.loop.now_ms, _CLIENT, self._positions)
        self._narrow_now = False
        self.link = self._world.connect(self, self.name)

    def narrowed(self, users: Iterable[str]) -> None:
        """From now on the server may leave out changes on this connection."""
        self._narrow_now = True
        self.narrow.update(users)

    def lost(self, code: int, reason: str) -> None:
        """Come back later."""
        self._session.closed()
        self._backoff = self._backoff.useful() if self._session.useful else self._backoff.failed()
        delay_ms = self._backoff.delay_ms(self._world.random_of_viewers.random())
        self._world.loop.from_outside(delay_ms / 1_000, self.connect)

    def roomier(self) -> None:
        """A viewer says little."""

    def heard(self, frame: bytes) -> None:
        """Take what the server says."""
        if self._session.state is LinkState.CLOSED:
            return
        try:
            events = self._session.receive(frame, self._world.loop.now_ms)
        except StraplineError as error:
            self._world.fail(f"{self.name}: the server broke the protocol: {error}")
            return
        for event in events:
            self._act(event)

    def _act(self, event: Event) -> None:
        match event:
            case Hello():
                self._send(self._session.authenticate(self._world.tokens[self.name]))
            case Authenticated():
                self._subscribe()
            case Gap():
                self.gaps += 1
                self._subscribe()
            case Subscribed():
                self._subscribed(event)
            case HealthDataUpdate() | HistoryChanged():
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
        for user in self.start.keys() - message.snapshot.keys():
            self._leave(user)
        for user, snapshot in message.snapshot.items():
            if snapshot.reset or user not in self.start:
                self.resets += 1
                self._leave(user)
                self.start[user] = snapshot.position
            else:
                self.resumes += 1

    def _see(self, change: HealthDataUpdate | HistoryChanged) -> None:
        """Each change once, in order, and none between that was not told of."""
        world, key = self._world, (change.user, change.metric)
        start = self.start.get(change.user)
        if start is None:
            world.fail(f"{self.name} sees {change.user} without a beginning")
            return
        at = self.seen.get(key, start)
        left_out = isinstance(change, HealthDataUpdate) and change.conflated > 0
        left_out = left_out or (isinstance(change, HistoryChanged) and change.why == "skipped")
        if change.position[0] != at[0]:
            world.fail(f"{self.name} sees a change of {change.position} after {at}")
        if change.position[1] <= at[1]:
            world.fail(f"{self.name} sees {change.position} of {key} after {at}")
        if change.previous[1] > at[1] and not left_out:
            world.fail(f"{self.name} misses {change.previous} of {key} after {at}")
        self.changes += 1
        self.seen[key] = change.position
        self.taken[change.user].append(change.position[1])

    def _leave(self, user: str) -> None:
        self.start.pop(user, None)
        self.taken.pop(user, None)
        for key in [key for key in self.seen if key[0] == user]:
            del self.seen[key]
        if not self._narrow_now:
            self.narrow.discard(user)

    def _send(self, frame: bytes) -> None:
        assert self.link is not None
        self.link.send(frame, to_client=False)
