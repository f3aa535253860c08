"""What is known of each stream: every number is settled, dead, in a hole, or pending."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.outbox.ledger import (
    Ledger,
    StreamRecord,
    existing,
    ranges_from_json,
    ranges_to_json,
)
from strapline_bridge.outbox.zero import first_zero
from strapline_protocol.intervals import IntervalSet, Range
from strapline_protocol.publishing import Ended
from tests.integration.bridge_kit import a_moment

_ranges = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 9)).map(lambda pair: (pair[0], sum(pair))),
    max_size=5,
)


def a_record(next_seq: int = 20, key: int = 1) -> StreamRecord:
    return StreamRecord(
        key=key,
        id=str(key) * 22,
        boot_id="boot",
        zero_ns=0,
        zero=first_zero(a_moment(), 0),
        next_seq=next_seq,
    )


@given(_ranges, _ranges, _ranges)
def test_each_number_is_in_one_state(
    settled: list[Range], dead: list[Range], hole: list[Range]
) -> None:
    record = a_record()
    record.settle(settled)
    record.dead.update(existing(dead, 20))
    record.holes["sizeBound"] = existing(hole, 20)
    accounted = record.accounted()
    pending = IntervalSet(record.pending())
    assert not [number for number in range(20) if (number in accounted) == (number in pending)]
    assert not accounted.minus(IntervalSet([(0, 19)]))


def test_numbers_that_were_never_given_are_not_believed() -> None:
    record = a_record(next_seq=5)
    assert record.settle([(3, 2**53 - 1), (9, 12)]).ranges() == [(3, 4)]
    record.next_seq = 8
    assert record.pending() == [(0, 2), (5, 7)]


def test_settling_tells_what_is_new_and_empties_holes() -> None:
    record = a_record()
    record.holes["sizeBound"] = IntervalSet([(0, 4)])
    assert record.settle([(2, 6)]).ranges() == [(2, 6)]
    assert record.settle([(5, 8)]).ranges() == [(7, 8)]
    assert record.holes["sizeBound"].ranges() == [(0, 1)]


def test_a_record_survives_its_row() -> None:
    record = a_record()
    record.settle([(1, 3)])
    record.dead.add(5, 5)
    record.ended = Ended(elapsed_ms=9, clean=True)
    row = list(record.to_row().values())
    assert StreamRecord.from_row(row) == record
    message = record.message()
    assert (message.next_seq, message.ended) == (20, record.ended)


@given(_ranges)
def test_ranges_survive_json(ranges: list[Range]) -> None:
    numbers = IntervalSet(ranges)
    assert ranges_from_json(ranges_to_json(numbers)) == numbers


def test_a_ledger_keeps_streams_in_the_order_of_runs() -> None:
    ledger = Ledger([a_record(3, key=1)])
    ledger.add(a_record(4, key=ledger.next_key()))
    assert [record.key for record in ledger] == [1, 2]
    assert ledger.pending() == 7
    assert ledger.by_key()[2] is ledger["2" * 22]
    ledger.forget("1" * 22)
    assert ledger.get("1" * 22) is None
    assert ledger.next_key() == 3
    assert Ledger().next_key() == 1
    assert a_record(0).pending() == []
