"""The numbers of a stream that were not received: how they are accounted for, and of when they are.

Nobody knows when a reading was taken that never came. It was taken after the last number before it
that did come, and before the first one after it.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from strapline_protocol.base import SAFE_INTEGER
from strapline_protocol.gaps import Evidence, GapCause
from strapline_protocol.intervals import Range
from strapline_protocol.publishing import Zero
from strapline_protocol.series import Series
from strapline_server.store.accounts import Kind
from strapline_server.store.columns import sound
from strapline_server.store.database import Transaction

#: Ranges of one stream that are looked at: of one with more, those from a gap's beginning on.
MOST_RANGES: Final = 10_000
#: Blocks that may hold a number: those of as many metrics and devices, of an hour each.
_MOST_BLOCKS: Final = 256
_MOST_KEPT: Final = 32
_CAUSES: Final = {Kind.DROPPED: GapCause.DROPPED, Kind.REJECTED: GapCause.REJECTED}


class Part(NamedTuple):
    """Of numbers that are missing, those of one cause."""

    cause: str
    evidence: str
    readings: int


class Hole(NamedTuple):
    """Numbers that were not received, between two moments; None where nothing bounds them."""

    after_ms: int | None
    before_ms: int | None
    parts: list[Part]


@dataclass(slots=True)
class Moments:
    """When received numbers were said, within one transaction."""

    transaction: Transaction
    _blocks: OrderedDict[int, dict[int, int]] = field(default_factory=OrderedDict, init=False)

    def of(self, stream_key: int, number: int) -> int | None:
        """On the stream's clock; None where its block is damaged.

        What is said of a stretch is said, and numbered, when the stretch is over.
        """
        rows = self.transaction.each(
            "blocks_with_number", stream_key=stream_key, number=number, most=_MOST_BLOCKS
        )
        try:
            for row in rows:
                moment = self._read(row["block_key"], row["data"]).get(number)
                if moment is not None:
                    return moment
        finally:
            rows.close()
        return None

    def _read(self, block_key: int, data: bytes) -> dict[int, int]:
        kept = self._blocks.get(block_key)
        if kept is None:
            block = sound(block_key, data)
            kept = {} if block is None else dict(_said_at(block[0]))
            self._blocks[block_key] = kept
            if len(self._blocks) > _MOST_KEPT:
                self._blocks.popitem(last=False)
        return kept


def _said_at(series: Series) -> Iterator[tuple[int, int]]:
    lasts = (series.model_extra or {}).get("durationMs")
    durations: Sequence[object] = lasts if isinstance(lasts, list) else [None] * len(series)
    for number, at, duration in zip(series.numbers(), series.elapsed(), durations, strict=True):
        known = isinstance(duration, int) and duration > 0
        yield number, min(at + duration, SAFE_INTEGER) if known else at  # type: ignore[operator]


@dataclass(slots=True)
class Numbers:
    """What is missing of one stream, from one number on.

    Args:
        transaction: to read it in.
        moments: when others were said.
        stream_key: the stream.
        zero: its time.
        next_seq: as its bridge announced it.
        first: the number.
    """

    transaction: Transaction
    moments: Moments
    stream_key: int
    zero: Zero
    next_seq: int
    first: int
    cost: int = field(default=0, init=False)
    _received: list[Range] = field(default_factory=list, init=False)
    _others: list[tuple[int, int, Kind, str]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        key = {"stream_key": self.stream_key, "first": self.first}
        rows = self.transaction.all(
            "accounts_from", **key, kind=int(Kind.RECEIVED), most=MOST_RANGES
        )
        self._received = [(row["first"], row["last"]) for row in rows]
        self._others = [
            (row["first"], row["last"], Kind(row["kind"]), row["reason"])
            for row in self.transaction.all("other_accounts", **key, most=MOST_RANGES)
        ]
        self.cost = len(self._received) + len(self._others)

    def holes(self) -> Iterator[Hole]:
        """In order of number."""
        before: int | None = None
        at = self.first
        place = 0
        for first, last in self._received:
            if first > at:
                parts, place = self._parts(at, first - 1, place)
                if parts:
                    yield Hole(self._wall_ms(before), self._wall_ms(first), parts)
            before, at = last, last + 1
        end = max([self.next_seq, *(last + 1 for _, last, _, _ in self._others[place:])])
        if end > at and len(self._received) < MOST_RANGES:
            parts, _ = self._parts(at, end - 1, place)
            if parts:
                yield Hole(self._wall_ms(before), None, parts)

    def _parts(self, first: int, last: int, place: int) -> tuple[list[Part], int]:
        """What the numbers of one hole are, and where to look for those of the next."""
        counts: Counter[tuple[str, str]] = Counter()
        rest = last - first + 1
        while place < len(self._others) and self._others[place][0] <= last:
            begin, end, kind, reason = self._others[place]
            place += 1
            count = min(end, last) - max(begin, first) + 1
            if count <= 0:
                continue
            rest -= count
            # Who was erased is gone: their numbers are missing to nobody else.
            if kind is not Kind.ERASED:
                counts[_CAUSES[kind], reason] += count
        if rest > 0:
            counts[GapCause.PENDING, Evidence.ANNOUNCED] += rest
        parts = [Part(str(cause), str(why), count) for (cause, why), count in counts.items()]
        return parts, place

    def _wall_ms(self, number: int | None) -> int | None:
        if number is None:
            return None
        elapsed_ms = self.moments.of(self.stream_key, number)
        return None if elapsed_ms is None else self.zero.wall_ms(elapsed_ms)
