"""Hears that the process is to end before the server that carries us closes the sockets.

An ASGI server tells its application of the end only after it has closed all sockets itself, and
then nobody can be told any more when to come back. So the signal is heard here first: the
goodbyes go out, and then what was there before gets the signal.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_LOG = logging.getLogger(__name__)
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_Handler = Callable[[int, FrameType | None], object]


@contextmanager
def farewell(say: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """Within it the first signal to end waits for ``say``, which is to be quick; a second does not.

    Nothing is done outside of the main thread, where signals cannot be heard, nor where nobody
    heard them before, as then the process ends at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def hear(number: int, frame: FrameType | None) -> None:
        before = found[signal.Signals(number)]
        if tasks or loop.is_closed():
            before(number, frame)
        else:
            loop.call_soon_threadsafe(begin, before, number)

    def begin(before: _Handler, number: int) -> None:
        task = loop.create_task(_say_and_pass_on(say, before, number))
        tasks.add(task)

    found: dict[signal.Signals, _Handler] = {}
    for one in _SIGNALS:
        before = signal.getsignal(one)
        if callable(before):
            found[one] = before
            signal.signal(one, hear)
    try:
        yield
    finally:
        for one, handler in found.items():
            # Whoever took it over meanwhile keeps it.
            if signal.getsignal(one) is hear:
                signal.signal(one, handler)


async def _say_and_pass_on(
    say: Callable[[], Awaitable[None]], before: _Handler, number: int
) -> None:
    try:
        await say()
    except Exception:  # noqa: BLE001  # logged; the end comes all the same
        _LOG.exception("not all were told that the server goes")
    finally:
        before(number, None)
