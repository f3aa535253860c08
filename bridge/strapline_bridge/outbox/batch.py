"""What one group commit takes with it, and what it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from strapline_bridge.outbox.rows import Row
from strapline_bridge.steps import StepState
from strapline_protocol.intervals import IntervalSet, Range


@dataclass(frozen=True, slots=True)
class Settlement:
    """Numbers that a store has accounted for."""

    stream: str
    numbers: IntervalSet
    store: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """Numbers that a server refused for good; those of ``code`` ``erased`` are deleted here too."""

    stream: str
    ranges: tuple[Range, ...]
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Handling:
    """What a person decided about dead letters: send them again, or throw them away."""

    stream: str
    numbers: IntervalSet
    discard: bool


@dataclass(frozen=True, slots=True)
class Growth:
    """How this run's stream grows by a commit: given once, so that a commit that failed and the
    one that repeats it give one number to one reading.

    Attributes:
        next_seq: after the rows.
        last_elapsed_ms: of the latest reading.
        unstored: numbers of readings that never got here, since the disk stood still.
    """

    rows: tuple[Row, ...]
    steps: tuple[StepState, ...]
    next_seq: int
    last_elapsed_ms: int
    unstored: Range | None


@dataclass(frozen=True, slots=True)
class Joining:
    """A stretch of a stream whose small rows are to become large ones."""

    stream: str
    first: int
    last: int


@dataclass(slots=True)
class Batch:
    """All that one transaction changes.

    Attributes:
        lacking: numbers that a store has acknowledged once and does not hold any more.
        letters: what becomes of dead letters.
        touched: streams whose record has changed in memory and is to be saved.
    """

    growth: Growth | None = None
    settled: list[Settlement] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    lacking: list[Settlement] = field(default_factory=list)
    letters: list[Handling] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    joining: Joining | None = None

    def __bool__(self) -> bool:
        return self.growth is not None or bool(self.touched)

    def settle(self, stream: str, numbers: IntervalSet, store: str) -> None:
        """Note numbers as settled; joined with what is noted of the stream and store already."""
        self.touched.add(stream)
        for known in self.settled:
            if (known.stream, known.store) == (stream, store):
                known.numbers.update(numbers)
                return
        self.settled.append(Settlement(stream, numbers.copy(), store))

    @property
    def rows(self) -> Sequence[Row]:
        """The new rows."""
        return self.growth.rows if self.growth else ()


@dataclass(slots=True)
class Outcome:
    """What memory changes once the transaction is committed.

    Attributes:
        pending_bytes, kept_bytes: how the weights of both kinds of rows changed.
        holes: a stream's numbers that were discarded, by stream and reason.
        returned: numbers that are to be sent again: a restored server lacks them, or they were
            dead letters.
        revived: numbers that are dead no more.
        dead_letters: how many readings were put aside.
    """

    pending_bytes: int = 0
    kept_bytes: int = 0
    holes: dict[tuple[str, str], IntervalSet] = field(default_factory=dict)
    returned: dict[str, IntervalSet] = field(default_factory=dict)
    revived: dict[str, IntervalSet] = field(default_factory=dict)
    dead_letters: int = 0
