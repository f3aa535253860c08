"""Step totals: from a device's running total to counters whose differences can be added up.

A wearable reports the steps it has counted so far, and starts again when it likes: at midnight,
on a flat battery, when its field is full. A counter spans the totals between which a difference
means steps:

========================  ==============================================================
first sight               the total so far is nobody's: counted from it
another wearer            the same
another way of counting   the same
another session           the wearable itself says that it began anew: a new counter from 0
another day               of a wearable that begins anew at midnight, where more would not tell:
                          a new counter from 0, if all of it can have been made since then
more than before          the same counter; the difference is steps
less than before          the device began again: a new counter from 0, so the total counts
less, just past the top   the field wrapped: a new counter from the last total less its width
more than legs can make   a new counter from this total, and the reading is marked
========================  ==============================================================

State goes in and comes out as a value. The outbox keeps it across runs: each is saved in the
transaction of its reading.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from strapline_bridge.readings import Quality

#: A sprinter's cadence; sustained walking is 2.
_MOST_STEPS_A_SECOND: Final = 5
#: Two totals may arrive back to back though the device took them seconds apart.
_SLACK_STEPS: Final = 30
#: Between two boots of this machine the clock may have stood still: a long day's walk is allowed.
_SLACK_ACROSS_BOOTS: Final = 100_000
_NS_PER_S: Final = 1_000_000_000
_MS_PER_S: Final = 1_000


@dataclass(frozen=True, slots=True)
class Counter:
    """A count that can be added up: ``{id, from}`` beside a series of steps.

    Attributes:
        id: random, new for each count.
        counted_from: the total it counts from; negative after the device's field wrapped.
    """

    id: str
    counted_from: int


@dataclass(frozen=True, slots=True)
class StepState:
    """What is remembered of a device's steps from one total to the next, across runs.

    Attributes:
        device: the wearable's id.
        user: who wore it.
        total: the last total that it reported.
        counter: the count that this total belongs to.
        wall_ms: wall clock at that total, milliseconds since 1970 UTC.
        boot_ns: boot clock at that total; comparable only within ``boot_id``.
        boot_id: the boot of this machine that ``boot_ns`` belongs to.
        source: the characteristic that counts; empty in what an earlier version saved.
        session: the wearable's own name for its count, where it has one.
    """

    device: str
    user: str
    total: int
    counter: Counter
    wall_ms: int
    boot_ns: int
    boot_id: str
    source: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """A total as it arrived.

    Attributes:
        steps: what the device reported.
        field_bits: the width of its field on the wire.
        outage: the link was down at some time since the total before.
        source, session: as in :class:`StepState`.
        midnight_ms: the wearer's midnight before ``wall_ms``, for a wearable that begins anew
            then; ``None`` for one that does not.
    """

    device: str
    user: str
    steps: int
    field_bits: int
    wall_ms: int
    boot_ns: int
    boot_id: str
    outage: bool
    source: str = ""
    session: str = ""
    midnight_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A total's place in a count.

    Attributes:
        state: what to remember; its counter is this total's.
        quality: marks for the reading.
    """

    state: StepState
    quality: tuple[str, ...]


def random_counter_id() -> str:
    """128 random bits, base64url."""
    return secrets.token_urlsafe(16)


def count(
    total: Total, last: StepState | None, new_id: Callable[[], str] = random_counter_id
) -> Counted:
    """Place a total after the last one of its device, by the table above."""
    counter, made, quality = _place(total, last, new_id)
    if total.outage and made > 0:
        quality = (*quality, Quality.AFTER_GAP.value)
    state = StepState(
        device=total.device,
        user=total.user,
        total=total.steps,
        counter=counter,
        wall_ms=total.wall_ms,
        boot_ns=total.boot_ns,
        boot_id=total.boot_id,
        source=total.source,
        session=total.session,
    )
    return Counted(state, quality)


def _place(
    total: Total, last: StepState | None, new_id: Callable[[], str]
) -> tuple[Counter, int, tuple[str, ...]]:
    """The counter, the steps that this total adds to it, and the marks."""
    if last is None or last.user != total.user or _counts_otherwise(total, last):
        return Counter(new_id(), total.steps), 0, ()
    allowed = _allowed(total, last)
    width = 1 << total.field_bits
    if total.session != last.session or _begun_today(total, last):
        counter, made = Counter(new_id(), 0), total.steps
    elif total.steps >= last.total:
        counter, made = last.counter, total.steps - last.total
    elif total.steps + width - last.total <= allowed:
        counter = Counter(new_id(), last.total - width)
        made = total.steps + width - last.total
    else:
        counter, made = Counter(new_id(), 0), total.steps
    if made > allowed:
        return Counter(new_id(), total.steps), 0, (Quality.IMPLAUSIBLE.value,)
    return counter, made, ()


def _counts_otherwise(total: Total, last: StepState) -> bool:
    return last.source not in {"", total.source}


def _begun_today(total: Total, last: StepState) -> bool:
    """Whether all of a daily total was made since midnight, though it is more than the last."""
    midnight_ms = total.midnight_ms
    if midnight_ms is None or not last.wall_ms < midnight_ms or total.steps < last.total:
        return False
    since_s = (total.wall_ms - midnight_ms) / _MS_PER_S
    return total.steps <= int(since_s * _MOST_STEPS_A_SECOND) + _SLACK_STEPS


def _allowed(total: Total, last: StepState) -> int:
    """How many steps may lie between two totals."""
    if total.boot_id == last.boot_id:
        elapsed_s = (total.boot_ns - last.boot_ns) / _NS_PER_S
        return int(max(elapsed_s, 0) * _MOST_STEPS_A_SECOND) + _SLACK_STEPS
    elapsed_s = (total.wall_ms - last.wall_ms) / _MS_PER_S
    return max(int(elapsed_s * _MOST_STEPS_A_SECOND), _SLACK_ACROSS_BOOTS)
