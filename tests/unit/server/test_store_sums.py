"""Hours are enough where devices do not share them by halves; else minutes tell."""

from __future__ import annotations

import pytest

from strapline_server.store.sums import MINUTE_MS, Folded, Sum
from tests.unit.server.store_kit import HOUR, NOON, Bench, series_of, stream_named, zero_at

A = stream_named("A")
FIRST = NOON // MINUTE_MS


def measured(**minutes: range) -> Folded:
    """A rate of 60, 70, … of devices in order, in these minutes of one hour."""
    bench = Bench()
    bench.add_user()
    grant = bench.grant()
    bench.declare(grant, A, zero_at(NOON))
    seq = 0
    for place, (device, span) in enumerate(minutes.items()):
        values = [60 + 10 * place] * len(span)
        times = [minute * MINUTE_MS for minute in span]
        bench.publish(grant, A, series_of(values, times, first=seq, device=device))
        seq += len(span)
    return Folded(bench.transaction, 1, "heart_rate")


@pytest.mark.parametrize(
    ("watch", "count", "total", "rows"),
    [
        # All of its minutes are the strap's too.
        (range(10, 20), 30, 30 * 60, 2),
        # None of them is.
        (range(30, 40), 40, 30 * 60 + 10 * 70, 2),
        # Some are: the hour's minutes are read.
        (range(25, 35), 35, 30 * 60 + 5 * 70, 2 + 30 + 10),
    ],
)
def test_minutes_are_read_only_where_hours_do_not_tell(
    watch: range, count: int, total: int, rows: int
) -> None:
    folded = measured(strap=range(30), watch=watch)
    assert folded.over(FIRST, FIRST + 60) == {None: Sum(count, total, 60, 70 if count > 30 else 60)}
    assert folded.rows_read == rows
    ((hour, counted),) = folded.hours(FIRST // 60, FIRST // 60 + 1)
    assert (hour * HOUR, counted[None].count) == (NOON, count)


@pytest.mark.parametrize(
    ("first", "end", "count"),
    [(0, 60, 30), (5, 20, 15), (5, 61, 25), (-30, 10, 10), (-70, 130, 30), (7, 7, 0)],
)
def test_hours_that_are_not_whole_are_told_by_minute(first: int, end: int, count: int) -> None:
    found = measured(strap=range(30)).over(FIRST + first, FIRST + end)
    assert found.get(None, Sum()).count == count


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "count"),
    [(0, 1, 1), (1, MINUTE_MS, 0), (1, MINUTE_MS + 1, 1), (-5, 2**40, 30), (70_000, 70_001, 0)],
)
def test_between_two_moments(from_ms: int, to_ms: int, count: int) -> None:
    assert measured(strap=range(30)).between(NOON + from_ms, NOON + to_ms).count == count
