"""Everyone who is watched, in fixed seats, from what the service tells; kept across connections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from strapline.watch.causes import Spell, Why, cause_of, noted
from strapline.watch.line import Point, merged, points_of, replaced
from strapline.watch.link_state import Connection, trouble_of
from strapline.watch.person import Person
from strapline.watch.sheet import SHEET_MS
from strapline_client import (
    HealthDataUpdate,
    HistoryChanged,
    Subscribed,
    SubscriptionChanged,
    Update,
    UserState,
)
from strapline_client.events import ConnectionState
from strapline_protocol.gaps import SHORTEST_GAP_MS
from strapline_protocol.metrics import GAP, HEART_RATE
from strapline_protocol.watching import Gap, Position

#: A screen of more people than this cannot be read; the others are not drawn, and that is said.
MOST_PEOPLE: Final = 1_000


#: Where the past of these is another one, gaps may have other causes, or be none.
_PAST: Final = frozenset({HEART_RATE.name, GAP.name})


class People:
    """What the screen shows, told update by update.

    Seats are by name at first; who comes later joins at the end, and everyone keeps the seat.

    Attributes:
        connection: this screen's own link.
        left_out: people for whom there was no seat.
    """

    def __init__(self) -> None:
        self._people: dict[str, Person] = {}
        self._spells: dict[str, tuple[Spell, ...]] = {}
        self._own: tuple[Spell, ...] = ()
        self._wanted: set[str] = set()
        self.connection = Connection()
        self.left_out = 0

    @property
    def all(self) -> list[Person]:
        """In their seats."""
        return list(self._people.values())

    def of(self, user: str) -> Person | None:
        """One of them."""
        return self._people.get(user)

    def wanted(self) -> list[str]:
        """Whose last minutes are to be fetched; asked once, they are so no more."""
        wanted, self._wanted = self._wanted, set()
        return [user for user in wanted if user in self._people]

    def want(self, user: str) -> None:
        """Fetch this one's last minutes later."""
        self._wanted.add(user)

    def take(self, update: Update, users: Mapping[str, UserState], now_ms: int) -> None:
        """Take an update in. ``users`` is the service's whole state after it."""
        match update.message:
            case ConnectionState() as message:
                self._connected(message, now_ms)
            case Subscribed():
                self._subscribed(users, now_ms)
            case SubscriptionChanged(removed=removed):
                for user in removed:
                    self._forget(user)
            case HealthDataUpdate() as message if message.metric == HEART_RATE.name:
                self._beat(message, users, now_ms)
            case HealthDataUpdate() as message if message.metric == GAP.name:
                self._tell(message.user, users, now_ms)
                self.want(message.user)
            case HistoryChanged() as message:
                self._tell(message.user, users, now_ms)
                if message.metric in _PAST and message.to_ms >= now_ms - SHEET_MS:
                    self.want(message.user)
            case _:
                if update.user is not None:
                    self._tell(update.user, users, now_ms)

    def history(
        self, user: str, stretch: tuple[int, int], read: list[Point], position: Position
    ) -> None:
        """The last minutes, as they were read at ``position``."""
        person = self._people.get(user)
        if person is not None:
            line = replaced(person.line, *stretch, read, position)
            self._people[user] = replace(person, line=line)

    def gaps(self, user: str, told: Iterable[Gap]) -> None:
        """Stretches of the last minutes without a reading, as the server accounts for them."""
        person = self._people.get(user)
        if person is not None:
            self._people[user] = replace(person, gaps=tuple(told))

    def _connected(self, told: ConnectionState, now_ms: int) -> None:
        before = self.connection
        self.connection = Connection(told.status, trouble_of(told.why), told.lost_at_ms)
        if self.connection.stands:
            self._own = noted(self._own, None, now_ms)
        elif before.stands:
            lost_ms = now_ms if told.lost_at_ms is None else told.lost_at_ms
            self._own = noted(self._own, Spell(Why.SERVER_AWAY, lost_ms), now_ms)
        if self.connection.ended:
            for user in list(self._people):
                self._forget(user)
        for user, person in self._people.items():
            self._people[user] = self._with_spells(person)

    def _subscribed(self, users: Mapping[str, UserState], now_ms: int) -> None:
        for user in [user for user in self._people if user not in users]:
            self._forget(user)
        new = [state for user, state in users.items() if user not in self._people]
        for state in sorted(new, key=lambda one: (one.name.casefold(), one.user)):
            if len(self._people) < MOST_PEOPLE:
                self._people[state.user] = Person(state.user, state.name or state.user)
        self.left_out = len(users) - len(self._people)
        for user in self._people:
            self.want(user)
            self._tell(user, users, now_ms)

    def _beat(self, message: HealthDataUpdate, users: Mapping[str, UserState], now_ms: int) -> None:
        fresh = points_of(message.series, message.position)
        person = self._people.get(message.user)
        last_ms = person.line[-1].at_ms if person is not None and person.line else None
        if last_ms is not None and fresh[0].at_ms - last_ms > SHORTEST_GAP_MS:
            # A gap has ended: only now the server can say what the whole of it was.
            self.want(message.user)
        self._tell(message.user, users, now_ms, fresh)

    def _tell(
        self,
        user: str,
        users: Mapping[str, UserState],
        now_ms: int,
        fresh: Iterable[Point] = (),
    ) -> None:
        person, state = self._people.get(user), users.get(user)
        if person is None or state is None:
            return
        line = merged(person.line, fresh)
        if state.status is not None:
            device = line[-1].device if line else None
            cause = cause_of(state.status, device)
            self._spells[user] = noted(self._spells.get(user, ()), cause, now_ms)
        self._people[user] = self._with_spells(
            replace(
                person,
                name=state.name or user,
                metrics=state.metrics,
                status=state.status,
                line=line,
            )
        )

    def _with_spells(self, person: Person) -> Person:
        return replace(person, spells=(*self._own, *self._spells.get(person.user, ())))

    def _forget(self, user: str) -> None:
        self._people.pop(user, None)
        self._spells.pop(user, None)
        self._wanted.discard(user)
