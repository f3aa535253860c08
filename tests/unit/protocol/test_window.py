"""How much a bridge has under way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from strapline_protocol.errors import LocalProtocolError
from strapline_protocol.intervals import IntervalSet, Range
from strapline_protocol.publishing import Lane
from strapline_protocol.window import TARGET_MS, Window

LANES = st.sampled_from(Lane)
STREAMS = st.sampled_from(["a", "b"])


class AgainstAModel(RuleBasedStateMachine):
    """Sends whatever there is room for, and hears of any numbers at all."""

    @initialize(capacity=st.integers(1, 2_000))
    def begin(self, capacity: int) -> None:
        self.capacity = capacity
        self.window = Window(capacity)
        self.now_ms = 0
        #: One entry for each reading under way: a repeat is under way twice.
        self.sent: list[tuple[str, Lane, int]] = []

    @rule(stream=STREAMS, lane=LANES, first=st.integers(0, 60), share=st.floats(0, 1))
    def send(self, stream: str, lane: Lane, first: int, share: float) -> None:
        count = int(self.window.room(lane) * share)
        if count:
            self.window.sent(stream, lane, [(first, first + count - 1)], self.now_ms)
            self.sent += [(stream, lane, first + i) for i in range(count)]

    @rule(stream=STREAMS, lane=LANES)
    def send_too_many(self, stream: str, lane: Lane) -> None:
        room = self.window.room(lane)
        with pytest.raises(LocalProtocolError, match=f"{room + 1} readings where {room}"):
            self.window.sent(stream, lane, [(5, 5 + room)], self.now_ms)

    @rule(
        stream=STREAMS,
        ranges=st.lists(st.tuples(st.integers(0, 90), st.integers(0, 900)), max_size=3),
        later_ms=st.integers(0, 1_500),
    )
    def hear(self, stream: str, ranges: list[Range], later_ms: int) -> None:
        self.now_ms += later_ms
        spans = [(first, first + more) for first, more in ranges]
        self.window.accounted(stream, spans, self.now_ms)
        gone = IntervalSet(spans)
        self.sent = [one for one in self.sent if one[0] != stream or one[2] not in gone]

    @invariant()
    def exact_and_bounded(self) -> None:
        if not hasattr(self, "window"):
            return
        assert self.window.in_flight == len(self.sent)
        assert len(self.sent) <= self.capacity
        backlog = sum(lane is Lane.BACKLOG for _, lane, _ in self.sent)
        assert backlog <= max(1, self.capacity * 3 // 4)
        assert self.window.room(Lane.LIVE) == self.capacity - len(self.sent)
        assert 0 <= self.window.room(Lane.BACKLOG) <= self.window.room(Lane.LIVE)
        for stream in ("a", "b"):
            numbers = {number for one, _, number in self.sent if one == stream}
            assert self.window.holds(stream) == IntervalSet.of(numbers)


TestAgainstAModel = AgainstAModel.TestCase
TestAgainstAModel.settings = settings(stateful_step_count=20)


@given(st.integers(4, 100_000))
def test_a_quarter_is_kept_for_the_present(capacity: int) -> None:
    window = Window(capacity)
    number = 0
    for _ in range(40):  # the past takes all that it is ever given
        if room := window.room(Lane.BACKLOG):
            window.sent("old", Lane.BACKLOG, [(number, number + room - 1)], 0)
            number += room
        allowed = window.in_flight
        window.accounted("old", [(0, number)], 1)
        if allowed == capacity * 3 // 4:
            break
    else:
        pytest.fail("the past never got its three quarters")
    window.sent("old", Lane.BACKLOG, [(number, number + window.room(Lane.BACKLOG) - 1)], 2)
    assert window.room(Lane.BACKLOG) == 0
    assert window.room(Lane.LIVE) == capacity - capacity * 3 // 4 >= capacity / 4


def allowance(window: Window) -> int:
    return window.room(Lane.BACKLOG)


def round_trip(window: Window, readings: int, took_ms: int, lane: Lane = Lane.BACKLOG) -> None:
    window.sent("s", lane, [(0, readings - 1)], 0)
    window.accounted("s", [(0, readings - 1)], took_ms)


def test_the_allowance_doubles_while_answers_are_quick() -> None:
    window = Window(8_000)
    found = []
    for _ in range(7):
        found.append(allowance(window))
        round_trip(window, allowance(window), TARGET_MS // 2 - 1)
    assert found == [256, 512, 1_024, 2_048, 4_096, 6_000, 6_000]


def test_the_allowance_halves_while_answers_are_slow_but_never_to_nothing() -> None:
    window = Window(8_000)
    found = []
    for _ in range(6):
        found.append(allowance(window))
        round_trip(window, allowance(window), TARGET_MS + 1)
    assert found == [256, 128, 64, 32, 16, 16]


def test_the_allowance_stays_between() -> None:
    window = Window(8_000)
    for took_ms in (TARGET_MS // 2, TARGET_MS):
        round_trip(window, 256, took_ms)
        assert allowance(window) == 256


def test_a_small_batch_says_nothing_about_a_large_one() -> None:
    window = Window(8_000)
    for _ in range(10):
        round_trip(window, 127, 1)
    assert allowance(window) == 256
    round_trip(window, 128, 1)
    assert allowance(window) == 512


def test_the_present_says_nothing_about_the_past() -> None:
    window = Window(8_000)
    round_trip(window, 256, TARGET_MS + 1, Lane.LIVE)
    round_trip(window, 256, 1, Lane.LIVE)
    assert allowance(window) == 256


def test_a_batch_is_timed_by_its_last_reading() -> None:
    window = Window(8_000)
    window.sent("s", Lane.BACKLOG, [(0, 255)], 0)
    window.accounted("s", [(0, 200)], 1)
    assert allowance(window) == 201
    window.accounted("s", [(201, 255)], TARGET_MS + 1)
    assert allowance(window) == 128


@pytest.mark.parametrize("capacity", [1, 2, 3, 20])
def test_a_tiny_window_moves_both_lanes(capacity: int) -> None:
    window = Window(capacity)
    assert window.room(Lane.BACKLOG) == max(1, capacity * 3 // 4)
    round_trip(window, window.room(Lane.BACKLOG), TARGET_MS + 1)
    assert window.room(Lane.BACKLOG) >= 1
    round_trip(window, capacity, 1, Lane.LIVE)


def test_nothing_is_no_batch() -> None:
    with pytest.raises(LocalProtocolError, match="without readings"):
        Window(8).sent("s", Lane.LIVE, [], 0)


def test_an_answer_to_what_was_not_asked_changes_nothing() -> None:
    window = Window(8)
    window.sent("s", Lane.LIVE, [(0, 1)], 0)
    window.accounted("s", [], 1)
    window.accounted("s", [(2, 90)], 1)
    window.accounted("t", [(0, 1)], 1)
    assert window.in_flight == 2
