"""What `strapline watch` prints where no screen is drawn: lines, or JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from strapline.watch.band import Frame, missing_words
from strapline.watch.ink import cells_of, cut, padded
from strapline.watch.link_state import Connection
from strapline.watch.person import Person, battery_of, steps_of
from strapline.watch.rate import rate_of
from strapline.watch.words import ago, clock_with_seconds
from strapline_client.events import (
    ConnectionState,
    Lagged,
    Update,
    UserState,
)
from strapline_protocol.watching import Subscribed, SubscriptionChanged

_WIDEST_NAME = 24
_PLAIN_WIDTH = 100


def json_line(update: Update, users: Mapping[str, UserState]) -> str | None:
    """One object: the server's own message, with the person's ``name`` beside the id.

    None for what another line says already.

    The link to the server is told as ``CONNECTION_STATUS_UPDATE`` {status, why, reason}, and
    updates that a slow reader missed as ``LAGGED`` {leftOut}.
    """
    match update.message:
        case ConnectionState() as state:
            told: dict[str, object] = {"status": state.status, "why": state.why}
            told["reason"] = state.reason
        case Lagged() as lagged:
            told = {"leftOut": lagged.left_out}
        case None:
            return None
        case message if message.type != update.type:
            return None
        case message:
            told = message.model_dump(mode="json", by_alias=True)
    if update.user is not None and update.user in users:
        told["name"] = users[update.user].name
    told["type"] = update.type
    head = {key: told.pop(key) for key in ("type", "user", "name") if key in told}
    # In ASCII alone, it is the same in every locale.
    return json.dumps({**head, **told}, separators=(",", ":"))


def table(people: Sequence[Person], connection: Connection, now_ms: int) -> list[str]:
    """A line for each person: name, rate or dash, its age or the cause, steps, battery."""
    names = min(_WIDEST_NAME, max((cells_of(person.name) for person in people), default=0))
    frame = Frame(now_ms, _PLAIN_WIDTH, connection.stands)
    return [_line(person, frame, names) for person in people] or ["Nobody is shown yet."]


def _line(person: Person, frame: Frame, names: int) -> str:
    rate = rate_of(person, frame.now_ms, connected=frame.connected)
    figure = "—" if rate.bpm is None else str(rate.bpm)
    told = [
        missing_words(person, frame) if rate.bpm is None else ago(rate.age_ms),
        steps_of(person, frame.now_ms),
        battery_of(person, frame.now_ms, connected=frame.connected),
    ]
    rest = "   ".join(one for one in told if one)
    return f"{padded(person.name, names)}  {figure:>3}  {rest}"


class Narrator:
    """Tells in lines what changes: each rate once, each loss and its end, who comes and goes."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}
        self._link = ""

    def lines(
        self, update: Update, people: Sequence[Person], connection: Connection, now_ms: int
    ) -> list[str]:
        """What this update is worth saying; nothing where nothing changed that a person reads."""
        match update.message:
            case ConnectionState():
                return self._connection(connection, now_ms)
            case Subscribed() | SubscriptionChanged():
                told = people
            case _:
                told = [person for person in people if person.user == update.user]
        return self._people(told, connection, now_ms)

    def silence(self, people: Sequence[Person], connection: Connection, now_ms: int) -> list[str]:
        """What became the past without any message."""
        quiet = [
            person
            for person in people
            if rate_of(person, now_ms, connected=connection.stands).bpm is None
        ]
        return self._people(quiet, connection, now_ms)

    def _people(self, people: Sequence[Person], connection: Connection, now_ms: int) -> list[str]:
        frame = Frame(now_ms, _PLAIN_WIDTH, connection.stands)
        lines = []
        for person in people:
            rate = rate_of(person, now_ms, connected=connection.stands)
            if rate.bpm is None:
                # For how long counts on; what is said of it does not.
                words = missing_words(person, frame).split(" for ")[0]
                key, words = words, f"—  {words}"
            else:
                at = None if person.heart_rate is None else person.heart_rate.last
                key = f"{rate.bpm} {at and at.at_ms}"
                words = f"{rate.bpm:>3}  {ago(rate.age_ms)}"
            if self._said.get(person.user) != key:
                self._said[person.user] = key
                name = padded(cut(person.name, _WIDEST_NAME), _WIDEST_NAME)
                lines.append(f"{clock_with_seconds(now_ms)}  {name}  {words}")
        return lines

    def _connection(self, connection: Connection, now_ms: int) -> list[str]:
        if connection.stands:
            words = "connected"
        elif connection.trouble is not None:
            words = f"{connection.trouble.title}. {connection.trouble.remedy}"
        else:
            return []
        if words == self._link:
            return []
        self._link = words
        return [f"{clock_with_seconds(now_ms)}  {words}"]
