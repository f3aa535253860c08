"""Bringing an operation to its end although the task that wanted it is cancelled.

A scan that is not stopped, or a link that is not let go, outlives this process: the wearable
then stays silent for whoever comes next.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from bleak import BleakScanner


async def to_the_end(operation: Coroutine[Any, Any, None], bound_s: float) -> None:
    """Wait for an operation that ends something, for at most ``bound_s``.

    Cancelling the caller waits for the operation's end, then cancels.

    Raises:
        TimeoutError: it took longer, and was given up.
        Exception: whatever the operation raises.
    """
    task = asyncio.create_task(_bounded(operation, bound_s))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()
        raise


async def _bounded(operation: Coroutine[Any, Any, None], bound_s: float) -> None:
    async with asyncio.timeout(bound_s):
        await operation


@asynccontextmanager
async def scanning(scanner: BleakScanner, bound_s: float) -> AsyncIterator[None]:
    """Scan inside this block; a scan that has begun is stopped, whatever happens.

    Raises:
        TimeoutError: starting or stopping took longer than ``bound_s``.
        Exception: whatever they raise.
    """
    try:
        await to_the_end(scanner.start(), bound_s)
    except asyncio.CancelledError:
        await to_the_end(scanner.stop(), bound_s)
        raise
    try:
        yield
    finally:
        await to_the_end(scanner.stop(), bound_s)
