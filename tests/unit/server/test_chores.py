"""Chores: a fault is logged and ends nothing."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from strapline_server.chores import Chores
from strapline_server.errors import StoreError


async def test_a_chore_that_raises_is_done_again_after_a_longer_pause(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = asyncio.Event()
    faults: list[Exception | None] = [
        ZeroDivisionError(),
        StoreError("no room"),
        ValueError(),
        ValueError(),
        None,
        KeyError(),
    ]
    pauses: list[float] = []
    real_sleep = asyncio.sleep

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await real_sleep(0)

    async def turn() -> None:
        if not faults:
            done.set()
            return
        if (fault := faults.pop(0)) is not None:
            raise fault

    monkeypatch.setattr("strapline_server.chores.asyncio.sleep", sleep)
    task = asyncio.create_task(Chores(lambda: 0).again_and_again("counting", 1.0, turn))
    await asyncio.wait_for(done.wait(), 10)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert pauses[:7] == [2, 4, 5, 5, 1, 2, 1]
    assert "ZeroDivisionError" in caplog.text
    assert "counting: no room" in caplog.text


async def test_one_that_keeps_failing_is_told_until_it_is_good_or_long_past(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chores = Chores(lambda: 0)
    told: list[list[str]] = []
    good = iter([False, False, False, False, True, False, False, False])
    real_sleep = asyncio.sleep

    async def sleep(_: float) -> None:
        told.append(chores.failing)
        await real_sleep(0)

    async def turn() -> None:
        if not next(good, True):
            raise ValueError

    monkeypatch.setattr("strapline_server.chores.asyncio.sleep", sleep)
    task = asyncio.create_task(chores.again_and_again("counting", 1.0, turn))
    while len(told) < 8:
        await real_sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert told[:8] == [[], [], ["counting"], ["counting"], [], [], [], ["counting"]]


async def test_a_fault_that_is_long_past_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now_ms = 0
    chores = Chores(lambda: now_ms)
    turns = 0
    working = asyncio.Event()

    async def sleep(_: float) -> None: ...

    async def turn() -> None:
        nonlocal turns
        turns += 1
        if turns <= 3:
            raise ValueError
        working.set()
        await asyncio.Event().wait()

    monkeypatch.setattr("strapline_server.chores.asyncio.sleep", sleep)
    task = asyncio.create_task(chores.again_and_again("storing", 1.0, turn))
    await asyncio.wait_for(working.wait(), 10)
    assert chores.failing == ["storing"]
    # As that which stores does, it goes on for as long as all is well.
    now_ms = 60_001
    assert chores.failing == []
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
