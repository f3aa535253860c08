"""The guest's programs: `strapline` as its owner would type it, and waiting for others."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from asyncio.subprocess import STDOUT, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

STRAPLINE: Final = "/opt/venv/bin/strapline"
#: An emulated machine is slow, and others may use the real one.
PATIENCE_S: Final = 60.0


@asynccontextmanager
async def running(log: Path, *arguments: str) -> AsyncIterator[Process]:
    """A program that runs until it is stopped, at the latest with the context."""
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(*arguments, stdout=file, stderr=STDOUT)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def stopped(process: Process) -> int:
    """Ask a program to stop; the status with which it did."""
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE_S):
        return await process.wait()


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait for what other programs bring about.

    Raises:
        AssertionError: it took too long.
    """
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await condition():  # noqa: ASYNC110  # nothing announces it
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {PATIENCE_S:.0f} s: {what}") from None
