"""Gaps by the bridge's own evidence: silences between readings that are here, each with its cause.

What a server has and the outbox keeps no longer is no gap.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from strapline_bridge.outbox import StreamRecord
from strapline_bridge.verification import MOST_TOLD, GapsFound
from strapline_protocol.gaps import (
    UNPACED_GAP_MS,
    Evidence,
    GapCause,
    Spell,
    explained,
    silences,
)
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.metrics import GAP, HEART_RATE
from strapline_protocol.series import Series
from strapline_protocol.watching import Gap

#: Not a cause that anybody is told: the readings of then are at the server, and here no longer.
_DELIVERED: Final = "delivered"


@dataclass(frozen=True, slots=True)
class Absent:
    """Numbers of a run of which no reading is here, and why."""

    numbers: IntervalSet
    cause: str


class OwnGaps:
    """Takes the rows of each run in order, oldest run first."""

    def __init__(self) -> None:
        self._times: dict[str, array[int]] = {}
        self._spells: list[Spell] = []
        self._ended: tuple[int, bool] | None = None
        self._record: StreamRecord | None = None
        self._absent: tuple[Absent, ...] = ()
        self._number, self._elapsed = -1, 0

    def begin(self, record: StreamRecord, absent: Iterable[Absent]) -> None:
        """A run begins, of which these numbers are not here."""
        began_ms = record.zero.wall_ms(0)
        if self._ended is not None:
            ended_ms, clean = self._ended
            evidence = Evidence.STOPPED if clean else Evidence.KILLED
            self._spell(ended_ms, began_ms, GapCause.BRIDGE_DOWN, evidence)
        self._record, self._absent = record, tuple(absent)
        self._number, self._elapsed = -1, 0

    def take(self, here: Iterable[Series]) -> None:
        """The next rows of that run."""
        record = self._now
        places: list[tuple[int, int]] = []
        for series in here:
            elapsed = series.elapsed()
            places += zip(series.numbers(), elapsed, strict=True)
            if series.metric == HEART_RATE.name and not series.on_change:
                times = self._times.setdefault(series.device, array("q"))
                times.extend(record.zero.wall_ms(at) for at in elapsed)
            elif series.metric == GAP.name:
                self._noticed(series, elapsed)
        for number, elapsed_ms in sorted(places):
            self._pass_over(number, elapsed_ms)
            self._number, self._elapsed = number, elapsed_ms

    def end(self) -> None:
        """That run is over, or as far as it is stored."""
        record = self._now
        self._pass_over(record.next_seq, max(self._elapsed, record.last_elapsed_ms))
        if record.ended is not None:
            ended_ms = record.zero.wall_ms(record.ended.elapsed_ms)
            self._ended = ended_ms, record.ended.clean
        else:
            self._ended = None

    def found(self) -> GapsFound:
        """All gaps, of each wearable."""
        count = understood = 0
        pieces: list[Gap] = []
        last_ms = max((spell.to_ms for spell in self._spells), default=0)
        for device, times in sorted(self._times.items()):
            # A run whose time was corrected may overlap the one before it.
            moments = list(accumulate(times, max))
            spells = [one for one in self._spells if one.device in {"", device}]
            stretches = list(silences(moments))
            if last_ms - moments[-1] > UNPACED_GAP_MS:
                stretches.append((moments[-1], last_ms))
            for from_ms, to_ms in stretches:
                found = _told(from_ms, to_ms, spells)
                if found:
                    count += 1
                    understood += all(piece.cause != GapCause.SILENT for piece in found)
                    pieces += [_gap(piece, device) for piece in found]
        pieces.sort(key=lambda piece: (piece.from_ms, piece.device or ""))
        return GapsFound(gaps=count, explained=understood, pieces=pieces[-MOST_TOLD:])

    @property
    def _now(self) -> StreamRecord:
        assert self._record is not None, "a run has begun"
        return self._record

    def _noticed(self, series: Series, elapsed: list[int]) -> None:
        extra: dict[str, Any] = series.model_extra or {}
        nothing: list[Any] = [None] * len(series)
        columns = [extra.get(name) or nothing for name in GAP.columns]
        for begin, duration, cause, evidence in zip(elapsed, *columns, strict=True):
            if isinstance(duration, int) and isinstance(cause, str):
                from_ms = self._now.zero.wall_ms(begin)
                self._spell(from_ms, from_ms + duration, cause, evidence or "", series.device)

    def _pass_over(self, number: int, elapsed_ms: int) -> None:
        """Nothing is here of what is between the last number and this."""
        if number <= self._number + 1:
            return
        hole = IntervalSet([(self._number + 1, number - 1)])
        zero = self._now.zero
        for absent in self._absent:
            lost = hole.minus(hole.minus(absent.numbers))
            if lost:
                count = 0 if absent.cause == _DELIVERED else len(lost)
                from_ms, to_ms = zero.wall_ms(self._elapsed), zero.wall_ms(elapsed_ms)
                self._spell(from_ms, to_ms, absent.cause, count=count)

    def _spell(
        self,
        from_ms: int,
        to_ms: int,
        cause: str,
        evidence: str = "",
        device: str = "",
        count: int = 0,
    ) -> None:
        if to_ms > from_ms:
            self._spells.append(Spell(from_ms, to_ms, cause, evidence, device, count))


def delivered(numbers: IntervalSet) -> Absent:
    """These are at the server, and here no longer."""
    return Absent(numbers, _DELIVERED)


def _told(from_ms: int, to_ms: int, spells: Iterable[Spell]) -> list[Spell]:
    """The pieces of one gap; without slivers at its edges, where a reading was just not yet due."""
    pieces = [one for one in explained(from_ms, to_ms, spells) if one.cause != _DELIVERED]
    long = [
        one
        for one in pieces
        if one.cause != GapCause.SILENT or one.to_ms - one.from_ms > UNPACED_GAP_MS
    ]
    if len(pieces) == 1 and (pieces[0].from_ms, pieces[0].to_ms) == (from_ms, to_ms):
        return pieces
    return long


def _gap(piece: Spell, device: str) -> Gap:
    return Gap(
        from_ms=piece.from_ms,
        to_ms=piece.to_ms,
        cause=piece.cause,
        evidence=piece.evidence or None,
        device=device,
        count=piece.count,
    )
