"""Runs a command's coroutine until it is done or told to stop, and then for no longer than 5 s."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import logging
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from strapline_protocol.errors import StraplineError

_log = logging.getLogger(__name__)

T = TypeVar("T")

#: What is stored is safe at any moment; only goodbyes are lost by leaving in the middle of them.
_STOP_WITHIN_S: Final = 4.5
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def run_until_stopped(main: Coroutine[Any, Any, T], *, fast: bool = False) -> T | None:
    """The coroutine's result; None when SIGINT or SIGTERM stopped it.

    The first signal cancels it, so that everything is closed in order. A second one, or 4.5 s
    after the first, leaves at once with status 1.

    Args:
        main: what to run.
        fast: use uvloop where it is installed.
    """
    stopping = _Stopping()
    with asyncio.Runner(loop_factory=_fast_loop() if fast else None) as runner:
        loop = runner.get_loop()
        try:
            return runner.run(_with_signals(loop, main, stopping))
        except asyncio.CancelledError:
            if not stopping.asked:
                raise
            return None
        except BaseExceptionGroup as group:
            ours, others = group.split(StraplineError)
            if ours is None or others is not None:
                raise
            raise _first(ours) from group
        finally:
            # Closing the loop waits for executor threads, which the timer bounds as well.
            runner.close()
            stopping.done()


class _Stopping:
    """Whether a signal came, and the timer that runs since."""

    def __init__(self) -> None:
        self.asked = False
        self._timer: threading.Timer | None = None

    def ask(self, task: asyncio.Task[Any]) -> None:
        if self.asked:
            _leave("asked twice")
        self.asked = True
        # A thread, since a blocked event loop runs no timer of its own.
        self._timer = threading.Timer(_STOP_WITHIN_S, _leave, ["stopping took too long"])
        self._timer.daemon = True
        self._timer.start()
        task.cancel()

    def done(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


async def _with_signals(
    loop: asyncio.AbstractEventLoop, main: Coroutine[Any, Any, T], stopping: _Stopping
) -> T:
    task = asyncio.current_task()
    assert task is not None
    for number in _SIGNALS:
        loop.add_signal_handler(number, stopping.ask, task)
    try:
        return await main
    finally:
        for number in _SIGNALS:
            # While stopping, a second signal still means: at once.
            if not stopping.asked:
                loop.remove_signal_handler(number)


def _first(group: BaseExceptionGroup[StraplineError]) -> StraplineError:
    """The first error of a group: the others follow from it, or say the same."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, StraplineError)
    return error


def _leave(why: str) -> None:
    _log.error("%s: leaving without goodbye; what was stored is safe", why)
    logging.shutdown()
    os._exit(1)


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if importlib.util.find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop]
    factory = importlib.import_module("uvloop").new_event_loop
    return factory
