"""Small blocks of an hour that is over become few, and nobody can tell the difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from strapline_protocol.asking import HistoryPage, HistoryParams
from strapline_protocol.opening import Role
from strapline_protocol.publishing import Stream
from strapline_server.store import Store, cooling
from strapline_server.store.commit import Work
from strapline_server.store.cooling import REST_MS
from strapline_server.store.erasing import erase_user
from strapline_server.store.people import Grant
from tests.unit.server.store_kit import (
    HOUR,
    NOON,
    Bench,
    published,
    series_of,
    stream_named,
    zero_at,
)

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
    assert bench.cool() == 0
    bench.now_ms = NOON + HOUR + REST_MS - 1
    assert bench.cool() == 0
    bench.now_ms += 1
    assert bench.cool() == 1
    small = bench.rows("SELECT sum(length(data)), count(*), sum(count) FROM blocks")[0]
    assert small[1:] == (1, 600)
    assert small[0] * 20 < size[0]
    assert seen(bench.history(limit=10_000)) == before
    assert bench.cool() == 0


def test_what_came_late_stays_apart_by_its_commit() -> None:
    bench, grant = bench_at(NOON)
    beat(bench, grant, NOON, range(20))
    for begin in (20, 30):
        bench.now_ms += 100_000
        times = [number * 1_000 for number in range(begin, begin + 10)]
        bench.publish(grant, A, series_of([99] * 10, times, first=begin))
    before = seen(bench.history())
    bench.now_ms = NOON + 3 * HOUR
    bench.cool()
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
    bench.cool()
    assert bench.rows("SELECT count(*) FROM blocks") == [(2,)]
    assert seen(bench.history()) == before


def test_time_can_be_corrected_afterwards() -> None:
    bench, grant = bench_at(NOON)
    beat(bench, grant, NOON, range(100))
    bench.now_ms = NOON + 3 * HOUR
    bench.cool()
    newer = Stream(stream=A, next_seq=100, zero=zero_at(NOON - 30 * 60_000, version=2))
    (change,) = bench.commit(Work(grant, newer)).changes
    assert change.message.position[1] == 101
    times = [row[0] for row in seen(bench.history())]
    assert times == [NOON - 1_800_000 + second * 1_000 for second in range(100)]
    # What moved into another hour is merged there in its turn.
    bench.now_ms += 2 * HOUR
    bench.cool()
    assert bench.rows("SELECT count(*), sum(count) FROM blocks") == [(1, 100)]


def test_each_hour_and_only_those_that_are_over() -> None:
    bench, grant = bench_at(NOON)
    for hour in range(5):
        beat(bench, grant, NOON, range(hour * 3_600, hour * 3_600 + 3))
    bench.now_ms = NOON + 4 * HOUR + REST_MS
    assert bench.cool() == 4
    assert bench.rows("SELECT count(*), sum(count) FROM blocks") == [(4 + 3, 15)]


def test_what_moves_between_plan_and_deed_is_left_alone() -> None:
    bench, grant = bench_at(NOON)
    beat(bench, grant, NOON, range(10))
    bench.now_ms = NOON + 3 * HOUR
    planned = cooling.plan(bench.transaction)
    assert planned is not None
    bench.declare(grant, A, zero_at(NOON + 1_000, version=2))
    before = seen(bench.history())
    assert not cooling.carry_out(bench.transaction, planned)
    assert seen(bench.history()) == before
    bench.cool()
    assert bench.rows("SELECT count(*), sum(count) FROM blocks") == [(1, 10)]


def test_what_comes_between_plan_and_deed_stays_beside() -> None:
    bench, grant = bench_at(NOON)
    beat(bench, grant, NOON, range(10))
    bench.now_ms = NOON + 3 * HOUR
    planned = cooling.plan(bench.transaction)
    assert planned is not None
    bench.publish(grant, A, series_of([99], [10_000], first=10))
    assert cooling.carry_out(bench.transaction, planned)
    assert bench.rows("SELECT count FROM blocks ORDER BY first_seq") == [(10,), (1,)]
    assert len(seen(bench.history())) == 11


async def test_the_store_merges_beside_its_commits(tmp_path: Path) -> None:
    now_ms = NOON
    store = Store(tmp_path, lambda: now_ms)
    await store.open()
    await store.add_user("ana", "Ana", "UTC")
    await store.put_grant("pi", Role.BRIDGE, "pi", "all", None)
    grant = await store.grant("pi")
    assert grant is not None
    await store.commit([Work(grant, Stream(stream=A, next_seq=0, zero=zero_at(NOON)))])
    for number in range(20):
        await store.commit([published(grant, A, series_of([60], [number], first=number))])
    await store.cool()
    params = HistoryParams(user="ana", metric="heart_rate", from_ms=0, to_ms=2**50)
    before = await store.history("pi", params)
    now_ms += 3 * HOUR
    await store.cool()
    await store.cool()
    assert await store.history("pi", params) == before
    count = await store._database.read(
        lambda transaction: len(
            transaction.all("blocks_of_stream", stream_key=1),
        )
    )
    assert count == 1
    await store.close()


def test_a_damaged_block_keeps_its_hour_and_no_other_from_cooling(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench, grant = bench_at(NOON)
    beat(bench, grant, NOON, range(5))
    beat(bench, grant, NOON, range(3_600, 3_605))
    bench.connection.execute("UPDATE blocks SET data = x'00' WHERE block_key = 2")
    bench.now_ms = NOON + 3 * HOUR
    assert bench.cool() == 2
    assert bench.rows("SELECT count(*) FROM blocks") == [(6,)]
    assert "block 2 is damaged" in caplog.text


def test_what_is_erased_between_plan_and_deed_stays_so() -> None:
    """Its blocks' keys are another's by then, whose readings must stay as they are."""
    bench, grant = bench_at(NOON)
    beat(bench, grant, NOON, range(10))
    bench.now_ms += HOUR + REST_MS
    planned = cooling.plan(bench.transaction)
    assert planned is not None
    erase_user(bench.transaction, "ana")
    bench.add_user("ben")
    bens = series_of([70] * 10, [i * 1_000 for i in range(10)], first=20, user="ben")
    ben = bench.grant()
    for number in range(10):
        bench.publish(ben, A, bens.take([number]))
    keys = [row[0] for row in bench.rows("SELECT block_key FROM blocks")]
    assert set(planned.blocks) & set(keys), "a key is given again"
    assert not cooling.carry_out(bench.transaction, planned)
    assert [row[0] for row in bench.rows("SELECT block_key FROM blocks")] == keys
    assert bench.rows("SELECT DISTINCT id FROM blocks JOIN users USING (user_key)") == [("ben",)]
