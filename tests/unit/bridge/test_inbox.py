"""The inbox: order, bound, what goes when it is full, and that it is said."""

from __future__ import annotations

import logging

import pytest

from strapline_bridge.inbox import Inbox


def test_gives_all_that_is_there_in_order_and_once() -> None:
    inbox: Inbox[int] = Inbox()
    assert inbox.take_now() == []
    for item in range(5):
        inbox.put(item)
    assert len(inbox) == 5
    assert inbox.take_now() == [0, 1, 2, 3, 4]
    assert inbox.take_now() == []
    assert inbox.dropped == 0


def test_when_full_the_oldest_goes_and_is_counted() -> None:
    inbox: Inbox[int] = Inbox(bound=3)
    for item in range(5):
        inbox.put(item)
    assert inbox.take_now() == [2, 3, 4]
    assert inbox.dropped == 2


def test_drops_are_said_ever_more_rarely(caplog: pytest.LogCaptureFixture) -> None:
    inbox: Inbox[int] = Inbox(bound=1)
    with caplog.at_level(logging.ERROR):
        for item in range(101):
            inbox.put(item)
    assert inbox.dropped == 100
    assert len(caplog.records) == 7
    assert "dropped" in caplog.text


def test_a_bound_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Inbox(bound=0)
