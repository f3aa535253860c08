"""The series: a run of readings of one wearer, device and metric, stored by column.

The same shape is the outbox's row, the wire's payload, the server's block and the history's
answer; only its time column turns from boot clock (``elapsedMs``) to wall time (``atMs``).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate, islice, pairwise
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import ConfigDict, Field, TypeAdapter, WithJsonSchema, model_validator
from pydantic_core import to_json

from strapline_protocol.base import (
    SAFE_INTEGER,
    Code,
    Count,
    DeviceId,
    Label,
    MetricName,
    Number,
    SafeInt,
    StreamId,
    UserId,
    WallMs,
    WireModel,
    absent,
    check_numbers,
)
from strapline_protocol.intervals import IntervalSet, Range

LONGEST_SERIES: Final = 2_000
_MOST_EXTRAS: Final = 16
_LARGEST_EXTRA_BYTES: Final = 128 * 1024
#: Names on the wire are camelCase, so that no unknown one is a field's name in Python.
_EXTRA_NAME: Final = re.compile(r"[a-z][A-Za-z0-9]{0,63}")
#: What the server adds to a series for a viewer: in a bridge's it would stand in the way of that.
#: ``serverMarks`` may stand in it, since a stored block has them; the server strips a bridge's.
_SERVERS_OWN: Final = frozenset({"atMs", "receivedMs", "stream", "timeSource"})

#: Fails at its first fault, so that a bad column costs no list of two thousand.
_COLUMN: Final = Field(max_length=LONGEST_SERIES, fail_fast=True)
#: Codes of what is doubtful about one reading: ``noContact``, ``zero``, ``implausible``, …
Quality = Annotated[list[Code], Field(max_length=8, fail_fast=True)]
#: RR intervals of one notification, oldest first, 1/1024 s (Heart Rate Service 1.0, 3.1.1.5).
Rr = Annotated[list[Annotated[int, Field(ge=0, le=65_535)]], Field(max_length=64, fail_fast=True)]
#: The first number and then differences. All bounds are checked for the column at once, which
#: costs a tenth of checking each number.
Differences = Annotated[
    list[Annotated[int, WithJsonSchema(TypeAdapter(SafeInt).json_schema())]],
    Field(min_length=1, max_length=LONGEST_SERIES, fail_fast=True),
]


class Counter(WireModel):
    """A count whose differences can be added up: a random id, and the total it counts from.

    That total is negative after a device's field has wrapped: the last one less its width.
    """

    id: Annotated[Label, Field(min_length=1)]
    from_: Annotated[SafeInt, Field(alias="from")]


def differences(numbers: Sequence[int]) -> list[int]:
    """A column of numbers as the first and then the differences."""
    return [numbers[0], *(later - earlier for earlier, later in pairwise(numbers))]


class Columns(WireModel):
    """What a series has on either side of the server.

    ``seq`` holds the first sequence number, then differences of at least 1. Columns of metrics
    that this version does not know are kept in ``model_extra`` and passed on untouched: at most
    16, with names in camelCase and 128 KiB in all.
    """

    model_config = ConfigDict(extra="allow")

    #: Python's names of the columns: that of time, and the others.
    _beside_seq: ClassVar[tuple[str, ...]]

    user: UserId
    device: DeviceId
    metric: MetricName
    seq: Differences
    value: Annotated[list[Number | None], _COLUMN, Field(min_length=1)]
    rr: Annotated[list[Rr | None], _COLUMN] | None = absent()
    contact: Annotated[list[bool | None], _COLUMN] | None = absent()
    energy_kj: Annotated[list[Count | None], _COLUMN] | None = absent()
    quality: Annotated[list[Quality | None], _COLUMN] | None = absent()
    counter: Counter | None = absent()
    on_change: bool = absent(False)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        # One call for all columns, and little in it: this runs for each live reading.
        fields = self.__dict__
        seq, times = fields["seq"], fields[self._beside_seq[0]]
        length = len(seq)
        for name in self._beside_seq:
            column = fields[name]
            if column is not None and len(column) != length:
                raise ValueError(f"a column has {len(column)} entries, seq has {length}")
        if length > 1:
            check_steps(seq)
            _check_times(times)
        elif not 0 <= seq[0] <= SAFE_INTEGER or not -SAFE_INTEGER <= times[0] <= SAFE_INTEGER:
            raise ValueError("seq or time is below 0 or beyond 2^53")
        if self.__pydantic_extra__:
            self._check_unknown(self.__pydantic_extra__, length)
        return self

    def _check_unknown(self, extra: dict[str, Any], length: int) -> None:
        _check_unknown(extra, length)

    def __len__(self) -> int:
        return len(self.seq)

    def numbers(self) -> list[int]:
        """The sequence numbers themselves, ascending."""
        return list(accumulate(self.seq))

    def ranges(self) -> list[Range]:
        """The sequence numbers as inclusive ranges."""
        return ranges_of(self.seq)

    def columns(self, indices: Sequence[int]) -> dict[str, Any]:
        """All columns but those of time and number, at these places only, by Python name."""
        kept: dict[str, Any] = {}
        for name in self._beside_seq[1:]:
            column = getattr(self, name)
            if column is not None:
                kept[name] = [column[i] for i in indices]
        for name, column in (self.model_extra or {}).items():
            kept[name] = [column[i] for i in indices] if isinstance(column, list) else column
        return kept

    def _heading(self) -> dict[str, Any]:
        return {
            "user": self.user,
            "device": self.device,
            "metric": self.metric,
            "counter": self.counter,
            "on_change": self.on_change,
        }


def ranges_of(seq: Sequence[int]) -> list[Range]:
    """A ``seq`` column's numbers as inclusive ranges."""
    found: list[Range] = []
    first = last = seq[0]
    for step in islice(seq, 1, None):
        if step != 1:
            found.append((first, last))
            first = last + step
        last += step
    found.append((first, last))
    return found


def _check_unknown(extra: dict[str, Any], length: int) -> None:
    if len(extra) > _MOST_EXTRAS:
        raise ValueError(f"more than {_MOST_EXTRAS} unknown columns")
    for name, column in extra.items():
        if not _EXTRA_NAME.fullmatch(name):
            raise ValueError("an unknown column's name is not camelCase or too long")
        if isinstance(column, list) and len(column) != length:
            raise ValueError(f"an unknown column has {len(column)} entries, seq has {length}")
    check_numbers(extra)
    if len(to_json(extra)) > _LARGEST_EXTRA_BYTES:
        raise ValueError("unknown columns are too large")


def check_steps(seq: list[int]) -> None:
    """Raise ValueError where a ``seq`` column does not ascend from 0 or more."""
    if seq[0] < 0 or min(islice(seq, 1, None), default=1) < 1:
        raise ValueError("seq: starts below 0 or has a difference below 1")
    if sum(seq) > SAFE_INTEGER:
        raise ValueError("seq: runs beyond 2^53")


def _check_times(times: list[int]) -> None:
    # No moment is further out than the sum of all sizes, which one call finds.
    if sum(map(abs, times)) > SAFE_INTEGER and any(
        abs(number) > SAFE_INTEGER for number in (*times, *accumulate(times))
    ):
        raise ValueError("times run beyond 2^53")


#: Python's names of the columns that are neither number nor time.
_COLUMNS: Final = ("value", "rr", "contact", "energy_kj", "quality")


class Series(Columns):
    """Readings as the bridge took them. ``elapsedMs``: boot clock since the stream's start."""

    _beside_seq = ("elapsed_ms", *_COLUMNS)

    elapsed_ms: Differences

    def _check_unknown(self, extra: dict[str, Any], length: int) -> None:
        if not _SERVERS_OWN.isdisjoint(extra):
            raise ValueError("a bridge's series holds a column that is the server's to say")
        _check_unknown(extra, length)

    def elapsed(self) -> list[int]:
        """Boot-clock times in ms since the stream's start, one for each reading."""
        return list(accumulate(self.elapsed_ms))

    def take(self, indices: Sequence[int]) -> Series:
        """The readings at these ascending places, as a series of their own."""
        numbers, elapsed = self.numbers(), self.elapsed()
        return Series(
            **self._heading(),
            **self.columns(indices),
            seq=differences([numbers[i] for i in indices]),
            elapsed_ms=differences([elapsed[i] for i in indices]),
        )

    def within(self, ranges: Iterable[Range]) -> Series | None:
        """The readings whose number lies in one of ``ranges``; None when there is none."""
        numbers = self.numbers()
        indices: list[int] = []
        for first, last in IntervalSet(ranges):
            low = bisect_left(numbers, first)
            indices.extend(range(low, bisect_left(numbers, last + 1, low)))
        if len(indices) == len(self):
            return self
        return self.take(indices) if indices else None

    def timed(self, at_ms: Sequence[int], **origin: Any) -> TimedSeries:
        """The same readings with wall times in place of the boot clock's.

        Args:
            at_ms: one wall time for each reading.
            origin: ``received_ms``, ``time_source`` and, where it is to be told, ``stream``.
        """
        fields = {name: field for name, field in self.__dict__.items() if field is not None}
        del fields["elapsed_ms"]
        return TimedSeries(**fields, **(self.model_extra or {}), at_ms=differences(at_ms), **origin)


class TimedSeries(Columns):
    """Readings as a viewer gets them. ``atMs``: wall time, the first and then differences.

    ``receivedMs`` is when the server committed them and ``timeSource`` whether their time is
    estimated, so that a screen can tell live from filled in later. ``serverMarks`` stands
    beside the bridge's ``quality``: what the server finds doubtful. ``stream`` is told in history,
    where no message around the series tells it: with ``seq`` it names each reading for ever.
    """

    _beside_seq = ("at_ms", *_COLUMNS, "server_marks")

    stream: StreamId | None = absent()
    at_ms: Differences
    received_ms: WallMs
    time_source: Code
    server_marks: Annotated[list[Quality | None], _COLUMN] | None = absent()

    def at(self) -> list[int]:
        """Wall times in ms since 1970 UTC, one for each reading."""
        return list(accumulate(self.at_ms))
