"""What a heart rate is at this moment: fresh, ageing, stale or missing, and what is left of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import islice, pairwise
from typing import Final

from strapline.watch.causes import (
    Because,
    because_between,
    because_now,
    cause_of,
    own_loss,
    refusal,
    refused,
)
from strapline.watch.line import Line, Point
from strapline.watch.person import Person
from strapline.watch.told import agreed
from strapline_protocol.watching import HeartRateData

_USUAL_MS: Final = 1_000
_LATE_INTERVALS: Final = 3
_LEAST_LATE_MS: Final = 2_500
_SAMPLE: Final = 20
_MINUTE_MS: Final = 60_000
_NEAR_MS: Final = 5_000
_LEVEL_BPM: Final = 2


class Freshness(StrEnum):
    """How much of the present is in a value."""

    FRESH = "fresh"
    AGEING = "ageing"
    STALE = "stale"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Was:
    """The last rate that was one."""

    bpm: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Rate:
    """A heart rate at a moment.

    Attributes:
        bpm: only while it is the present.
        left: of its freshness, 0 to 1; 1 where nothing runs out.
        was: what a stale value was.
    """

    freshness: Freshness
    bpm: int | None = None
    age_ms: int = 0
    left: float = 0.0
    was: Was | None = None


def late_after_ms(line: Line, fresh_for_ms: int) -> int:
    """Later than this a reading is later than usual: three intervals of this device."""
    intervals = sorted(later.at_ms - earlier.at_ms for earlier, later in pairwise(line[-_SAMPLE:]))
    usual_ms = intervals[len(intervals) // 2] if intervals else _USUAL_MS
    return min(fresh_for_ms, max(_LEAST_LATE_MS, usual_ms * _LATE_INTERVALS))


def rate_of(person: Person, now_ms: int, *, connected: bool) -> Rate:
    """A device that speaks only on change holds its value while its whole way here is open;
    ``connected`` is this screen's own part of it.
    """
    data, line = person.heart_rate, person.line
    was = _last_real(data, line)
    if data is None or data.last is None:
        return Rate(Freshness.MISSING, was=was)
    none = Rate(Freshness.STALE if was else Freshness.MISSING, was=was)
    if data.current is None or data.current <= 0:
        return none
    age_ms = max(0, now_ms - data.last.at_ms)
    held = data.on_change and connected and _way_is_open(person)
    if not held and age_ms > data.fresh_for_ms:
        return Rate(Freshness.STALE, was=was)
    late = not held and age_ms > late_after_ms(line, data.fresh_for_ms)
    left = 1.0 if held else 1 - age_ms / max(1, data.fresh_for_ms)
    freshness = Freshness.AGEING if late else Freshness.FRESH
    return Rate(freshness, round(data.current), age_ms, left, was)


def _way_is_open(person: Person) -> bool:
    device = person.line[-1].device if person.line else None
    status = person.status
    return status is not None and bool(person.devices) and cause_of(status, device) is None


def _last_real(data: HeartRateData | None, line: Line) -> Was | None:
    last = None if data is None else data.last
    if (
        last is not None
        and last.value is not None
        and refused(last.value, last.quality or ()) is None
    ):
        return Was(round(last.value), last.at_ms)
    point = last_drawn(line)
    return None if point is None or point.value is None else Was(round(point.value), point.at_ms)


def last_drawn(line: Line) -> Point | None:
    """The newest reading that stands on the trace."""
    return next((point for point in reversed(line) if refusal(point) is None), None)


def because_none(person: Person, rate: Rate, now_ms: int) -> Because | None:
    """Why this person has no rate now; None where it has one, or nothing is known."""
    if rate.bpm is not None:
        return None
    lost = own_loss(person.spells)
    if lost is not None:
        return lost
    if rate.was is None:
        return because_now(person.spells, person.line[-1] if person.line else None)
    return because_of(person, rate.was.at_ms, now_ms, lasts=True)


def because_of(person: Person, from_ms: int, to_ms: int, *, lasts: bool) -> Because:
    """The cause of a stretch without a reading, by what is known here and what the server told."""
    own = because_between(from_ms, to_ms, person.line, person.spells)
    return agreed(own, person.gaps, from_ms, to_ms, lasts=lasts)


def trend_of(line: Line) -> int | None:
    """By how much the rate changed within a minute, bpm; None where a minute back is nothing."""
    last = last_drawn(line)
    if last is None or last.value is None:
        return None
    then_ms = last.at_ms - _MINUTE_MS
    near = islice(
        (point for point in reversed(line) if point.at_ms <= then_ms + _NEAR_MS), _SAMPLE * 4
    )
    candidates = [
        point for point in near if point.at_ms >= then_ms - _NEAR_MS and refusal(point) is None
    ]
    nearest = min(candidates, key=lambda point: abs(point.at_ms - then_ms), default=None)
    if nearest is None or nearest.value is None:
        return None
    return round(last.value - nearest.value)


def trend_words(change: int) -> str:
    """``↗ 8 in a minute``, ``→ 1 in a minute``."""
    arrow = "→" if abs(change) <= _LEVEL_BPM else "↗" if change > 0 else "↘"
    return f"{arrow} {abs(change)} in a minute"
