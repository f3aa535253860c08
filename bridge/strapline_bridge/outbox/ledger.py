"""What is known of each stream: its time, and which of its numbers are accounted for, and how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import TypeAdapter

from strapline_protocol.intervals import IntervalSet, Range
from strapline_protocol.publishing import Ended, Stream, Zero

_RANGES: Final[TypeAdapter[list[Range]]] = TypeAdapter(list[Range])


def ranges_to_json(numbers: IntervalSet) -> str:
    """A set of numbers as [[first, last], …]."""
    return _RANGES.dump_json(numbers.ranges()).decode()


def ranges_from_json(text: str) -> IntervalSet:
    """The reverse of :func:`ranges_to_json`."""
    return IntervalSet(_RANGES.validate_json(text))


@dataclass(slots=True)
class StreamRecord:
    """One run's stream, as memory holds it.

    Every number below ``next_seq`` is in one of four states: settled (a server accounted for
    it), dead (a server rejected it), in a hole of ours, or pending.

    Attributes:
        key: place of the stream in the order of runs.
        zero_ns: boot clock at ``elapsedMs`` 0, comparable only within ``boot_id``.
        last_elapsed_ms: of the latest reading.
        alive_ms: when the run was last known to be alive, on the stream's clock.
        told: a server has answered this zero and this end.
        holes: what this bridge discarded, by reason, until a server has accounted for it.
    """

    key: int
    id: str
    boot_id: str
    zero_ns: int
    zero: Zero
    next_seq: int = 0
    last_elapsed_ms: int = 0
    alive_ms: int = 0
    ended: Ended | None = None
    told: bool = False
    settled: IntervalSet = field(default_factory=IntervalSet)
    dead: IntervalSet = field(default_factory=IntervalSet)
    holes: dict[str, IntervalSet] = field(default_factory=dict)

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> StreamRecord:
        """A record out of the query ``streams``."""
        key, stream, boot_id, zero_ns, next_seq, last_ms, alive_ms, *told_and_known = row
        zero, ended, told, settled, dead = told_and_known
        return cls(
            key=key,
            id=stream,
            boot_id=boot_id,
            zero_ns=zero_ns,
            next_seq=next_seq,
            last_elapsed_ms=last_ms,
            alive_ms=alive_ms,
            zero=Zero.model_validate_json(zero),
            ended=None if ended is None else Ended.model_validate_json(ended),
            told=bool(told),
            settled=ranges_from_json(settled),
            dead=ranges_from_json(dead),
        )

    def to_row(self) -> dict[str, object]:
        """Parameters of the query ``save_stream``."""
        return {
            "key": self.key,
            "id": self.id,
            "boot_id": self.boot_id,
            "zero_ns": self.zero_ns,
            "next_seq": self.next_seq,
            "last_elapsed_ms": self.last_elapsed_ms,
            "alive_ms": self.alive_ms,
            "zero": self.zero.model_dump_json(by_alias=True),
            "ended": None if self.ended is None else self.ended.model_dump_json(by_alias=True),
            "told": int(self.told),
            "settled": ranges_to_json(self.settled),
            "dead": ranges_to_json(self.dead),
        }

    def snapshot(self) -> StreamRecord:
        """As it is at this moment, whatever is answered later."""
        holes = {reason: numbers.copy() for reason, numbers in self.holes.items()}
        return replace(self, settled=self.settled.copy(), dead=self.dead.copy(), holes=holes)

    def message(self) -> Stream:
        """What the server is told of this stream."""
        return Stream(stream=self.id, next_seq=self.next_seq, zero=self.zero, ended=self.ended)

    def accounted(self) -> IntervalSet:
        """All numbers that need not be sent."""
        numbers = self.settled.copy()
        for others in (self.dead, *self.holes.values()):
            numbers.update(others)
        return numbers

    def pending(self) -> list[Range]:
        """The numbers that are still to be sent, in order."""
        return self.accounted().missing(0, self.next_seq - 1) if self.next_seq else []

    def settle(self, ranges: Iterable[Range]) -> IntervalSet:
        """A server accounts for these numbers. What is new of them.

        Numbers that were never given to a reading are ignored: believing them would let a
        reading that is still to come count as delivered.
        """
        fresh = IntervalSet()
        for first, last in ranges:
            if first < self.next_seq:
                fresh.update(self.settled.missing(first, min(last, self.next_seq - 1)))
        self.settled.update(fresh)
        for reason in list(self.holes):
            left = self.holes[reason].minus(fresh)
            self.holes[reason] = left
        return fresh


def existing(ranges: Iterable[Range], next_seq: int) -> IntervalSet:
    """Those numbers that a stream has given out."""
    return IntervalSet(
        (first, min(last, next_seq - 1)) for first, last in ranges if first < next_seq
    )


class Ledger:
    """All streams of an outbox, oldest first."""

    def __init__(self, records: Iterable[StreamRecord] = ()) -> None:
        self._by_id = {record.id: record for record in records}

    def __iter__(self) -> Iterator[StreamRecord]:
        return iter(self._by_id.values())

    def __getitem__(self, stream: str) -> StreamRecord:
        return self._by_id[stream]

    def get(self, stream: str) -> StreamRecord | None:
        """The stream's record, or None when this outbox does not know it."""
        return self._by_id.get(stream)

    def add(self, record: StreamRecord) -> None:
        """A new stream, later than all there are."""
        self._by_id[record.id] = record

    def forget(self, stream: str) -> None:
        """Nothing is left to say of this stream."""
        del self._by_id[stream]

    def next_key(self) -> int:
        """The place of the next stream in the order of runs."""
        return max((record.key for record in self), default=0) + 1

    def by_key(self) -> Mapping[int, StreamRecord]:
        """The records by their place."""
        return {record.key: record for record in self}

    def pending(self) -> int:
        """How many readings are still to be sent."""
        return sum(last - first + 1 for record in self for first, last in record.pending())
