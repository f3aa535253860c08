"""The connection as a whole, for the header: one status, and how many are live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from strapline.watch.causes import counted
from strapline.watch.ink import Row, Tone
from strapline.watch.link_state import Connection
from strapline.watch.person import Person
from strapline.watch.rate import because_none, rate_of
from strapline.watch.words import ago, clock, count, duration
from strapline_protocol.watching import HeartRateData, StepsData, SyncStatus

_WORDS: Final = {
    SyncStatus.CONNECTING: "Not known yet",
    SyncStatus.REALTIME: "Live",
    SyncStatus.SYNCING: "Catching up",
    SyncStatus.SYNCED: "Up to date",
    SyncStatus.OFFLINE: "Offline",
    SyncStatus.ERROR: "Stopped",
}
#: In the grammar of the trace: whole, double, broken, dotted.
_GLYPHS: Final[dict[SyncStatus, Row]] = {
    SyncStatus.REALTIME: [("──", Tone.INK), ("●", Tone.NOW)],
    SyncStatus.SYNCING: [("══◐", Tone.INK)],
    SyncStatus.SYNCED: [("──✓", Tone.INK)],
    SyncStatus.OFFLINE: [("╌╌○", Tone.INK)],
    SyncStatus.CONNECTING: [("··?", Tone.INK)],
    SyncStatus.ERROR: [],
}
#: The best that anyone's readings do, unless something is still on its way.
_ORDER: Final = (
    SyncStatus.SYNCING,
    SyncStatus.REALTIME,
    SyncStatus.ERROR,
    SyncStatus.OFFLINE,
    SyncStatus.SYNCED,
    SyncStatus.CONNECTING,
)
#: The server calls a silence by its name soon; until then no more is claimed than is known.
_SILENCE: Final = 2


@dataclass(frozen=True, slots=True)
class Standing:
    """One status of the whole, and what stands beside its word: ``1 s ago``."""

    status: SyncStatus
    detail: str = ""

    @property
    def words(self) -> str:
        """``Live  1 s ago``."""
        return f"{_WORDS[self.status]}  {self.detail}".rstrip()

    @property
    def row(self) -> Row:
        """With its glyph; what has stopped stands on a plate."""
        if self.status is SyncStatus.ERROR:
            detail = f"  {self.detail}" if self.detail else ""
            return [(f" {_WORDS[self.status]} ", Tone.PLATE), (detail, Tone.INK)]
        head = _WORDS[self.status]
        rest = f"  {self.detail}" if self.detail else ""
        return [*_GLYPHS[self.status], (f" {head}", Tone.STRONG), (rest, Tone.INK)]


def standing_of(connection: Connection, people: Sequence[Person], now_ms: int) -> Standing:
    """As the page's indicator says it."""
    trouble = "" if connection.trouble is None else connection.trouble.short
    if connection.ended:
        return Standing(SyncStatus.ERROR, trouble)
    if connection.stands:
        return _of_people(people, now_ms)
    if connection.trouble is None:
        return Standing(SyncStatus.CONNECTING)
    since = "" if connection.lost_at_ms is None else f" since {clock(connection.lost_at_ms)}"
    return Standing(SyncStatus.OFFLINE, f"{trouble}{since}")


def _of_people(people: Sequence[Person], now_ms: int) -> Standing:
    statuses = {person.status.status for person in people if person.status is not None}
    status = next((one for one in _ORDER if one in statuses), SyncStatus.SYNCED)
    pending = _pending(people)
    match status:
        case SyncStatus.REALTIME:
            return _live(people, now_ms)
        case SyncStatus.SYNCING:
            return Standing(status, f"{count(pending)} left")
        case SyncStatus.OFFLINE:
            return Standing(status, f"{count(pending)} waiting" if pending else "bridge offline")
        case SyncStatus.ERROR:
            return Standing(status, "server cannot store")
        case SyncStatus.SYNCED:
            return Standing(status, _idle(people))
        case SyncStatus.CONNECTING:
            return Standing(status)


def _live(people: Sequence[Person], now_ms: int) -> Standing:
    newest = _newest(people)
    if newest is None:
        return Standing(SyncStatus.REALTIME)
    at_ms, fresh_for_ms = newest
    age_ms = max(0, now_ms - at_ms)
    if age_ms > fresh_for_ms * _SILENCE:
        return Standing(SyncStatus.CONNECTING, f"silent for {duration(age_ms)}")
    return Standing(SyncStatus.REALTIME, ago(age_ms))


def _idle(people: Sequence[Person]) -> str:
    newest = _newest(people)
    if newest is not None:
        return f"nothing since {clock(newest[0])}"
    return "no reading yet" if any(person.devices for person in people) else "no strap yet"


def _newest(people: Sequence[Person]) -> tuple[int, int] | None:
    """When the newest reading was taken, and for how long such a one is the present."""
    return max(
        (
            (data.last.at_ms, data.fresh_for_ms)
            for person in people
            for data in person.metrics.values()
            if isinstance(data, HeartRateData | StepsData) and data.last is not None
        ),
        default=None,
    )


def _pending(people: Sequence[Person]) -> int:
    """Several people share a bridge, and its readings are counted once."""
    known = [person.status for person in people if person.status is not None]
    bridges = {
        (bridge.name, bridge.since_ms): bridge.pending
        for status in known
        for bridge in status.hops.bridges
    }
    if bridges:
        return sum(bridges.values())
    return max((status.pending for status in known), default=0)


def summary_of(people: Sequence[Person], now_ms: int, *, connected: bool) -> str:
    """``3 people: 2 live, 1 out of range``."""
    counts = Counter(_standing(person, now_ms, connected=connected) for person in people)
    if not people:
        return "nobody yet"
    if len(people) == 1:
        return f"1 person, {next(iter(counts))}"
    parts = sorted(counts.items(), key=lambda one: one[0] != "live")
    return f"{len(people)} people: {', '.join(f'{number} {said}' for said, number in parts)}"


def _standing(person: Person, now_ms: int, *, connected: bool) -> str:
    rate = rate_of(person, now_ms, connected=connected)
    if rate.bpm is not None:
        return "live"
    because = because_none(person, rate, now_ms)
    return "not measured yet" if because is None else counted(because.why)


def complete_through(people: Sequence[Person]) -> int | None:
    """Up to when everything is here: the earliest moment that holds for all."""
    return min(
        (
            person.status.complete_through_ms
            for person in people
            if person.status is not None and person.status.complete_through_ms is not None
        ),
        default=None,
    )
