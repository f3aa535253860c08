"""Each number of a stream, as it is accounted for, against the blocks: missing, doubled, unknown.

Blocks are read in the order of their first number, and the numbers in them put in order: what
is kept at a time is what overlaps. Accounts are walked beside them.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import chain

from strapline_protocol.base import SAFE_INTEGER
from strapline_protocol.digest import lines_of
from strapline_protocol.intervals import IntervalSet, Range
from strapline_protocol.publishing import Zero
from strapline_protocol.series import Series
from strapline_server.store.accounts import Kind
from strapline_server.store.columns import sound, wall_times
from strapline_server.store.database import Transaction
from strapline_server.verified import MOST_TOLD, Lost, Numbers, PartVerified, StreamVerified

#: (number, line, user)
_Entry = tuple[int, str, str]


@dataclass(slots=True)
class Told:
    """Ranges that come in order: all are counted, and the first are told."""

    count: int = 0
    ranges: list[Range] = field(default_factory=list)
    _complete: bool = True

    def add(self, first: int, last: int) -> None:
        """One more, which begins no earlier than the last one."""
        self.count += last - first + 1
        if self._complete and self.ranges and self.ranges[-1][1] == first - 1:
            self.ranges[-1] = (self.ranges[-1][0], last)
        elif len(self.ranges) < MOST_TOLD:
            self.ranges.append((first, last))
        else:
            self._complete = False

    def numbers(self) -> Numbers:
        """As it is reported."""
        return Numbers(count=self.count, ranges=self.ranges, complete=self._complete)

    @classmethod
    def of(cls, ranges: Iterable[Range]) -> Told:
        """All of these."""
        told = cls()
        for first, last in ranges:
            told.add(first, last)
        return told


class _Part:
    """What a stream has of one user."""

    def __init__(self) -> None:
        self.readings = 0
        self.numbers = Told()
        self.first_ms = SAFE_INTEGER
        self.last_ms = 0
        self._last = -1
        self._sha = hashlib.sha256()

    def stretch(self, from_ms: int, to_ms: int) -> None:
        """A block's time."""
        self.first_ms, self.last_ms = min(self.first_ms, from_ms), max(self.last_ms, to_ms)

    def take(self, number: int, line: str) -> None:
        """The next reading in order of number."""
        self.readings += 1
        self._sha.update(line.encode() + b"\n")
        if number != self._last:
            self.numbers.add(number, number)
            self._last = number

    def verified(self, user: str) -> PartVerified:
        return PartVerified(
            user=user,
            readings=self.readings,
            numbers=self.numbers.numbers(),
            first_ms=self.first_ms,
            last_ms=self.last_ms,
            sha256=self._sha.hexdigest(),
        )


class _Walk:
    """The numbers that were received, in order, against those that are found, in order."""

    def __init__(self, received: Iterable[Range], damaged: IntervalSet) -> None:
        self.missing = Told()
        self.unreadable = Told()
        self.doubled = Told()
        self.unaccounted = Told()
        self._received = iter(received)
        self._span: Range | None = next(self._received, None)
        self._damaged = damaged
        self._last = -1

    def meet(self, number: int) -> None:
        """A number that a block holds."""
        if number == self._last:
            if not self.doubled.ranges or self.doubled.ranges[-1][1] != number:
                self.doubled.add(number, number)
            return
        self._last = number
        while self._span is not None and self._span[1] < number:
            self._lack(*self._span)
            self._span = next(self._received, None)
        if self._span is None or self._span[0] > number:
            self.unaccounted.add(number, number)
            return
        first, last = self._span
        if first < number:
            self._lack(first, number - 1)
        self._span = (number + 1, last) if number < last else next(self._received, None)

    def end(self) -> None:
        """No block holds more."""
        while self._span is not None:
            self._lack(*self._span)
            self._span = next(self._received, None)

    def _lack(self, first: int, last: int) -> None:
        known = IntervalSet([(first, last)])
        for begin, end in self._damaged.missing(first, last):
            self.missing.add(begin, end)
            known.remove(begin, end)
        for begin, end in known:
            self.unreadable.add(begin, end)


def verify_stream(
    transaction: Transaction, stream: sqlite3.Row, read: Callable[[int], None]
) -> StreamVerified:
    """One stream.

    Args:
        transaction: of one moment.
        stream: its row of ``streams_of_all``.
        read: told how many blocks were read.
    """
    key = stream["stream_key"]
    damaged = IntervalSet()
    walk = _Walk(_accounts(transaction, key, Kind.RECEIVED), damaged)
    parts: dict[str, _Part] = {}
    heap: list[_Entry] = []
    damaged_blocks = misplaced_blocks = 0
    zero = Zero.model_validate_json(stream["zero"])
    for row in transaction.each("blocks_by_number", stream_key=key):
        _settle(heap, row["first_seq"], walk, parts)
        read(1)
        if (found := sound(row["block_key"], row["data"])) is None:
            damaged_blocks += 1
            damaged.add(row["first_seq"], max(row["first_seq"], row["last_seq"]))
            continue
        series = found[0]
        misplaced_blocks += _is_misplaced(row, series, zero)
        parts.setdefault(row["user"], _Part()).stretch(row["from_ms"], row["to_ms"])
        for number, line in lines_of(series):
            heappush(heap, (number, line, row["user"]))
    _settle(heap, None, walk, parts)
    walk.end()
    return StreamVerified(
        stream=stream["id"],
        bridge=stream["owner"],
        users=[part.verified(user) for user, part in sorted(parts.items())],
        readings=sum(part.readings for part in parts.values()),
        missing=walk.missing.numbers(),
        doubled=walk.doubled.numbers(),
        unaccounted=walk.unaccounted.numbers(),
        unreadable=walk.unreadable.numbers(),
        damaged_blocks=damaged_blocks,
        misplaced_blocks=misplaced_blocks,
        pending=_pending(transaction, key, stream["next_seq"]).numbers(),
        dropped=_lost(transaction, key, Kind.DROPPED),
        rejected=_lost(transaction, key, Kind.REJECTED),
        erased=Told.of(_accounts(transaction, key, Kind.ERASED)).numbers(),
    )


def _settle(heap: list[_Entry], before: int | None, walk: _Walk, parts: dict[str, _Part]) -> None:
    """Numbers below this one are all known: no later block begins there."""
    while heap and (before is None or heap[0][0] < before):
        number, line, user = heappop(heap)
        walk.meet(number)
        parts[user].take(number, line)


def _is_misplaced(row: sqlite3.Row, series: Series, zero: Zero) -> bool:
    """Whether a block would not be found where it belongs."""
    numbers, elapsed = series.numbers(), series.elapsed()
    at_ms = wall_times(zero, elapsed)
    told = (
        *(row["first_seq"], row["last_seq"], row["first_elapsed_ms"], row["last_elapsed_ms"]),
        *(row["from_ms"], row["to_ms"], row["count"]),
        *(row["user"], row["metric"], row["device"]),
    )
    return told != (
        *(numbers[0], numbers[-1], min(elapsed), max(elapsed)),
        *(min(at_ms), max(at_ms), len(series)),
        *(series.user, series.metric, series.device),
    )


def _accounts(transaction: Transaction, stream_key: int, kind: Kind) -> Iterator[Range]:
    rows = transaction.each("accounts_of_kind", stream_key=stream_key, kind=int(kind))
    return ((row["first"], row["last"]) for row in rows)


def _pending(transaction: Transaction, stream_key: int, next_seq: int) -> Told:
    """What was announced and is accounted for in no way."""
    known = sorted(chain.from_iterable(_accounts(transaction, stream_key, kind) for kind in Kind))
    pending, at = Told(), 0
    for first, last in known:
        if at < min(first, next_seq):
            pending.add(at, min(first, next_seq) - 1)
        at = max(at, last + 1)
    if at < next_seq:
        pending.add(at, next_seq - 1)
    return pending


def _lost(transaction: Transaction, stream_key: int, kind: Kind) -> list[Lost]:
    """By what was said of why, in that order."""
    told: dict[str, Told] = {}
    for row in transaction.each("accounts_lost", stream_key=stream_key, kind=int(kind)):
        told.setdefault(row["reason"], Told()).add(row["first"], row["last"])
    return [Lost(why=why, numbers=one.numbers()) for why, one in sorted(told.items())]
