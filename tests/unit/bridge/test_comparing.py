"""A run's readings against the server's: what differs is found, down to the single reading."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strapline_bridge.comparing import Comparison, account_of
from strapline_protocol.asking import (
    MOST_DIGESTED,
    Accounts,
    AccountsParams,
    Digest,
    Digests,
    DigestsParams,
)
from strapline_protocol.digest import digest_of_lines, lines_of
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.series import Series, differences

STREAM = "s" * 22


class FakeServer:
    """Answers as the protocol says, of readings that a test gives it."""

    def __init__(self, series: Iterable[Series], received: IntervalSet | None = None) -> None:
        self.lines = [line for one in series for line in lines_of(one)]
        numbers = IntervalSet.of(number for number, _ in self.lines)
        self.received = numbers if received is None else received
        self.erased = IntervalSet()
        self.asked = 0

    async def __call__(self, method: str, params: Any, kind: type[Any]) -> Any:
        self.asked += 1
        return self.accounts(params) if method == "accounts" else self.digests(params)

    def accounts(self, params: AccountsParams) -> Accounts:
        spans = [span for span in self.received if span[1] >= params.first]
        return Accounts(
            stream=params.stream,
            received=spans[:2],
            rejected=[],
            dropped=[],
            erased=self.erased.ranges(),
            readings=len(self.received),
            next=spans[2][0] if len(spans) > 2 else None,
        )

    def digests(self, params: DigestsParams) -> Digests:
        assert sum(last - first + 1 for first, last in params.ranges) <= MOST_DIGESTED
        digests = []
        for first, last in params.ranges:
            found = [line for number, line in sorted(self.lines) if first <= number <= last]
            digests.append(Digest(count=len(found), sha256=digest_of_lines(found)))
        return Digests(stream=params.stream, digests=digests)


def a_series(numbers: list[int], change: dict[int, int] | None = None) -> Series:
    """Heart rates of these numbers, some of them other than they should be."""
    return Series(
        user="anna",
        device="d",
        metric="heart_rate",
        seq=differences(numbers),
        elapsed_ms=differences([1_000 * number for number in numbers]),
        value=[(change or {}).get(number, 60 + number % 50) for number in numbers],
    )


async def _compared(server: FakeServer, here: list[Series], last: int) -> Comparison:
    comparison = Comparison(server, STREAM, server.received)
    await comparison.stretch(0, last, here)
    return comparison


async def test_what_is_the_same_is_compared_at_once_however_it_is_laid_out() -> None:
    numbers = list(range(3_000))
    server = FakeServer([a_series(numbers[1::2][:1_500]), a_series(numbers[::2][:1_500])])
    comparison = await _compared(
        server, [a_series(numbers[:2_000]), a_series(numbers[2_000:])], 2_999
    )
    assert comparison.compared == 3_000
    assert not [*comparison.missing, *comparison.doubled, *comparison.different]
    assert server.asked == 1


async def test_a_single_reading_that_differs_is_named() -> None:
    numbers = list(range(2_000))
    server = FakeServer([a_series(numbers, {1_234: 1})])
    comparison = await _compared(server, [a_series(numbers)], 1_999)
    assert comparison.different.ranges() == [(1_234, 1_234)]
    assert comparison.compared == 1_999
    assert server.asked <= 3


async def test_what_is_accounted_for_and_not_there_is_missing() -> None:
    numbers = list(range(1_000))
    server = FakeServer([a_series(numbers)], IntervalSet([(0, 999)]))
    server.lines = [line for line in server.lines if line[0] not in (7, 8, 500)]
    comparison = await _compared(server, [a_series(numbers)], 999)
    assert comparison.missing.ranges() == [(7, 8), (500, 500)]
    assert not comparison.different


async def test_what_is_there_twice_is_named_though_it_is_not_here_any_more() -> None:
    numbers = list(range(1_000))
    server = FakeServer([a_series(numbers), a_series([42])])
    comparison = await _compared(server, [], 999)
    assert comparison.doubled.ranges() == [(42, 42)]
    assert comparison.compared == 0


async def test_what_only_this_end_has_is_nothing_to_compare() -> None:
    server = FakeServer([a_series([0, 1])])
    comparison = await _compared(server, [a_series([0, 1, 2, 3])], 3)
    assert comparison.compared == 2
    assert not comparison.missing


async def test_a_whole_run_that_differs_is_not_looked_at_for_ever() -> None:
    numbers = list(range(2_000))
    server = FakeServer([a_series([9 * 2_000 + at for at in numbers])], IntervalSet([(0, 10**6)]))
    comparison = Comparison(server, STREAM, server.received)
    for first in range(0, 20_000, 2_000):
        await comparison.stretch(first, first + 1_999, [])
    asked = server.asked
    await comparison.stretch(500_000, 501_999, [])
    assert server.asked == asked


async def test_all_pages_of_an_account_are_asked_for() -> None:
    server = FakeServer([], IntervalSet([(at, at) for at in range(0, 20, 2)]))
    account = await account_of(server, STREAM)
    assert account.received == server.received
    assert server.asked == 5


_NUMBERS = st.integers(0, 300)


@settings(deadline=None, max_examples=60)
@given(
    gone=st.sets(_NUMBERS),
    twice=st.sets(_NUMBERS),
    other=st.sets(_NUMBERS),
    kept=st.integers(0, 300),
)
async def test_whatever_differs_is_found_and_nothing_else(
    gone: set[int], twice: set[int], other: set[int], kept: int
) -> None:
    numbers = list(range(301))
    # Of what is not here any more there are counts alone, which one of each would make right.
    gone = {at for at in gone if at >= kept}
    twice, other = twice - gone, other - gone - twice
    server = FakeServer(
        [a_series(numbers, dict.fromkeys(other, 1)), *(a_series([at]) for at in twice)],
        IntervalSet([(0, 300)]),
    )
    server.lines = [line for line in server.lines if line[0] not in gone]
    comparison = await _compared(server, [a_series(numbers[kept:])], 300)
    assert comparison.missing == IntervalSet.of(gone)
    assert comparison.doubled == IntervalSet.of(twice)
    # What is not here any more cannot be compared in its content.
    assert comparison.different == IntervalSet.of(at for at in other if at >= kept)


@pytest.mark.parametrize("length", [1, 99, 100, 101, 9_999])
async def test_ranges_of_any_length_are_cut_to_the_reading(length: int) -> None:
    received = IntervalSet([(5, 4 + length)])
    server = FakeServer([], received)
    comparison = Comparison(server, STREAM, received)
    await comparison.stretch(0, 20_000, [])
    assert comparison.missing == received
