"""Each number of a stream is accounted for once, and the better account wins."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from strapline_protocol.intervals import IntervalSet, Range
from strapline_server.store.accounts import Accounts, Kind
from tests.unit.server.store_kit import NOON, Bench, stream_named, zero_at

#: No reason is kept of these.
_WITHOUT = {"receive", "erase"}


def accounts() -> Accounts:
    bench = Bench()
    bench.add_user()
    bench.declare(bench.grant(), stream_named("A"), zero_at(NOON))
    return Accounts(bench.transaction, 1)


def numbers(ranges: Iterable[Range]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


def spans() -> st.SearchStrategy[list[Range]]:
    span = st.tuples(st.integers(0, 40), st.integers(0, 6)).map(lambda at: (at[0], at[0] + at[1]))
    return st.lists(span, min_size=1, max_size=3)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["receive", "reject", "drop", "erase"]), spans(), st.sampled_from("ab")
        ),
        max_size=12,
    )
)
def test_whatever_comes_in_whatever_order(steps: list[tuple[str, list[Range], str]]) -> None:
    found = accounts()
    model: dict[int, str] = {}
    reasons: dict[int, str] = {}
    for what, ranges, reason in steps:
        asked = numbers(ranges)
        if what == "receive":
            new = found.receive(ranges)
            known = {one for one in asked if model.get(one) in {"receive", "erase"}}
            assert numbers(new) == asked - known
            model |= dict.fromkeys(asked - known, "receive")
        elif what == "erase":
            found.erase(ranges)
            model |= dict.fromkeys(asked, "erase")
        else:
            new = (found.reject if what == "reject" else found.drop)(ranges, reason)
            assert numbers(new) == asked - model.keys()
            model |= dict.fromkeys(numbers(new), what)
            reasons |= dict.fromkeys(numbers(new), reason)
    for kind, name in (
        (Kind.RECEIVED, "receive"),
        (Kind.REJECTED, "reject"),
        (Kind.DROPPED, "drop"),
        (Kind.ERASED, "erase"),
    ):
        # Ranges of one reason neither overlap nor touch: as few rows as can be.
        expected = sorted(
            span
            for reason in ("a", "b", "")
            for span in IntervalSet.of(
                one
                for one, what in model.items()
                if what == name and (what in _WITHOUT or reasons[one] == reason)
            )
            if name not in _WITHOUT or not reason
        )
        assert found.of(kind) == expected
    assert found.held(9) == found.of(Kind.RECEIVED)[-9:]


def test_only_the_new_part_of_a_partial_repeat_is_new() -> None:
    found = accounts()
    assert found.receive([(0, 9)]) == [(0, 9)]
    assert found.receive([(5, 14), (20, 21)]) == [(10, 14), (20, 21)]
    assert found.receive([(0, 21)]) == [(15, 19)]
    assert found.of(Kind.RECEIVED) == [(0, 21)]


def test_received_overrides_rejected_and_dropped_and_is_never_taken_back() -> None:
    found = accounts()
    found.reject([(0, 5)], "denied")
    found.drop([(4, 9)], "full")
    assert (found.of(Kind.REJECTED), found.of(Kind.DROPPED)) == ([(0, 5)], [(6, 9)])
    assert found.receive([(2, 7)]) == [(2, 7)]
    assert (found.of(Kind.REJECTED), found.of(Kind.DROPPED)) == ([(0, 1)], [(8, 9)])
    found.drop([(0, 9)], "full")
    found.reject([(0, 9)], "denied")
    assert found.of(Kind.RECEIVED) == [(2, 7)]


def test_the_reason_stays_with_what_is_left() -> None:
    bench = Bench()
    bench.declare(bench.grant(), stream_named("A"), zero_at(NOON))
    found = Accounts(bench.transaction, 1)
    assert found.drop([(0, 9)], "full") == [(0, 9)]
    assert found.drop([(8, 12), (20, 20)], "byHand") == [(10, 12), (20, 20)]
    assert found.reject([(9, 13)], "denied") == [(13, 13)]
    found.receive([(4, 5)])
    assert bench.rows("SELECT kind, first, last, reason FROM accounts ORDER BY kind, first") == [
        (1, 4, 5, ""),
        (2, 13, 13, "denied"),
        (3, 0, 3, "full"),
        (3, 6, 9, "full"),
        (3, 10, 12, "byHand"),
        (3, 20, 20, "byHand"),
    ]


def test_what_is_erased_stays_erased() -> None:
    found = accounts()
    found.erase([(3, 5)])
    assert found.receive([(0, 9)]) == [(0, 2), (6, 9)]
    assert found.within(Kind.ERASED, [(4, 12)]) == [(4, 5)]
    found.drop([(0, 9)], "full")
    assert found.of(Kind.ERASED) == [(3, 5)]
    assert found.of(Kind.DROPPED) == []


def test_huge_ranges_cost_nothing() -> None:
    found = accounts()
    found.drop([(0, 2**53 - 1)], "full")
    assert found.receive([(10, 10)]) == [(10, 10)]
    assert found.of(Kind.DROPPED) == [(0, 9), (11, 2**53 - 1)]


def test_a_stream_with_many_holes() -> None:
    found = accounts()
    for number in range(0, 2_000, 2):
        found.receive([(number, number)])
    assert len(found.held(2_000)) == 1_000
    assert found.receive([(0, 1_999)]) == [(number, number) for number in range(1, 2_000, 2)]
    assert found.held(2_000) == [(0, 1_999)]
    found.receive([(number, number) for number in range(3_000, 3_010, 2)])
    assert found.held(2) == [(3_006, 3_006), (3_008, 3_008)]
