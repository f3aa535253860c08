"""Whether a day's ledger is right: each moment is a reading or in one gap, of the cause it has."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from strapline_bridge.silence import PRESENT_MS
from strapline_protocol.asking import GapsPage, GapsParams, HistoryParams
from strapline_protocol.gaps import GapCause
from strapline_protocol.watching import Gap
from tests.integration.day_bridge import Kept
from tests.integration.day_faults import DAY_S, DOWN, Fault, Kind
from tests.integration.day_kit import BEGIN_MS, COMMIT_S, DEVICES, USERS, VIEWER, Day

Ask = Callable[[GapsParams], Awaitable[GapsPage]]
#: Wall time is told in whole ms, of two clocks.
EXACT_MS: Final = 3
#: A strap speaks each second: of one word that is missing nobody says more.
PAUSE_MS: Final = 2_500
#: At a fault's ends: how seldom a bridge looks, and until a link stands.
_SLACK_S: Final = 12
#: Of what never came nobody knows the time better than that of the commits beside it.
_VAGUE_S: Final = COMMIT_S + _SLACK_S
#: A silence that goes on is told of each ten minutes: what was not yet told dies with the bridge.
_UNTOLD_S: Final = 600 + _SLACK_S

_CAUSES: Final = {
    Kind.LINK_LOST: GapCause.SILENT,
    Kind.HEARD: GapCause.RADIO_LOST,
    Kind.NOT_WORN: GapCause.NOT_WORN,
    Kind.EMPTY: GapCause.OFF,
    Kind.QUIET: GapCause.SILENT,
    Kind.ADAPTER: GapCause.RADIO_LOST,
    Kind.ASLEEP: GapCause.BRIDGE_ASLEEP,
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What one strap's day was, from what was done to it alone.

    Attributes:
        received: what the server is to have, by its true time.
        fates: by second, what became of a reading that was stored and did not arrive.
        lost: from when to when readings were taken that were dropped or refused, of any strap.
            Whose they were nobody but the bridge knows.
    """

    strap: int
    received: Sequence[Kept]
    fates: dict[int, GapCause]
    lost: Mapping[GapCause, Sequence[tuple[int, int]]]
    faults: Sequence[Fault]
    downs: Sequence[tuple[int, int]]
    killed: Sequence[int]

    def deserved(self, second: int) -> set[str]:
        """The causes that a gap at this second may have; several only where faults meet."""
        found = {cause for at in _around(second, _SLACK_S) if (cause := self.fates.get(at))}
        for cause, stretches in self.lost.items():
            for first, last in stretches:
                if first - _VAGUE_S <= second <= last + _VAGUE_S:
                    found.add(cause)
                    if not first + _VAGUE_S <= second <= last - _VAGUE_S:
                        found.add(GapCause.SILENT)
        if any(begin - _SLACK_S <= second < end + _SLACK_S for begin, end in self.downs):
            found.add(GapCause.BRIDGE_DOWN)
        for fault in self._around(second):
            found.update(_causes_of(fault))
            if self._untold(fault, second):
                found.add(GapCause.SILENT)
        ends = [*(end for _, end in self.downs), *(fault.to_s for fault in self._around(second))]
        if any(abs(end - second) <= _SLACK_S for end in ends):
            # Until a link stands again.
            found.update({GapCause.SILENT, GapCause.RADIO_LOST})
        return set(map(str, found))

    def _around(self, second: int) -> Iterator[Fault]:
        for fault in self.faults:
            of_it = fault.strap in (None, self.strap)
            if of_it and fault.from_s - _SLACK_S <= second < self._end_of(fault) + _SLACK_S:
                yield fault

    def _end_of(self, fault: Fault) -> int:
        """Of an empty battery nobody knows that it is charged before the strap is heard."""
        if fault.kind is not Kind.EMPTY:
            return fault.to_s
        place = bisect_left(self.received, BEGIN_MS + fault.to_s * 1_000, key=_at_ms)
        return DAY_S if place == len(self.received) else _second_of(self.received[place])

    def _untold(self, fault: Fault, second: int) -> bool:
        """Whether the evidence of this second may have been lost, or never be noticed."""
        begins = any(
            fault.from_s - _UNTOLD_S <= begin < second + _SLACK_S for begin, _ in self.downs
        )
        dies = any(second - _SLACK_S <= at < second + _UNTOLD_S for at in self.killed)
        meets = any(
            other is not fault
            and other.kind in {*_CAUSES, Kind.REFUSED, Kind.FULL}
            and other.strap in (None, self.strap)
            and other.from_s < fault.to_s + _UNTOLD_S
            and fault.from_s < other.to_s + _SLACK_S
            for other in self.faults
        )
        return begins or dies or meets

    def alone(self, fault: Fault) -> bool:
        """Whether nothing else touches it: then every second of it has its own cause."""
        return not any(
            other is not fault
            and other.from_s < fault.to_s + _UNTOLD_S
            and fault.from_s < other.to_s + other.clock_s + _UNTOLD_S
            for other in self.faults
        )


def _causes_of(fault: Fault) -> set[GapCause]:
    if fault.kind is Kind.LINK_LOST and (fault.to_s - fault.from_s) * 1_000 <= PRESENT_MS:
        # It was there before and soon after: then it was there between, and no link stood. That
        # is known once it is back, and what was told of until then is told.
        return {GapCause.RADIO_LOST, GapCause.SILENT}
    return {_CAUSES[fault.kind]} if fault.kind in _CAUSES else set()


def expected(day: Day, strap: int) -> Expected:
    """What the ledger of this strap is to say."""
    fates: dict[int, GapCause] = {}
    received: list[Kept] = []
    for number, kept in day.safe.items():
        if kept.metric != "heart_rate" or kept.device != DEVICES[strap]:
            continue
        second = _second_of(kept)
        if number in day.fates.dropped:
            fates[second] = GapCause.DROPPED
        elif number in day.fates.rejected:
            fates[second] = GapCause.REJECTED
        else:
            received.append(kept)
    return Expected(
        strap,
        sorted(received, key=_at_ms),
        fates,
        {
            GapCause.DROPPED: _stretches(day, day.fates.dropped),
            GapCause.REJECTED: _stretches(day, day.fates.rejected),
        },
        day.faults,
        [(down.from_s, down.to_s) for down in day.downs],
        [down.from_s for down in day.downs if down.kind is Kind.KILLED],
    )


def _stretches(day: Day, numbers: set[tuple[str, int]]) -> list[tuple[int, int]]:
    """The first and the last second of numbers that were lost together, about."""
    found: list[tuple[int, int]] = []
    before = ("", -1)
    for number in sorted(numbers & day.safe.keys()):
        second = _second_of(day.safe[number])
        adjoins = before == (number[0], number[1] - 1)
        if adjoins or (before[0] == number[0] and second - found[-1][1] <= 2 * COMMIT_S):
            found[-1] = (min(found[-1][0], second), max(found[-1][1], second))
        else:
            found.append((second, second))
        before = number
    return found


def _at_ms(kept: Kept) -> int:
    return kept.at_ms


def _second_of(kept: Kept) -> int:
    return (kept.at_ms - BEGIN_MS) // 1_000


def _around(second: int, by_s: int) -> range:
    return range(second - by_s, second + by_s + 1)


async def all_gaps(
    ask: Ask, strap: int, *, device: str | None = None, limit: int = 7
) -> tuple[list[Gap], GapsPage]:
    """The day's gaps as a viewer is told of them, page by page, and the last page."""
    found: list[Gap] = []
    after: str | None = None
    while True:
        params = GapsParams(
            user=USERS[strap],
            device=device,
            from_ms=BEGIN_MS,
            to_ms=BEGIN_MS + DAY_S * 1_000,
            limit=limit,
            after=after,
        )
        page = await ask(params)
        found += page.gaps
        after = page.next
        if after is None:
            return found, page


async def all_readings(day: Day, strap: int) -> list[tuple[int, float | None]]:
    """What the server has of it: when, and what; in the order in which history gives it."""
    found: list[tuple[int, float | None]] = []
    after: str | None = None
    while True:
        params = HistoryParams(
            user=USERS[strap],
            metric="heart_rate",
            from_ms=BEGIN_MS - 86_400_000,
            to_ms=BEGIN_MS + 2 * 86_400_000,
            limit=10_000,
            after=after,
        )
        page = await day.store.history(VIEWER, params)
        assert page is not None
        for series in page.series:
            found += zip(series.at(), series.value, strict=True)
        after = page.next
        if after is None:
            return found


def check_readings(found: Sequence[tuple[int, float | None]], told: Expected) -> None:
    """None is missing, none is there twice, none is other than it was, or of another time."""
    assert len(found) == len(told.received)
    for (at_ms, value), kept in zip(sorted(found), told.received, strict=True):
        assert abs(at_ms - kept.at_ms) <= EXACT_MS, f"{value} of {kept.at_ms} is at {at_ms}"
        assert value == kept.value
    assert len({at_ms for at_ms, _ in found}) == len(found)


def check_cover(gaps: Sequence[Gap], told: Expected) -> None:
    """The gaps are what is left between readings, whole, and none is in two of them."""
    for one, other in pairwise(gaps):
        assert one.from_ms < one.to_ms <= other.from_ms, f"{one} and {other} overlap"
    times = [kept.at_ms for kept in told.received]
    holes = [(one, other) for one, other in pairwise(times) if other - one > PAUSE_MS]
    whole: list[tuple[int, int]] = []
    for gap in gaps:
        if whole and whole[-1][1] == gap.from_ms:
            whole[-1] = (whole[-1][0], gap.to_ms)
        else:
            whole.append((gap.from_ms, gap.to_ms))
    inside = [
        one for one in whole if times[0] - EXACT_MS <= one[0] and one[1] <= times[-1] + EXACT_MS
    ]
    for found, hole in zip(inside, holes, strict=True):
        assert all(abs(a - b) <= EXACT_MS for a, b in zip(found, hole, strict=True)), (found, hole)


def check_moments(gaps: Sequence[Gap], told: Expected, phase_ms: int) -> Counter[str]:
    """Each moment at which the strap speaks is a reading, or in one gap whose cause it deserves.

    Returns:
        How many moments without a reading had which cause.
    """
    times = [kept.at_ms for kept in told.received]
    causes: Counter[str] = Counter()
    for second in range((times[0] - BEGIN_MS) // 1_000, (times[-1] - BEGIN_MS) // 1_000 + 1):
        at_ms = BEGIN_MS + second * 1_000 + phase_ms
        place = bisect_left(times, at_ms)
        if times[place] == at_ms:
            continue
        covering = [gap for gap in gaps if gap.from_ms <= at_ms < gap.to_ms]
        if not covering and times[place] - times[place - 1] <= PAUSE_MS:
            continue
        (gap,) = covering
        deserved = told.deserved(second)
        assert gap.cause in deserved, f"second {second} is {gap}, and not {sorted(deserved)}"
        causes[gap.cause] += 1
    return causes


def check_faults(gaps: Sequence[Gap], told: Expected) -> set[Kind]:
    """A fault that nothing else touches has its own cause from end to end.

    Returns:
        The kinds of which there was one.
    """
    seen = set()
    for fault in told.faults:
        if fault.strap not in (None, told.strap) or not told.alone(fault):
            continue
        causes = {GapCause.BRIDGE_DOWN} if fault.kind in DOWN else _causes_of(fault)
        slack_s = _SLACK_S
        if fault.kind is Kind.REFUSED:
            causes, slack_s = {GapCause.REJECTED}, _VAGUE_S
        if not causes:
            continue
        from_ms = BEGIN_MS + (fault.from_s + slack_s) * 1_000
        to_ms = BEGIN_MS + (fault.to_s - slack_s) * 1_000
        within = [gap for gap in gaps if gap.from_ms < to_ms and gap.to_ms > from_ms]
        assert {gap.cause for gap in within} <= set(map(str, causes)), f"{fault}: {within}"
        assert from_ms >= to_ms or within, f"{fault} left no gap"
        seen.add(fault.kind)
    return seen
