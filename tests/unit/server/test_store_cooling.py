"""Small blocks of an hour that is over become few, and nobody can tell the difference."""

from __future__ import annotations

from strapline_protocol.publishing import Stream
from strapline_protocol.watching import HistoryPage
from strapline_server.store.commit import Work
from strapline_server.store.cooling import MOST_HOURS_A_TIME, REST_MS, cool
from strapline_server.store.people import Grant
from tests.unit.server.store_kit import HOUR, NOON, Bench, series_of, stream_named, zero_at

A = stream_named("A")


def bench_at(begin_ms: int) -> tuple[Bench, Grant]:
    bench = Bench(now_ms=begin_ms)
    bench.add_user()
    grant = bench.grant()
    bench.declare(grant, A, zero_at(begin_ms))
    return bench, grant


def beat(bench: Bench, grant: Grant, begin_ms: int, seconds: range, late_ms: int = 400) -> None:
    """A live reading each second, committed a little later."""
    for second in seconds:
        bench.now_ms = begin_ms + second * 1_000 + late_ms
        series = series_of([60 + second % 90], [second * 1_000], first=second)
        bench.publish(grant, A, series)


def seen(page: HistoryPage) -> list[tuple[int, object, bool, object]]:
    """What a viewer makes of each reading: time, value, whether it came live, and its marks."""
    return sorted(
        (at, value, series.received_ms - at > 5_000, repr(mark))
        for series in page.series
        for at, value, mark in zip(
            series.at(), series.value, series.server_marks or [None] * len(series), strict=True
        )
    )


def test_an_hour_of_live_readings_becomes_one_block() -> None:
    bench, grant = bench_at(NOON)
    beat(bench, grant, NOON, range(600))
    before = seen(bench.history(limit=10_000))
    size = bench.rows("SELECT sum(length(data)), count(*) FROM blocks")[0]
    assert size[1] == 600
    assert cool(bench.transaction) == 0
    bench.now_ms = NOON + HOUR + REST_MS - 1
    assert cool(bench.transaction) == 0
    bench.now_ms += 1
    assert cool(bench.transaction) == 1
    small = bench.rows("SELECT sum(length(data)), count(*), sum(count) FROM blocks")[0]
    assert small[1:] == (1, 600)
    assert small[0] * 20 < size[0]
    assert seen(bench.history(limit=10_000)) == before
    assert cool(bench.transaction) == 0


def test_what_came_late_stays_apart_by_its_commit() -> None:
    bench, grant = bench_at(NOON)
    beat(bench, grant, NOON, range(20))
    for begin in (20, 30):
        bench.now_ms += 100_000
        times = [number * 1_000 for number in range(begin, begin + 10)]
        bench.publish(grant, A, series_of([99] * 10, times, first=begin))
    before = seen(bench.history())
    bench.now_ms = NOON + 3 * HOUR
    cool(bench.transaction)
    assert bench.rows("SELECT count, committed_ms FROM blocks ORDER BY first_seq") == [
        (20, NOON + 400),
        (10, NOON + 19_400 + 100_000),
        (10, NOON + 19_400 + 200_000),
    ]
    assert seen(bench.history()) == before


def test_what_was_ahead_of_its_time_stays_marked_and_nothing_else_becomes_so() -> None:
    bench, grant = bench_at(NOON)
    beat(bench, grant, NOON, range(30))
    bench.publish(grant, A, series_of([88], [600_000], first=30))
    beat(bench, grant, NOON, range(31, 60))
    before = seen(bench.history())
    assert [row[3] for row in before].count("['future']") == 1
    bench.now_ms = NOON + 3 * HOUR
    cool(bench.transaction)
    assert bench.rows("SELECT count(*) FROM blocks") == [(2,)]
    assert seen(bench.history()) == before


def test_time_can_be_corrected_afterwards() -> None:
    bench, grant = bench_at(NOON)
    beat(bench, grant, NOON, range(100))
    bench.now_ms = NOON + 3 * HOUR
    cool(bench.transaction)
    newer = Stream(stream=A, next_seq=100, zero=zero_at(NOON - 30 * 60_000, version=2))
    (change,) = bench.commit(Work(grant, newer)).changes
    assert change.message.position[1] == 101
    times = [row[0] for row in seen(bench.history())]
    assert times == [NOON - 1_800_000 + second * 1_000 for second in range(100)]
    # What moved into another hour is merged there in its turn.
    bench.now_ms += 2 * HOUR
    cool(bench.transaction)
    assert bench.rows("SELECT count(*), sum(count) FROM blocks") == [(1, 100)]


def test_a_little_at_a_time() -> None:
    bench, grant = bench_at(NOON)
    hours = MOST_HOURS_A_TIME * 2 + 1
    for hour in range(hours):
        beat(bench, grant, NOON, range(hour * 3_600, hour * 3_600 + 3))
    bench.now_ms = NOON + (hours + 1) * HOUR
    assert cool(bench.transaction) == MOST_HOURS_A_TIME + 1
    assert cool(bench.transaction) == MOST_HOURS_A_TIME + 1
    assert cool(bench.transaction) == 1
    assert cool(bench.transaction) == 0
    assert bench.rows("SELECT count(*), sum(count) FROM blocks") == [(hours, hours * 3)]
