"""Why readings are missing, from what the hops say: evidence with its time, never a guess."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from strapline.watch.line import Line, Point
from strapline_protocol.publishing import DeviceState
from strapline_protocol.watching import HopState, ServerState, UserStatus

#: Enough for a hop that changes every few seconds of the five minutes that are shown.
SPELLS_BOUND: Final = 100
#: A drop is noticed late, so that a spell need not cover the gap whole to be its cause.
_LEAST_SHARE: Final = 1 / 3


class Why(StrEnum):
    """What stands in the way; the value is how it is said of one person."""

    NOT_WORN = "not worn"
    OUT_OF_RANGE = "strap out of range"
    BRIDGE_OFFLINE = "bridge offline"
    NOT_STORING = "server cannot store"
    SERVER_AWAY = "server away"
    NO_SIGNAL = "no signal"
    IMPLAUSIBLE = "readings not plausible"
    FROZEN = "strap repeats itself"
    NO_READING = "no reading"
    # Of what is past, as the server accounts for it.
    RADIO_LOST = "radio lost"
    BLUETOOTH_AWAY = "bridge\u2019s Bluetooth off"
    BATTERY_EMPTY = "strap\u2019s battery empty"
    BRIDGE_OFF = "bridge off"
    BRIDGE_CRASHED = "bridge crashed"
    BRIDGE_ASLEEP = "bridge asleep"
    DROPPED = "dropped, card full"
    DISCARDED = "readings discarded"
    DAMAGED = "readings damaged"
    REFUSED = "readings refused"
    PENDING = "still coming"
    ERASED = "erased"
    SILENT = "silent"
    SILENT_LINKED = "strap silent"


_COUNTED: Final = {
    Why.NOT_WORN: "not worn",
    Why.OUT_OF_RANGE: "out of range",
    Why.BRIDGE_OFFLINE: "with the bridge offline",
    Why.NOT_STORING: "not stored",
    Why.SERVER_AWAY: "cut off, server away",
    Why.NO_SIGNAL: "without a signal",
    Why.IMPLAUSIBLE: "not plausible",
    Why.FROZEN: "with a strap that repeats itself",
    Why.NO_READING: "silent",
    Why.RADIO_LOST: "with the radio lost",
    Why.BLUETOOTH_AWAY: "without Bluetooth",
    Why.BATTERY_EMPTY: "out of battery",
    Why.BRIDGE_OFF: "with the bridge off",
    Why.BRIDGE_CRASHED: "with a bridge that crashed",
    Why.BRIDGE_ASLEEP: "with the bridge asleep",
    Why.DROPPED: "dropped",
    Why.DISCARDED: "discarded",
    Why.DAMAGED: "damaged",
    Why.REFUSED: "refused",
    Why.PENDING: "still to come",
    Why.ERASED: "erased",
    Why.SILENT: "silent",
    Why.SILENT_LINKED: "silent",
}


def counted(why: Why | str) -> str:
    """After a number of people: ``2 live, 1 out of range``."""
    return _COUNTED[why] if isinstance(why, Why) else f"with cause “{why}”"


@dataclass(frozen=True, slots=True)
class Spell:
    """For how long something stood in the way; ``to_ms`` is None while it lasts."""

    why: Why
    from_ms: int
    to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Because:
    """The cause of a silence, and since when, where a spell is the cause.

    ``why`` is text where only a newer server knows it.
    """

    why: Why | str
    since_ms: int | None = None


def refusal(point: Point) -> Why | None:
    """What a reading says of itself that keeps it off the trace; None for one that is drawn."""
    return refused(point.value, point.quality, point.contact)


def refused(
    value: float | None, quality: Collection[str], contact: bool | None = None
) -> Why | None:
    """The same of any value in bpm with its marks, such as the last one that a state tells."""
    if contact is False or "noContact" in quality:
        return Why.NOT_WORN
    if value is None or value <= 0 or "zero" in quality:
        return Why.NO_SIGNAL
    if "implausible" in quality:
        return Why.IMPLAUSIBLE
    return Why.FROZEN if "frozen" in quality else None


def cause_of(status: UserStatus, device: str | None) -> Spell | None:
    """What stops a wearer's readings at this moment, nearest to the screen first.

    ``device`` is the one that the readings come from; without it any that is there counts.
    """
    hops = status.hops
    if hops.server.state is ServerState.NOT_STORING:
        return Spell(Why.NOT_STORING, hops.server.since_ms)
    if hops.bridges and all(bridge.state is HopState.OFFLINE for bridge in hops.bridges):
        return Spell(Why.BRIDGE_OFFLINE, max(bridge.since_ms for bridge in hops.bridges))
    asked = [hop for hop in hops.devices if hop.device == device] or hops.devices
    if not asked or any(hop.state is DeviceState.CONNECTED for hop in asked):
        return None
    worn = [hop for hop in asked if hop.state is not DeviceState.NOT_WORN]
    if worn:
        return Spell(Why.OUT_OF_RANGE, max(hop.since_ms for hop in worn))
    return Spell(Why.NOT_WORN, max(hop.since_ms for hop in asked))


def noted(spells: Sequence[Spell], now: Spell | None, at_ms: int) -> tuple[Spell, ...]:
    """The spells once ``now`` is known to be the cause, or that there is none."""
    known = tuple(spells)
    last = known[-1] if known and known[-1].to_ms is None else None
    if (last and last.why) == (now and now.why):
        return known
    if last is not None:
        end_ms = at_ms if now is None else now.from_ms
        known = (*known[:-1], replace(last, to_ms=max(last.from_ms, end_ms)))
    return known if now is None else (*known, now)[-SPELLS_BOUND:]


def own_loss(spells: Sequence[Spell]) -> Because | None:
    """What this screen lost itself: while that lasts, it knows nothing of what is beyond."""
    for spell in spells:
        if spell.to_ms is None and spell.why is Why.SERVER_AWAY:
            return Because(spell.why, spell.from_ms)
    return None


def because_between(from_ms: int, to_ms: int, line: Line, spells: Sequence[Spell]) -> Because:
    """The cause of a gap, on evidence alone: refused readings in it, then the longest spell.

    In a gap that goes on a spell that lasts comes before those that are over, however short it
    is; one that is over must have covered a third. A loss of this screen's own that lasts and
    has covered a third comes before what was last heard of the way beyond.
    """
    for point in reversed(line):
        if from_ms < point.at_ms < to_ms and (said := refusal(point)) is not None:
            return Because(said)

    def overlap_ms(spell: Spell) -> int:
        return min(to_ms, to_ms if spell.to_ms is None else spell.to_ms) - max(
            from_ms, spell.from_ms
        )

    least_ms = (to_ms - from_ms) * _LEAST_SHARE
    touching = [spell for spell in spells if overlap_ms(spell) > 0]
    lasting = [spell for spell in touching if spell.to_ms is None]
    long = [spell for spell in touching if overlap_ms(spell) >= least_ms]
    own = [spell for spell in lasting if spell.why is Why.SERVER_AWAY and spell in long]
    candidates = own or lasting or long
    if not candidates:
        return Because(Why.NO_READING)
    longest = max(candidates, key=overlap_ms)
    return Because(longest.why, longest.from_ms)


def because_now(spells: Sequence[Spell], last: Point | None) -> Because | None:
    """The cause at this moment; None when nothing is known to stand in the way."""
    for spell in spells:
        if spell.to_ms is None:
            return Because(spell.why, spell.from_ms)
    said = None if last is None else refusal(last)
    return None if said is None else Because(said)
