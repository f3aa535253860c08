"""Chores: a fault is logged and ends nothing."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from strapline_server.chores import again_and_again
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
    task = asyncio.create_task(again_and_again("counting", 1.0, turn))
    await asyncio.wait_for(done.wait(), 10)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert pauses[:7] == [2, 4, 5, 5, 1, 2, 1]
    assert "ZeroDivisionError" in caplog.text
    assert "counting: no room" in caplog.text
