"""Fails a test during which an event loop was blocked; its hook is loaded by conftest.py."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

# A callback that keeps the event loop from everything else for longer than this is a fault.
BLOCKED_S = 1.0
# How old the sum of waiting may be: reading it before every callback would be felt.
SUM_AGE_S = 0.1

Clock = Callable[[], float]


def waited_for_a_core_s() -> float:
    """For how long this thread has been ready to run without running; 0 where it is not known."""
    try:
        _, waited_ns, _ = Path("/proc/thread-self/schedstat").read_text().split()
    except (OSError, ValueError):
        return 0.0
    return int(waited_ns) / 1e9


class LoopGuard:
    """Times each callback of the asyncio loops in this process.

    Time in which the thread was ready to run and the machine had no core for it does not count, so
    that a busy machine fails nothing. Linux keeps the sum of it for each thread.
    """

    def __init__(
        self, clock_s: Clock = time.perf_counter, waited_s: Clock = waited_for_a_core_s
    ) -> None:
        self.blocked: list[str] = []
        self._clock_s = clock_s
        self._waited_s = waited_s
        self._sums = threading.local()

    def time(self, name: Callable[[], str], callback: Callable[[], None]) -> None:
        """Runs the callback; ``name`` is asked for only if it blocked."""
        began_s = self._clock_s()
        waited_before_s = self._recent_sum_s(began_s)
        callback()
        took_s = self._clock_s() - began_s
        if took_s >= BLOCKED_S:
            took_s -= self._waited_s() - waited_before_s
            if took_s >= BLOCKED_S:
                self.blocked.append(f"{name()} for {took_s:.1f} s")

    def _recent_sum_s(self, now_s: float) -> float:
        read_at_s, sum_s = getattr(self._sums, "last", (float("-inf"), 0.0))
        if now_s - read_at_s > SUM_AGE_S:
            sum_s = self._waited_s()
            self._sums.last = (now_s, sum_s)
        return float(sum_s)


def name_of(handle: asyncio.Handle) -> str:
    """The task whose step it is, or the callback, as asyncio's own debug mode names them."""
    callback = getattr(handle, "_callback", None)
    owner = getattr(callback, "__self__", None)
    return repr(owner if isinstance(owner, asyncio.Task) else handle)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Lets the test run under a guard, and fails it even if all its assertions held."""
    guard = LoopGuard()
    run_unguarded = asyncio.Handle._run

    def run(handle: asyncio.Handle) -> None:
        guard.time(lambda: name_of(handle), lambda: run_unguarded(handle))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.Handle, "_run", run)
        result = yield
    if guard.blocked:
        pytest.fail(f"{item.name}: event loop blocked by {'; '.join(guard.blocked)}", pytrace=False)
    return result
