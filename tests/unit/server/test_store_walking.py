"""A stream's numbers against its blocks: whatever is lost, doubled or damaged is named."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_protocol.digest import digest
from strapline_protocol.intervals import IntervalSet, Range
from strapline_protocol.publishing import Dropped, Rejected, Stream
from strapline_protocol.series import Series
from strapline_server.store.commit import Work
from strapline_server.store.walking import Told, verify_stream
from strapline_server.verified import MOST_TOLD, StreamVerified
from tests.unit.server.store_kit import HOUR, NOON, Bench, series_of, stream_named, zero_at

A = stream_named("A")


class Shelf(Bench):
    """A bench with two people, one bridge and its stream, which began two hours ago."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.add_user("ana")
        self.add_user("ben")
        self.pi = self.grant("pi")
        self.declare(self.pi, A, zero_at(NOON - 2 * HOUR))

    def put(self, first: int, count: int, user: str = "ana", metric: str = "heart_rate") -> Series:
        times = [(first + i) * 1_000 for i in range(count)]
        values = [60 + i % 90 for i in range(count)]
        series = series_of(
            values, times, first=first, user=user, device=f"of-{user}", metric=metric
        )
        self.publish(self.pi, A, series)
        return series

    def verified(self, stream: str = A) -> StreamVerified:
        rows = [row for row in self.transaction.all("streams_of_all") if row["id"] == stream]
        return verify_stream(self.transaction, rows[0], lambda _: None)

    def again(self, where: str) -> None:
        """A copy of each of these blocks."""
        names = [row[1] for row in self.rows("PRAGMA table_info(blocks)") if row[1] != "block_key"]
        columns = ", ".join(names)
        self.connection.execute(
            f"INSERT INTO blocks ({columns}) SELECT {columns} FROM blocks WHERE {where}"  # noqa: S608  # of this test
        )

    def damage(self, where: str) -> None:
        self.connection.execute(f"UPDATE blocks SET data = x'0badda7a' WHERE {where}")  # noqa: S608  # of this test


def test_all_is_there_once() -> None:
    bench = Shelf()
    sent = [bench.put(0, 10), bench.put(10, 5, "ben"), bench.put(15, 5)]
    found = bench.verified()
    assert found.whole
    assert (found.readings, found.bridge) == (20, "pi")
    ana, ben = found.users
    assert (ana.readings, ana.numbers.ranges) == (15, [(0, 9), (15, 19)])
    assert (ana.first_ms, ana.last_ms) == (NOON - 2 * HOUR, NOON - 2 * HOUR + 19_000)
    assert ana.sha256 == digest([sent[0], sent[2]])
    assert (ben.user, ben.sha256) == ("ben", digest([sent[1]]))


def test_a_lost_block_is_missing() -> None:
    bench = Shelf()
    for first in (0, 10, 20):
        bench.put(first, 10)
    bench.connection.execute("DELETE FROM blocks WHERE first_seq = 10")
    found = bench.verified()
    assert (found.missing.count, found.missing.ranges) == (10, [(10, 19)])
    assert not found.whole
    assert found.readings == 20


def test_a_block_that_is_there_twice_is_doubled() -> None:
    bench = Shelf()
    bench.put(0, 10)
    bench.put(10, 5)
    bench.again("first_seq = 10")
    bench.again("first_seq = 10")
    found = bench.verified()
    assert (found.doubled.count, found.doubled.ranges) == (5, [(10, 14)])
    assert (found.missing.count, found.whole) == (0, False)


def test_a_damaged_block_is_told_apart_from_a_lost_one(caplog: pytest.LogCaptureFixture) -> None:
    bench = Shelf()
    for first in (0, 10, 20, 30):
        bench.put(first, 10)
    bench.damage("first_seq = 10")
    bench.connection.execute("DELETE FROM blocks WHERE first_seq = 30")
    found = bench.verified()
    assert (found.damaged_blocks, found.unreadable.ranges) == (1, [(10, 19)])
    assert found.missing.ranges == [(30, 39)]
    assert not found.whole
    assert "damaged" in caplog.text


def test_a_reading_that_nothing_accounts_for_is_named() -> None:
    bench = Shelf()
    bench.put(0, 10)
    bench.connection.execute("UPDATE accounts SET last = 7")
    found = bench.verified()
    assert (found.unaccounted.ranges, found.whole) == ([(8, 9)], False)


@pytest.mark.parametrize(
    "change",
    ["from_ms = from_ms + 1", "count = count + 1", "metric = 'cadence'", "last_elapsed_ms = 7"],
)
def test_a_block_that_the_index_misleads_about_is_misplaced(change: str) -> None:
    bench = Shelf()
    bench.put(0, 10)
    bench.connection.execute(f"UPDATE blocks SET {change}")  # noqa: S608  # of this test
    found = bench.verified()
    assert (found.misplaced_blocks, found.whole) == (1, False)


def test_what_is_not_here_and_why() -> None:
    bench = Shelf()
    bench.put(0, 10)
    bench.commit(Work(bench.pi, Dropped(stream=A, ranges=[(20, 24)], reason="bound")))
    bench.commit(Work(bench.pi, Dropped(stream=A, ranges=[(25, 26)], reason="user")))
    refusal = Rejected(stream=A, ranges=[(30, 30)], code="malformed", message="no")
    bench.commit(Work(bench.pi, refusal))
    bench.connection.execute(
        "INSERT INTO accounts (stream_key, kind, first, last) VALUES (1, 4, 40, 41)"
    )
    declared = Stream(stream=A, next_seq=45, zero=zero_at(NOON - 2 * HOUR))
    bench.commit(Work(bench.pi, declared))
    found = bench.verified()
    assert [(one.why, one.numbers.ranges) for one in found.dropped] == [
        ("bound", [(20, 24)]),
        ("user", [(25, 26)]),
    ]
    assert [(one.why, one.numbers.count) for one in found.rejected] == [("malformed", 1)]
    assert found.erased.ranges == [(40, 41)]
    assert found.pending.ranges == [(10, 19), (27, 29), (31, 39), (42, 44)]
    assert found.whole, "nothing of this is a fault"


def test_no_more_than_a_page_of_ranges_is_told() -> None:
    told = Told.of([(10 * i, 10 * i + 1) for i in range(MOST_TOLD + 5)]).numbers()
    assert (told.count, len(told.ranges), told.complete) == (2 * MOST_TOLD + 10, MOST_TOLD, False)
    assert Told.of([(0, 1), (2, 5)]).numbers().ranges == [(0, 5)]


#: (people's turns: how many readings, and whose)
TURNS = st.lists(st.tuples(st.integers(1, 6), st.sampled_from(["ana", "ben"])), max_size=15)


@given(turns=TURNS, cools=st.booleans(), lost=st.sets(st.integers(0, 14)), twice=st.integers(0, 14))
def test_whatever_is_lost_or_doubled_is_found(
    turns: Sequence[tuple[int, str]], cools: bool, lost: set[int], twice: int
) -> None:
    bench = Shelf()
    number = 0
    for count, user in turns:
        bench.put(number, count, user)
        number += count
    if cools:
        bench.now_ms += 2 * HOUR
        bench.cool()
    before = _numbers(bench)
    keys = [row[0] for row in bench.rows("SELECT block_key FROM blocks ORDER BY block_key")]
    for place, key in enumerate(keys):
        if place == twice:
            bench.again(f"block_key = {key}")
        if place in lost:
            bench.connection.execute("DELETE FROM blocks WHERE block_key = ?", (key,))
    now = Counter(_numbers(bench))
    found = bench.verified()
    assert _set(found.missing.ranges) == IntervalSet.of(set(before) - now.keys())
    assert _set(found.doubled.ranges) == IntervalSet.of(n for n, times in now.items() if times > 1)
    assert found.readings == now.total()
    assert found.whole == (len(before) == now.total() == len(now))


def _numbers(bench: Shelf) -> list[int]:
    """All numbers that the blocks hold, one time for each that they do."""
    blocks = [zlib.decompress(data) for (data,) in bench.rows("SELECT data FROM blocks")]
    return [number for one in blocks for number in Series.model_validate_json(one).numbers()]


def _set(ranges: Sequence[Range]) -> IntervalSet:
    return IntervalSet(ranges)
