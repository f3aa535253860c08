"""What no honest bridge sends, and blocks that are damaged: it costs what it touches only."""

from __future__ import annotations

import pytest

from strapline_protocol.publishing import (
    Acknowledged,
    Rejected,
    Stream,
)
from strapline_protocol.series import Counter
from strapline_protocol.watching import (
    StepsData,
)
from strapline_server.store.commit import Work
from tests.unit.server.store_kit import (
    NOON,
    series_of,
    zero_at,
)
from tests.unit.server.test_store_commit import A, bench_with, rate


def test_the_largest_numbers_are_stored_like_any_other() -> None:
    bench, work = bench_with(A)
    most = 2**53 - 1
    for first, metric in enumerate(("glucose", "speed")):
        series = series_of([most] * 2_000, list(range(2_000)), first=2_000 * first, metric=metric)
        outcome = bench.publish(work.grant, A, series)
        assert outcome.answers == [
            (Acknowledged(stream=A, ranges=[(2_000 * first, 2_000 * first + 1_999)]),)
        ]
    assert bench.rows("SELECT DISTINCT total FROM blocks") == [(2_000.0 * most,)]
    assert bench.rows("SELECT total FROM minutes") == [(2_000.0 * most,)]


def test_a_counter_that_cannot_be_counts_nothing() -> None:
    bench, work = bench_with(A)
    for first, (counter, from_) in enumerate(
        [("wrapped", -(2**32)), ("more", -(2**32) - 1), ("most", -(2**53) + 1)]
    ):
        series = series_of(
            [5], [59_000], first=first, metric="steps", counter=Counter(id=counter, from_=from_)
        )
        outcome = bench.publish(work.grant, A, series)
        assert outcome.answers == [(Acknowledged(stream=A, ranges=[(first, first)]),)]
    steps = bench.state()["steps"]
    assert isinstance(steps, StepsData)
    assert (steps.today, steps.last is not None) == (2**32 + 5, True)


def test_a_metric_that_cannot_be_shown_costs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    bench, work = bench_with(A)
    bench.publish(work.grant, A, series_of([70], [59_000]))
    bench.publish(work.grant, A, series_of([50], [59_000], first=1, metric="battery"))
    bench.connection.execute("UPDATE latest SET usable_value = 1e300 WHERE metric = 'battery'")
    assert set(bench.state()) == {"heart_rate"}
    assert "battery of a user cannot be shown" in caplog.text


def test_a_stream_of_another_bridge_is_denied_to_its_last_number() -> None:
    bench, _ = bench_with(A)
    thief = bench.grant("thief")
    for next_seq, taken in ((7, (0, 6)), (1, (0, 0)), (0, (0, 0))):
        message = Stream(stream=A, next_seq=next_seq, zero=zero_at(NOON))
        (rejected,) = bench.commit(Work(thief, message)).answers[0]
        assert isinstance(rejected, Rejected)
        assert (rejected.ranges, rejected.code) == ([taken], "denied")


def test_a_damaged_block_costs_its_own_readings_only(caplog: pytest.LogCaptureFixture) -> None:
    bench, work = bench_with(A)
    for number in range(3):
        bench.publish(work.grant, A, series_of([70 + number], [50_000 + number], first=number))
    bench.connection.execute("UPDATE blocks SET data = substr(data, 1, 20) WHERE block_key = 2")
    assert [series.value for series in bench.history().series] == [[70, 72]]
    (answer,) = bench.declare(work.grant, A, zero_at(NOON - 61_000, version=2)).answers[0]
    assert answer == Acknowledged(stream=A, ranges=[(0, 2)], zero_version=2)
    assert [series.at_ms for series in bench.history().series] == [[NOON - 11_000, 2]]
    assert rate(bench.publish(work.grant, A, series_of([74], [61_000], first=3))).max == 74
    assert "block 2 is damaged" in caplog.text
