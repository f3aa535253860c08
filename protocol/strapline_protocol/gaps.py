"""Gaps: stretches without a reading, each with its cause. Pure rules that both ends share.

A gap is never stored as such: it is what is left between readings, so that a reading which still
comes closes it, and no second can be both. What is stored is the evidence of causes: what a
bridge noticed of its links (readings of metric ``gap``), when its runs ended, and which numbers
were dropped or rejected. A stretch of a gap without evidence is ``silent``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from statistics import median_low
from typing import Final


class GapCause(StrEnum):
    """Why there is no reading; of two that are known of one moment the first here is named."""

    #: The user's readings of then were erased.
    ERASED = "erased"
    #: The bridge's process did not run.
    BRIDGE_DOWN = "bridgeDown"
    #: The bridge's machine was suspended.
    BRIDGE_ASLEEP = "bridgeAsleep"
    #: Measured, and discarded before a server had it: by the outbox's bound, or by a person.
    DROPPED = "dropped"
    #: Measured, and refused by the server.
    REJECTED = "rejected"
    #: Not lost: what the bridge has of then has not all come, or it has not been heard since.
    PENDING = "pending"
    #: The bridge's own Bluetooth was away, or the wearable was heard and no link stood.
    RADIO_LOST = "radioLost"
    #: The wearable said that it feels no skin, and then nothing else.
    NOT_WORN = "notWorn"
    #: The wearable's battery was empty.
    OFF = "off"
    #: Off, asleep or out of range: nobody can tell.
    SILENT = "silent"


class Evidence(StrEnum):
    """What a cause rests on; a newer bridge may name others."""

    #: The bridge's run said goodbye, or stopped without a word after its last-alive mark.
    STOPPED = "stopped"
    KILLED = "killed"
    #: The boot clock went on while the machine's monotonic clock stood still.
    SUSPENDED = "suspended"
    #: The adapter or the Bluetooth service was away.
    ADAPTER_AWAY = "adapterAway"
    #: The wearable's advertising was heard while no link stood.
    HEARD = "heard"
    #: Its last word was that it is not worn.
    CONTACT = "contact"
    #: Its last battery level was at most :data:`EMPTY_BATTERY`.
    BATTERY = "battery"
    #: Silent, and its link had been lost; or stood all the while.
    LINK_LOST = "linkLost"
    LINKED = "linked"
    #: Numbers are missing that the bridge has announced.
    ANNOUNCED = "announced"
    #: Nothing was heard of the bridge since.
    UNHEARD = "unheard"


#: Percent.
EMPTY_BATTERY: Final = 3

#: Of a metric that speaks all the time: shorter silences are none.
SHORTEST_GAP_MS: Final = 2_500
#: The same while its pace is not known.
UNPACED_GAP_MS: Final = 5_000
#: A silence is longer than so many of the intervals before it.
_PACES: Final = 2.5
#: How many intervals tell a wearable's pace.
PACED_BY: Final = 9
_FEWEST: Final = 3

_RANKS: Final[dict[str, int]] = {cause: 2 * rank for rank, cause in enumerate(GapCause)}


@dataclass(frozen=True, slots=True)
class Spell:
    """Why there was no reading from ``from_ms`` to before ``to_ms``.

    Attributes:
        evidence: a code, empty where there is none.
        device: whose readings are missing; empty where it concerns all.
        count: how many readings were lost, where that is known.
    """

    from_ms: int
    to_ms: int
    cause: str
    evidence: str = ""
    device: str = ""
    count: int = 0


def silences(times_ms: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The gaps between these moments, each from one reading to the next.

    A wearable has a pace of its own: an interval is a gap when it is longer than
    :data:`SHORTEST_GAP_MS` and 2.5 times the median of the nine before it.

    Args:
        times_ms: in order; to know the pace at a range's beginning, from some readings before it.
    """
    before: int | None = None
    pace: deque[int] = deque(maxlen=PACED_BY)
    for at_ms in times_ms:
        if before is not None and at_ms > before:
            interval_ms = at_ms - before
            if interval_ms > longest_pause_ms(pace):
                yield before, at_ms
            pace.append(interval_ms)
        before = at_ms


def longest_pause_ms(pace: Iterable[int]) -> float:
    """What an interval may last, after these, without being a gap."""
    intervals = sorted(pace)
    if len(intervals) < _FEWEST:
        return UNPACED_GAP_MS
    return max(SHORTEST_GAP_MS, _PACES * median_low(intervals))


def explained(from_ms: int, to_ms: int, spells: Iterable[Spell]) -> list[Spell]:
    """A gap cut where its cause changes; together the pieces are exactly the gap.

    Args:
        from_ms, to_ms: the gap.
        spells: evidence of any time, in any order; what lies outside is left out.
    """
    inside = [spell for spell in spells if spell.from_ms < to_ms and spell.to_ms > from_ms]
    edges = {from_ms, to_ms}
    for spell in inside:
        edges.update(at for at in (spell.from_ms, spell.to_ms) if from_ms < at < to_ms)
    marks = sorted(edges)
    pieces: list[Spell] = []
    for begin, end in pairwise(marks):
        about = [spell for spell in inside if spell.from_ms <= begin and spell.to_ms >= end]
        found = min(about, key=_rank, default=_UNKNOWN)
        last = pieces[-1] if pieces else None
        if last is not None and _same(last, found):
            pieces[-1] = _piece(last, last.from_ms, end)
        else:
            pieces.append(_piece(found, begin, end))
    return pieces


_UNKNOWN: Final = Spell(0, 0, GapCause.SILENT)


def _rank(spell: Spell) -> int:
    # A cause that only a newer bridge knows comes before none.
    return _RANKS.get(spell.cause, _RANKS[GapCause.SILENT] - 1)


def _same(one: Spell, other: Spell) -> bool:
    return (one.cause, one.evidence, one.device, one.count) == (
        other.cause,
        other.evidence,
        other.device,
        other.count,
    )


def _piece(spell: Spell, from_ms: int, to_ms: int) -> Spell:
    return Spell(from_ms, to_ms, spell.cause, spell.evidence, spell.device, spell.count)
