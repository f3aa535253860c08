"""Verifies: is each reading that was measured stored, once, as it was measured, or why not?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from strapline_bridge.comparing import Account, Ask, Comparison, account_of, both
from strapline_bridge.outbox import Outbox, StreamRecord
from strapline_bridge.own_gaps import Absent, OwnGaps, delivered
from strapline_bridge.uplink import NotAnsweredError
from strapline_bridge.verification import (
    MOST_NAMED,
    MOST_TOLD,
    Against,
    RunVerified,
    Verification,
)
from strapline_protocol.gaps import GapCause
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.opening import ErrorCode
from strapline_protocol.series import Series

#: Numbers that are looked at together: a bridge that runs goes on between two stretches.
_STRETCH: Final = 2_000


async def verify(outbox: Outbox, ask: Ask | None) -> Verification:
    """Compare all runs of which the outbox knows.

    Args:
        outbox: open; may be recorded into meanwhile.
        ask: asks the server; None compares the outbox with itself alone.

    Raises:
        OutboxReadError: the disk does not answer.
        UplinkError: the server could not be asked.
    """
    gaps = OwnGaps()
    runs = [
        await _Look(outbox, record, ask, gaps).run()
        for record in outbox.records()
        if record.next_seq
    ]
    first = min((run.began_ms for run in runs), default=None)
    last = max((_last_ms(record) for record in outbox.records()), default=None)

    def total(name: str) -> int:
        return sum(getattr(run, name) for run in runs)

    return Verification(
        against=Against.NOTHING if ask is None else Against.SERVER,
        readings=total("measured"),
        stored=total("stored"),
        refused=total("refused"),
        dropped=total("dropped"),
        erased=total("erased"),
        to_send=total("to_send"),
        kept=total("kept"),
        compared=total("compared"),
        missing=total("missing"),
        doubled=total("doubled"),
        different=total("different"),
        dead_letters=outbox.status().dead_letters,
        in_runs=len(runs),
        first_ms=first,
        last_ms=last if runs else None,
        runs=_worth_telling(runs),
        gaps=await asyncio.to_thread(gaps.found),
    )


def _last_ms(record: StreamRecord) -> int:
    return record.zero.wall_ms(record.last_elapsed_ms)


def _worth_telling(runs: list[RunVerified]) -> list[RunVerified]:
    newest = len(runs) - MOST_TOLD
    return [run for at, run in enumerate(runs) if at >= newest or not run.all_right][-MOST_TOLD:]


@dataclass(slots=True)
class _Snapshot:
    """How a run stood when it began to be looked at: what comes later is none of its business."""

    measured: IntervalSet
    settled: IntervalSet
    refused: IntervalSet
    holes: dict[str, IntervalSet]
    pending: IntervalSet

    @classmethod
    def of(cls, record: StreamRecord) -> _Snapshot:
        return cls(
            measured=IntervalSet([(0, record.next_seq - 1)]),
            settled=record.settled.copy(),
            refused=record.dead.copy(),
            holes={reason: hole.copy() for reason, hole in record.holes.items() if hole},
            pending=IntervalSet(record.pending()),
        )

    def untold(self) -> IntervalSet:
        """What this bridge has dropped, and no server knows of yet."""
        return _joined(self.holes.values())


@dataclass(slots=True)
class _Here:
    """What of a run is in the outbox's rows."""

    kept: IntervalSet = field(default_factory=IntervalSet)
    doubled: IntervalSet = field(default_factory=IntervalSet)

    def take(self, here: Iterable[Series]) -> None:
        for series in here:
            numbers = IntervalSet(series.ranges())
            self.doubled.update(both(self.kept, numbers))
            self.kept.update(numbers)


class _Look:
    """At one run."""

    def __init__(
        self, outbox: Outbox, record: StreamRecord, ask: Ask | None, gaps: OwnGaps
    ) -> None:
        self._outbox = outbox
        self._record = record
        self._ask = ask
        self._gaps = gaps
        self._before = _Snapshot.of(record)
        self._here = _Here()
        self._stranger = False

    async def run(self) -> RunVerified:
        account = await self._account()
        comparison = None
        if self._ask is not None:
            comparison = Comparison(self._ask, self._record.id, account.received)
        self._gaps.begin(self._record, self._absent(account))
        await self._walk(comparison)
        self._gaps.end()
        return await self._verdict(account, comparison)

    async def _account(self) -> Account:
        """The server's; where none is asked, what servers have acknowledged is believed."""
        if self._ask is None:
            return Account(received=self._before.settled)
        try:
            return await account_of(self._ask, self._record.id)
        except NotAnsweredError as error:
            if error.code != ErrorCode.NOT_GRANTED:
                raise
        self._stranger = True
        return Account()

    def _absent(self, account: Account) -> Iterable[Absent]:
        before = self._before
        yield Absent(_joined([before.untold(), account.dropped]), GapCause.DROPPED)
        yield Absent(_joined([before.refused, account.rejected]), GapCause.REJECTED)
        yield Absent(account.erased, GapCause.ERASED)
        yield delivered(both(account.received, before.settled))

    async def _walk(self, comparison: Comparison | None) -> None:
        last = self._record.next_seq - 1
        for first in range(0, last + 1, _STRETCH):
            end = min(last, first + _STRETCH - 1)
            here = await self._outbox.between(self._record.id, first, end)
            self._here.take(here)
            self._gaps.take(here)
            if comparison is not None:
                await comparison.stretch(first, end, here)

    async def _verdict(self, account: Account, comparison: Comparison | None) -> RunVerified:
        record, before, here = self._record, self._before, self._here
        stored = both(account.received, before.measured)
        # What was refused and is no dead letter, and settled all the same, was thrown away.
        discarded = both(account.rejected, before.settled)
        refused = _joined([before.refused, account.rejected]).minus(stored)
        refused = refused.minus(_joined([discarded, before.untold()]))
        dropped = _joined([before.untold(), account.dropped, discarded]).minus(stored)
        dropped = dropped.minus(refused)
        erased = both(account.erased, before.measured)
        left = before.measured.minus(_joined([stored, refused, dropped, erased]))
        # What was to be sent, and is not here, and is still said to be to send.
        lost = both(before.pending, IntervalSet(record.pending())).minus(here.kept)
        to_send = both(left, before.pending).minus(lost)
        missing = left.minus(to_send)
        doubled, different, compared = here.doubled, IntervalSet(), 0
        if comparison is not None:
            missing, doubled, different = await self._still_so(
                _joined([missing, comparison.missing]),
                _joined([doubled, comparison.doubled]),
                comparison.different,
            )
            compared = comparison.compared
        beyond = account.received.minus(IntervalSet([(0, record.next_seq - 1)]))
        return RunVerified(
            stream=record.id,
            began_ms=record.zero.wall_ms(0),
            ended_ms=record.zero.wall_ms(record.ended.elapsed_ms) if record.ended else None,
            clock=record.zero.source,
            measured=len(before.measured),
            acknowledged=len(before.settled),
            stored=len(stored.minus(missing)),
            refused=len(refused),
            dropped=len(dropped),
            erased=len(erased),
            to_send=len(to_send),
            kept=len(here.kept),
            compared=compared,
            untold={reason: len(hole) for reason, hole in before.holes.items()},
            beyond=len(beyond) if record.ended else 0,
            stranger=self._stranger and bool(before.settled),
            missing=len(missing),
            doubled=len(doubled),
            different=len(different),
            missing_numbers=missing.ranges()[:MOST_NAMED],
            doubled_numbers=doubled.ranges()[:MOST_NAMED],
            different_numbers=different.ranges()[:MOST_NAMED],
        )

    async def _still_so(self, *found: IntervalSet) -> list[IntervalSet]:
        """Without what was erased while it was looked at."""
        if not any(found):
            return list(found)
        erased = (await self._account()).erased
        return [numbers.minus(erased) for numbers in found]


def _joined(sets: Iterable[IntervalSet]) -> IntervalSet:
    joined = IntervalSet()
    for numbers in sets:
        joined.update(numbers)
    return joined
