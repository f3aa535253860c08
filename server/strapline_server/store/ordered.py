"""Readings one after another in order of time, out of blocks that overlap."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush
from typing import Final, NamedTuple

from strapline_protocol.publishing import Zero
from strapline_protocol.series import Series
from strapline_server.state import usable
from strapline_server.store.columns import LONGEST_BLOCK_MS, Piece, sound, wall_times
from strapline_server.store.database import Transaction

#: A counter begins below 0 after its field has wrapped: the widest that there is has 32 bits.
_LEAST_ORIGIN: Final = -(2**32)


def counter_of(series: Series) -> str:
    """The id of the counter that its totals are of; empty where they count nothing.

    A reading whose counter cannot be is kept, and counts nothing.
    """
    counter = series.counter
    return "" if counter is None or counter.from_ < _LEAST_ORIGIN else counter.id


@dataclass(frozen=True)
class Loaded:
    """A block as it was read, and how many bytes its JSON has."""

    device_key: int
    piece: Piece
    json_bytes: int

    @cached_property
    def fit(self) -> list[bool]:
        """Whether each of its readings says something of the body."""
        return usable(self.piece.series)


class Found(NamedTuple):
    """One reading, in the order in which readings are told: by time, stream and number.

    Attributes:
        ordinal: of its block, so that nothing after it is ever compared.
        row: its place in its block.
    """

    at_ms: int
    stream: str
    number: int
    ordinal: int
    row: int
    block: Loaded

    @property
    def value(self) -> float | None:
        """As it was measured."""
        return self.block.piece.series.value[self.row]

    @property
    def usable(self) -> float | None:
        """The value where it says something of the body."""
        return self.value if self.block.fit[self.row] else None


#: Of each block that was read and not yet told: its next reading, and those after it.
_Heads = list[tuple[Found, Iterator[Found]]]


def in_order(
    transaction: Transaction, user_key: int, metric: str, from_ms: int, to_ms: int
) -> Iterator[Found]:
    """Each reading of one user's metric from ``from_ms`` to before ``to_ms``.

    Blocks are read no earlier than they are needed: who stops early has not paid for the rest.
    """
    heads: _Heads = []
    with closing(_blocks(transaction, user_key, metric, from_ms, to_ms)) as blocks:
        for begins_ms, readings in blocks:
            # Blocks come in order of their beginning: none after this holds anything earlier.
            while heads and heads[0][0].at_ms < begins_ms:
                yield _next(heads)
            _push(heads, readings)
        while heads:
            yield _next(heads)


def _next(heads: _Heads) -> Found:
    found, readings = heappop(heads)
    _push(heads, readings)
    return found


def _push(heads: _Heads, readings: Iterator[Found]) -> None:
    found = next(readings, None)
    if found is not None:
        heappush(heads, (found, readings))


def _blocks(
    transaction: Transaction, user_key: int, metric: str, from_ms: int, to_ms: int
) -> Generator[tuple[int, Iterator[Found]], None, None]:
    rows = transaction.each(
        "blocks_in_time",
        user_key=user_key,
        metric=metric,
        from_ms=from_ms,
        to_ms=to_ms,
        longest_ms=LONGEST_BLOCK_MS,
    )
    zeros: dict[str, Zero] = {}
    with closing(rows):
        for ordinal, row in enumerate(rows):
            zero = zeros.get(row["zero"]) or Zero.model_validate_json(row["zero"])
            zeros[row["zero"]] = zero
            yield row["from_ms"], _readings(row, zero, ordinal, from_ms, to_ms)


def _readings(
    row: sqlite3.Row, zero: Zero, ordinal: int, from_ms: int, to_ms: int
) -> Iterator[Found]:
    """A block's, which is unpacked when the first of them is asked for."""
    if (unpacked := sound(row["block_key"], row["data"])) is None:
        return
    series, json_bytes = unpacked
    at_ms = wall_times(zero, series.elapsed())
    received_ms = (row["committed_ms"], row["judged_ms"])
    piece = Piece(row["stream"], series, at_ms, *received_ms, zero)
    block = Loaded(row["device_key"], piece, json_bytes)
    moments = zip(at_ms, series.numbers(), range(len(at_ms)), strict=True)
    for moment, number, place in sorted(one for one in moments if from_ms <= one[0] < to_ms):
        yield Found(moment, piece.stream, number, ordinal, place, block)
