"""What must end ends, cancelled or not, and within its bound."""

from __future__ import annotations

import asyncio

import pytest

from strapline_bridge.radio.ending import to_the_end


async def test_waits_for_the_end() -> None:
    ended: list[int] = []

    async def end() -> None:
        await asyncio.sleep(0)
        ended.append(1)

    await to_the_end(end(), 10)
    assert ended == [1]


async def test_a_cancelled_caller_still_sees_it_ended() -> None:
    begun, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def end() -> None:
        begun.set()
        await go_on.wait()
        ended.set()

    task = asyncio.create_task(to_the_end(end(), 10))
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert ended.is_set()


async def test_a_failure_is_the_callers_and_lost_on_a_cancelled_one() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def end() -> None:
        begun.set()
        await go_on.wait()
        raise OSError

    task = asyncio.create_task(to_the_end(end(), 10))
    await begun.wait()
    task.cancel()
    go_on.set()
    await asyncio.wait([task])
    assert task.cancelled()
    with pytest.raises(OSError):  # noqa: PT011  # bare on purpose
        await to_the_end(end(), 10)


async def test_what_never_ends_is_given_up() -> None:
    async def end() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await to_the_end(end(), 0.001)
