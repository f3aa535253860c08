"""What a commit takes with it."""

from __future__ import annotations

from strapline_bridge.outbox.batch import Batch, Growth, Settlement
from strapline_protocol.intervals import IntervalSet


def test_settled_numbers_of_one_stream_and_store_are_joined() -> None:
    batch = Batch()
    told = IntervalSet([(0, 3)])
    batch.settle("a", told, "store-1")
    batch.settle("a", IntervalSet([(4, 9)]), "store-1")
    batch.settle("a", IntervalSet([(20, 21)]), "store-2")
    batch.settle("b", IntervalSet([(0, 0)]), "store-1")
    assert batch.settled == [
        Settlement("a", IntervalSet([(0, 9)]), "store-1"),
        Settlement("a", IntervalSet([(20, 21)]), "store-2"),
        Settlement("b", IntervalSet([(0, 0)]), "store-1"),
    ]
    assert batch.touched == {"a", "b"}
    assert told.ranges() == [(0, 3)], "the caller's set is its own"


def test_an_empty_batch_needs_no_commit() -> None:
    assert not Batch()
    assert Batch(touched={"a"})
    assert Batch(growth=Growth((), (), 3, 0, unstored=(0, 2)))
    assert Batch().rows == ()
