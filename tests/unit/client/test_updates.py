"""The bounded queue of a reader."""

import asyncio

import pytest

from strapline_client.errors import StoppedError
from strapline_client.events import (
    ConnectionChanged,
    ConnectionStatus,
    Lagged,
    Update,
    WebSocketEventType,
)
from strapline_client.updates import Updates


def numbered(number: int) -> Update:
    told = ConnectionChanged(ConnectionStatus.CONNECTING, str(number))
    return Update(WebSocketEventType.CONNECTION_STATUS, told)


async def test_updates_come_in_order_and_end() -> None:
    updates = Updates()
    for number in range(3):
        updates.put(numbered(number))
    updates.end()
    assert [update async for update in updates] == [numbered(n) for n in range(3)]


async def test_a_slow_reader_is_told_how_much_was_left_out() -> None:
    updates = Updates(bound=2)
    for number in range(5):
        updates.put(numbered(number))
    updates.end()
    assert [update.message async for update in updates] == [
        Lagged(3),
        numbered(3).message,
        numbered(4).message,
    ]
    assert updates.left_out == 3


async def test_a_reader_waits_for_the_next() -> None:
    updates = Updates()
    waiting = asyncio.create_task(anext(updates))
    await asyncio.sleep(0)
    assert not waiting.done()
    updates.put(numbered(1))
    assert await waiting == numbered(1)


async def test_what_waits_is_handed_out_before_the_error() -> None:
    updates = Updates()
    updates.put(numbered(1))
    updates.end(StoppedError(4403, "revoked"))
    assert await anext(updates) == numbered(1)
    with pytest.raises(StoppedError, match=r"4403.*revoked"):
        await anext(updates)


def test_a_queue_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Updates(bound=0)
