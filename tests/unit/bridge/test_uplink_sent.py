"""Only what was sent can have been received."""

from __future__ import annotations

from strapline_bridge.uplink.sent import Alone, Sent
from strapline_protocol.intervals import IntervalSet


def test_what_was_not_sent_is_counted_and_not_believed() -> None:
    sent = Sent()
    sent.add("a", [(0, 4)])
    sent.add("a", [(5, 9)])
    assert sent.known("a", [(3, 12)]).ranges() == [(3, 9)]
    assert sent.known("b", [(0, 1)]).ranges() == []
    assert sent.unsolicited == 5


def test_the_largest_reading_that_went_alone_and_was_not_accounted_for() -> None:
    sent = Sent()
    assert sent.largest_alone() is None
    sent.alone("a", 1, 3_000)
    sent.alone("a", 2, 5_000)
    sent.alone("a", 3, 9_000)
    sent.alone("a", 3, 9_000)
    sent.accounted("a", IntervalSet([(3, 3)]))
    sent.accounted("b", IntervalSet([(2, 2)]))
    assert sent.largest_alone() == Alone(5_000, "a", 2)
    assert sent.largest_alone() is None
