"""Interval sets against Python's own sets."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from strapline_protocol.intervals import IntervalSet, Range

NUMBERS = st.integers(0, 40)
RANGES = st.tuples(NUMBERS, st.integers(0, 12)).map(lambda pair: (pair[0], sum(pair)))
SETS = st.lists(RANGES, max_size=8)


def numbers_of(ranges: list[Range]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


class AgainstASet(RuleBasedStateMachine):
    """Puts in and takes out, and compares after each step."""

    @initialize()
    def begin(self) -> None:
        self.intervals = IntervalSet()
        self.model: set[int] = set()

    @rule(span=RANGES)
    def add(self, span: Range) -> None:
        self.intervals.add(*span)
        self.model |= numbers_of([span])

    @rule(span=RANGES)
    def remove(self, span: Range) -> None:
        self.intervals.remove(*span)
        self.model -= numbers_of([span])

    @rule(spans=SETS)
    def update(self, spans: list[Range]) -> None:
        self.intervals.update(spans)
        self.model |= numbers_of(spans)

    @rule(span=RANGES)
    def missing(self, span: Range) -> None:
        missing = self.intervals.missing(*span)
        assert numbers_of(missing) == numbers_of([span]) - self.model
        assert apart(missing)

    @rule(span=RANGES)
    def a_copy_is_independent(self, span: Range) -> None:
        twin = self.intervals.copy()
        assert twin == self.intervals
        twin.add(*span)
        twin.remove(0, 20)
        assert numbers_of(self.intervals.ranges()) == self.model

    @invariant()
    def the_same_numbers(self) -> None:
        if not hasattr(self, "model"):
            return
        ranges = self.intervals.ranges()
        assert apart(ranges)
        assert numbers_of(ranges) == self.model
        assert len(self.intervals) == len(self.model)
        assert bool(self.intervals) is bool(self.model)
        assert {number for number in range(60) if number in self.intervals} == self.model
        assert self.intervals == IntervalSet.of(self.model)
        if self.model:
            assert self.intervals.span() == (min(self.model), max(self.model))


def apart(ranges: list[Range]) -> bool:
    """Whether ranges are in order, whole, and neither overlap nor touch."""
    return all(first <= last for first, last in ranges) and all(
        one[1] + 1 < other[0] for one, other in pairwise(ranges)
    )


TestAgainstASet = AgainstASet.TestCase
TestAgainstASet.settings = settings(stateful_step_count=20)


@given(SETS, SETS)
def test_minus_is_the_difference(some: list[Range], others: list[Range]) -> None:
    left = IntervalSet(some).minus(IntervalSet(others))
    assert numbers_of(left.ranges()) == numbers_of(some) - numbers_of(others)
    assert apart(left.ranges())


@given(SETS)
def test_order_does_not_matter(ranges: list[Range]) -> None:
    assert IntervalSet(ranges) == IntervalSet(reversed(ranges))


def test_neighbours_become_one() -> None:
    intervals = IntervalSet([(0, 1), (4, 5)])
    intervals.add(2, 3)
    assert intervals.ranges() == [(0, 5)]
    intervals.remove(2, 2)
    assert intervals.ranges() == [(0, 1), (3, 5)]


@pytest.mark.parametrize("change", ["add", "remove"])
def test_a_range_that_ends_before_it_begins_is_refused(change: str) -> None:
    with pytest.raises(ValueError, match=r"\[3, 2\]"):
        getattr(IntervalSet(), change)(3, 2)


def test_an_empty_question_has_no_answer() -> None:
    assert IntervalSet().missing(3, 2) == []
    with pytest.raises(IndexError):
        IntervalSet().span()


def test_it_is_no_key_and_equals_nothing_else() -> None:
    assert IntervalSet() != []
    with pytest.raises(TypeError, match="unhashable"):
        hash(IntervalSet())
    assert repr(IntervalSet([(1, 2)])) == "IntervalSet([(1, 2)])"
