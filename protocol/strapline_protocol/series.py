"""The series: a run of readings of one wearer, device and metric, stored by column.

The same shape is the outbox's row, the wire's payload, the server's block and the history's
answer; only its time column turns from boot clock (``elapsedMs``) to wall time (``atMs``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Annotated, Any, Final, Self

from pydantic import ConfigDict, Field, model_validator

from strapline_protocol.base import (
    SAFE_INTEGER,
    Code,
    Count,
    DeviceId,
    Label,
    MetricName,
    Number,
    SafeInt,
    UserId,
    WallMs,
    WireModel,
    absent,
)
from strapline_protocol.intervals import Range

LONGEST_SERIES: Final = 2_000
_MOST_EXTRAS: Final = 16
_LONGEST_EXTRA_NAME: Final = 64
_LARGEST_EXTRA_BYTES: Final = 128 * 1024

#: Codes of what is doubtful about one reading: ``noContact``, ``zero``, ``implausible``, …
Quality = Annotated[list[Code], Field(max_length=8)]
#: RR intervals of one notification, oldest first, 1/1024 s (Heart Rate Service 1.0, 3.1.1.5).
Rr = Annotated[list[Annotated[int, Field(ge=0, le=65_535)]], Field(max_length=64)]


class Counter(WireModel):
    """A count whose differences can be added up: a random id, and the total it counts from."""

    id: Annotated[Label, Field(min_length=1)]
    from_: Annotated[Count, Field(alias="from")]


def differences(numbers: Sequence[int]) -> list[int]:
    """A column of numbers as the first and then the differences."""
    return [numbers[0], *(later - earlier for earlier, later in pairwise(numbers))]


class Columns(WireModel):
    """What a series has on either side of the server.

    ``seq`` holds the first sequence number, then differences of at least 1. Columns of metrics
    that this version does not know are kept in ``model_extra`` and passed on untouched.
    """

    model_config = ConfigDict(extra="allow")

    user: UserId
    device: DeviceId
    metric: MetricName
    seq: Annotated[list[SafeInt], Field(min_length=1, max_length=LONGEST_SERIES)]
    value: Annotated[list[Number | None], Field(min_length=1, max_length=LONGEST_SERIES)]
    rr: Annotated[list[Rr | None], Field(max_length=LONGEST_SERIES)] | None = absent()
    contact: Annotated[list[bool | None], Field(max_length=LONGEST_SERIES)] | None = absent()
    energy_kj: Annotated[list[Count | None], Field(max_length=LONGEST_SERIES)] | None = absent()
    quality: Annotated[list[Quality | None], Field(max_length=LONGEST_SERIES)] | None = absent()
    counter: Counter | None = absent()
    on_change: bool = absent(False)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        # One call for all columns: this runs for each live reading.
        seq, length = self.seq, len(self.seq)
        if seq[0] < 0 or (length > 1 and min(seq[1:]) < 1):
            raise ValueError("seq: starts below 0 or has a difference below 1")
        if sum(seq) > SAFE_INTEGER:
            raise ValueError("seq: runs beyond 2^53")
        for column in (self.value, self.rr, self.contact, self.energy_kj, self.quality):
            if column is not None and len(column) != length:
                raise ValueError(f"a column has {len(column)} entries, seq has {length}")
        self._check_times(length)
        if self.model_extra:
            _check_unknown(self.model_extra, length)
        return self

    def _check_times(self, length: int) -> None:
        """Raise ValueError when the time column does not fit."""

    def __len__(self) -> int:
        return len(self.seq)

    def numbers(self) -> list[int]:
        """The sequence numbers themselves, ascending."""
        return list(accumulate(self.seq))

    def ranges(self) -> list[Range]:
        """The sequence numbers as inclusive ranges."""
        found: list[Range] = []
        first = last = self.seq[0]
        for step in self.seq[1:]:
            if step != 1:
                found.append((first, last))
                first = last + step
            last += step
        found.append((first, last))
        return found

    def columns(self, indices: Sequence[int]) -> dict[str, Any]:
        """All columns but those of time and number, at these places only, by Python name."""
        kept: dict[str, Any] = {"value": [self.value[i] for i in indices]}
        for name in ("rr", "contact", "energy_kj", "quality"):
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


def _check_unknown(extra: dict[str, Any], length: int) -> None:
    if len(extra) > _MOST_EXTRAS:
        raise ValueError(f"more than {_MOST_EXTRAS} unknown columns")
    for name, column in extra.items():
        if len(name) > _LONGEST_EXTRA_NAME:
            raise ValueError("an unknown column's name is too long")
        if isinstance(column, list) and len(column) != length:
            raise ValueError(f"an unknown column has {len(column)} entries, seq has {length}")
    if len(json.dumps(extra, allow_nan=False)) > _LARGEST_EXTRA_BYTES:
        raise ValueError("unknown columns are too large")


def _check_time_column(times: list[int], length: int) -> None:
    if len(times) != length:
        raise ValueError(f"times has {len(times)} entries, seq has {length}")
    for moment in accumulate(times):
        if not -SAFE_INTEGER <= moment <= SAFE_INTEGER:
            raise ValueError("times run beyond 2^53")


TimeColumn = Annotated[list[SafeInt], Field(min_length=1, max_length=LONGEST_SERIES)]


class Series(Columns):
    """Readings as the bridge took them. ``elapsedMs``: boot clock since the stream's start."""

    elapsed_ms: TimeColumn

    def _check_times(self, length: int) -> None:
        _check_time_column(self.elapsed_ms, length)

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
        wanted = list(ranges)
        indices = [
            index
            for index, number in enumerate(self.numbers())
            if any(first <= number <= last for first, last in wanted)
        ]
        if len(indices) == len(self):
            return self
        return self.take(indices) if indices else None

    def timed(self, at_ms: Sequence[int], **origin: Any) -> TimedSeries:
        """The same readings with wall times in place of the boot clock's.

        Args:
            at_ms: one wall time for each reading.
            origin: ``stream``-wide facts, ``received_ms`` and ``time_source``.
        """
        return TimedSeries(
            **self._heading(),
            **self.columns(range(len(self))),
            seq=self.seq,
            at_ms=differences(at_ms),
            **origin,
        )


class TimedSeries(Columns):
    """Readings as a viewer gets them. ``atMs``: wall time, the first and then differences.

    ``receivedMs`` is when the server committed them and ``timeSource`` whether their time is
    estimated, so that a screen can tell live from filled in later.
    """

    at_ms: TimeColumn
    received_ms: WallMs
    time_source: Code

    def _check_times(self, length: int) -> None:
        _check_time_column(self.at_ms, length)

    def at(self) -> list[int]:
        """Wall times in ms since 1970 UTC, one for each reading."""
        return list(accumulate(self.at_ms))
