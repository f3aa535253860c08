"""The inbox: order, bound, what goes when it is full, and that it is said."""

from __future__ import annotations

import asyncio
import logging

import pytest

from strapline_bridge.inbox import Inbox


async def test_gives_all_that_is_there_in_order() -> None:
    inbox: Inbox[int] = Inbox()
    for item in range(5):
        inbox.put(item)
    assert await inbox.take() == [0, 1, 2, 3, 4]
    assert len(inbox) == 0


async def test_waits_for_the_first() -> None:
    inbox: Inbox[int] = Inbox()
    taking = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    assert not taking.done()
    inbox.put(1)
    assert await taking == [1]


async def test_after_everything_was_taken_it_waits_again() -> None:
    inbox: Inbox[int] = Inbox()
    inbox.put(1)
    await inbox.take()
    taking = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    assert not taking.done()
    inbox.put(2)
    assert await taking == [2]


def test_the_rest_can_be_taken_without_waiting() -> None:
    inbox: Inbox[int] = Inbox()
    assert inbox.take_now() == []
    inbox.put(1)
    assert inbox.take_now() == [1]


def test_when_full_the_oldest_goes_and_is_counted() -> None:
    inbox: Inbox[int] = Inbox(bound=3)
    for item in range(5):
        inbox.put(item)
    assert inbox.take_now() == [2, 3, 4]
    assert (inbox.dropped, inbox.most) == (2, 3)


def test_what_may_not_be_dropped_stays() -> None:
    inbox: Inbox[str] = Inbox(bound=3, droppable=lambda item: item.startswith("reading"))
    for item in ["link 1", "reading 1", "link 2", "reading 2"]:
        inbox.put(item)
    assert inbox.take_now() == ["link 1", "link 2", "reading 2"]


def test_the_bound_holds_even_when_nothing_may_be_dropped() -> None:
    inbox: Inbox[int] = Inbox(bound=2, droppable=lambda _: False)
    for item in range(4):
        inbox.put(item)
    assert inbox.take_now() == [2, 3]
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
