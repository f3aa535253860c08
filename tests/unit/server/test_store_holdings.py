"""What a bridge asks of its streams: pages of accounts, and digests that no layout changes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_protocol.asking import AccountsParams, Digest, DigestsParams
from strapline_protocol.digest import digest
from strapline_protocol.intervals import IntervalSet, Range
from strapline_protocol.publishing import Dropped, Rejected
from strapline_protocol.series import Series
from strapline_server.store import holdings
from strapline_server.store.accounts import Accounts, Kind
from strapline_server.store.commit import Work
from strapline_server.store.holdings import read_accounts, read_digests
from tests.unit.server.store_kit import HOUR, NOON, Bench, series_of, stream_named, zero_at

A = stream_named("A")


class Held(Bench):
    """A bench with one bridge and its stream, which began two hours ago."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.add_user()
        self.pi = self.grant("pi")
        self.declare(self.pi, A, zero_at(NOON - 2 * HOUR))

    def digests(self, *ranges: Range, sub: str = "pi", stream: str = A) -> list[Digest] | None:
        params = DigestsParams(stream=stream, ranges=list(ranges))
        found = read_digests(self.transaction, sub, params)
        return None if found is None else found.digests


def expected(series: Sequence[Series], span: Range) -> Digest:
    parts = [part for one in series if (part := one.within([span])) is not None]
    return Digest(count=sum(map(len, parts)), sha256=digest(parts))


def test_each_number_is_in_one_kind_or_in_none() -> None:
    bench = Held()
    bench.publish(bench.pi, A, series_of([60] * 10, [i * 1_000 for i in range(10)]))
    bench.commit(Work(bench.pi, Dropped(stream=A, ranges=[(20, 24)], reason="bound")))
    refusal = Rejected(stream=A, ranges=[(30, 30)], code="malformed", message="no")
    bench.commit(Work(bench.pi, refusal))
    found = read_accounts(bench.transaction, "pi", AccountsParams(stream=A))
    assert found is not None
    assert found.received == [(0, 9)]
    assert found.dropped == [(20, 24)]
    assert found.rejected == [(30, 30)]
    assert found.erased == []
    assert (found.readings, found.next) == (10, None)


def test_from_the_middle_of_a_range_on() -> None:
    bench = Held()
    bench.publish(bench.pi, A, series_of([60] * 10, [i * 1_000 for i in range(10)]))
    found = read_accounts(bench.transaction, "pi", AccountsParams(stream=A, first=4))
    assert found is not None
    assert found.received == [(4, 9)]
    assert found.readings == 10
    behind = read_accounts(bench.transaction, "pi", AccountsParams(stream=A, first=10))
    assert behind is not None
    assert behind.received == []


def test_another_bridges_stream_looks_like_one_that_is_not_there() -> None:
    bench = Held()
    bench.grant("other")
    for sub, stream in (("other", A), ("pi", stream_named("B"))):
        assert read_accounts(bench.transaction, sub, AccountsParams(stream=stream)) is None
        assert bench.digests((0, 5), sub=sub, stream=stream) is None


@given(
    kinds=st.lists(st.sampled_from([None, *Kind]), max_size=60),
    first=st.integers(0, 70),
    most=st.integers(1, 7),
)
def test_pages_put_together_are_all_of_it(kinds: list[Kind | None], first: int, most: int) -> None:
    bench = Held()
    stream_key = bench.rows("SELECT stream_key FROM streams")[0][0]
    accounts = Accounts(bench.transaction, stream_key)
    for number, kind in enumerate(kinds):
        if kind is not None:
            accounts._add(kind, number, number)
    found: dict[str, IntervalSet] = {kind.name.lower(): IntervalSet() for kind in Kind}
    at: int | None = first
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holdings, "MOST_RANGES", most)
        while at is not None:
            page = read_accounts(bench.transaction, "pi", AccountsParams(stream=A, first=at))
            assert page is not None
            told = {name: getattr(page, name) for name in found}
            assert sum(map(len, told.values())) <= most
            for name, ranges in told.items():
                found[name].update(ranges)
            assert page.next is None or page.next > at
            assert page.readings == kinds.count(Kind.RECEIVED)
            at = page.next
    for kind in Kind:
        numbers = [i for i, one in enumerate(kinds) if one is kind and i >= first]
        assert found[kind.name.lower()] == IntervalSet.of(numbers)


@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=12),
    spans=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20)), min_size=1, max_size=6),
    cools=st.booleans(),
)
def test_a_digest_is_the_same_however_it_is_laid_out(
    sizes: list[int], spans: list[tuple[int, int]], cools: bool
) -> None:
    bench = Held()
    sent: list[Series] = []
    number = 0
    for index, size in enumerate(sizes):
        metric = ("heart_rate", "cadence")[index % 2]
        times = [(number + i) * 900 for i in range(size)]
        sent.append(series_of([70 + i for i in range(size)], times, first=number, metric=metric))
        number += size
        bench.publish(bench.pi, A, sent[-1])
    if cools:
        bench.cool()
    ranges = [(first, first + more) for first, more in spans]
    assert bench.digests(*ranges) == [expected(sent, span) for span in ranges]


def test_a_number_that_is_stored_twice_counts_twice() -> None:
    bench = Held()
    series = series_of([60, 61, 62], [0, 1_000, 2_000])
    bench.publish(bench.pi, A, series)
    columns = ", ".join(
        row[1] for row in bench.rows("PRAGMA table_info(blocks)") if row[1] != "block_key"
    )
    bench.connection.execute(f"INSERT INTO blocks ({columns}) SELECT {columns} FROM blocks")  # noqa: S608  # names of its own columns
    (found,) = bench.digests((0, 2)) or []
    assert found == Digest(count=6, sha256=digest([series, series]))


def test_a_damaged_block_is_not_counted(caplog: pytest.LogCaptureFixture) -> None:
    bench = Held()
    bench.publish(bench.pi, A, series_of([60, 61], [0, 1_000]))
    bench.publish(bench.pi, A, series_of([62], [2_000], first=2))
    bench.connection.execute("UPDATE blocks SET data = x'00' WHERE first_seq = 0")
    (found,) = bench.digests((0, 2)) or []
    assert found.count == 1
    assert "damaged" in caplog.text


def test_one_answer_is_of_so_many_numbers() -> None:
    bench = Held()
    assert bench.digests((0, 9_999)) is not None
    with pytest.raises(ValueError, match="10001 numbers"):
        bench.digests((0, 5_000), (100, 5_099))
