"""Who looks at what is missing hears that it will not come, or that the bridge was down."""

from __future__ import annotations

from strapline_protocol.publishing import Dropped
from strapline_protocol.watching import HistoryChanged
from strapline_server.store.commit import Outcome, Work
from tests.unit.server.gap_kit import SECOND, A, B, bench_at, drop, end, rates, reject
from tests.unit.server.store_kit import NOON, published, series_of, zero_at


def told(outcome: Outcome) -> list[tuple[str, float, float, int]]:
    """User, beginning and end in seconds after noon, and how many readings."""
    found = []
    for change in outcome.changes:
        message = change.message
        if message.metric == "gap":
            assert isinstance(message, HistoryChanged)
            assert message.why == "backfilled"
            from_s, to_s = ((at - NOON) / SECOND for at in (message.from_ms, message.to_ms))
            found.append((message.user, from_s, to_s, message.count))
    return found


def test_lost_numbers_are_told_with_the_time_between_those_that_came() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(*range(10)), rates(60, 61, first=60))
    assert told(drop(bench, pi, A, (10, 20), (30, 39))) == [("ana", 9, 60, 21)]
    assert told(drop(bench, pi, A, (10, 39))) == [("ana", 9, 60, 9)]
    assert told(drop(bench, pi, A, (10, 39))) == [], "a repeat is no news"
    assert told(reject(bench, pi, A, (62, 70))) == [("ana", 61, 3_600, 9)]


def test_what_came_in_the_same_commit_and_what_makes_no_gap_is_not_told() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(*range(10)), rates(12, 13, 30, first=11))
    assert told(drop(bench, pi, A, (10, 10))) == [("ana", 9, 12, 1)]
    bench.publish(pi, A, rates(31, 33, first=14))
    bench.publish(pi, A, rates(34, first=17))
    assert told(drop(bench, pi, A, (16, 16))) == []
    foreign = series_of([1], [40_000], first=20, user="nobody")
    outcome = bench.commit(published(pi, A, foreign, rates(40, first=20)))
    assert told(outcome) == []


def test_only_those_whose_readings_are_near_hear_of_it() -> None:
    bench, _ = bench_at()
    bench.add_user("ben")
    bench.add_user("cem")
    pi = bench.grant()
    bench.declare(pi, A, zero_at(NOON))
    bens = series_of([60], [5_000], first=5, user="ben", device="strap-2")
    bench.publish(pi, A, rates(0, 1, 2), bens)
    assert told(drop(bench, pi, A, (3, 4), (6, 9))) == [
        ("ana", 2, 3_600, 6),
        ("ben", 2, 3_600, 6),
    ]


def test_of_a_run_that_nothing_came_of_those_of_the_run_before_hear() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(0, 1, 2))
    bench.declare(pi, B, zero_at(NOON + 100 * SECOND))
    assert told(drop(bench, pi, B, (0, 9))) == [("ana", 100, 3_600, 10)]


def test_that_a_bridge_was_down_is_told_when_it_is_known() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(0, 1, 2))
    ended = end(bench, pi, A, 50)
    assert told(ended) == [("ana", 50, 3_600, 0)]
    assert told(end(bench, pi, A, 50)) == []
    assert told(bench.declare(pi, B, zero_at(NOON + 200 * SECOND))) == [("ana", 50, 200, 0)]
    assert told(end(bench, pi, A, 60, clean=False)) == [("ana", 60, 200, 0)]


def test_one_commit_tells_each_user_once() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(*range(10)), rates(60, 61, first=60), rates(99, first=99))
    works = [
        Work(pi, Dropped(stream=A, ranges=[span], reason="full")) for span in ((10, 20), (70, 80))
    ]
    assert told(bench.commit(*works)) == [("ana", 9, 99, 22)]
