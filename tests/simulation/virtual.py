"""An event loop on a virtual clock, and processes in it that can be killed at any step.

Nothing runs beside the loop: what a thread would do is done within a step, after a delay by the
seed, in order of each executor. So a seed decides all that happens.
"""

from __future__ import annotations

import asyncio
import selectors
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from functools import partial
from random import Random
from typing import Any, Final, TypeVar

from strapline_server.errors import StoreError

T = TypeVar("T")

_CURRENT: ContextVar[Process | None] = ContextVar("process", default=None)
#: When the virtual clock begins: no timer is due at a time before 0.
_BEGIN_S: Final = 1_000.0
#: Longer than any simulation.
_END_S: Final = 3_000.0


class EndlessError(AssertionError):
    """Something is waited for that does not come."""


class _Still(selectors.DefaultSelector):
    """Sees no sockets; where the loop would wait, the clock moves."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = _BEGIN_S

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise EndlessError("everything waits for something that does not come")
        if self.now_s > _END_S:
            raise EndlessError("it does not come to an end")
        self.now_s += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time passes only where nothing else is to be done."""

    def __init__(self) -> None:
        self._still = _Still()
        super().__init__(self._still)
        self.outside = Context()
        #: What ended a task of a living process, or was raised in a callback.
        self.faults: list[str] = []
        self.set_task_factory(_make_task)
        self.set_exception_handler(self._note)

    def time(self) -> float:
        """Virtual seconds."""
        return self._still.now_s

    @property
    def now_ms(self) -> int:
        """Virtual ms since the beginning."""
        return int((self._still.now_s - _BEGIN_S) * 1_000)

    def call_at(  # type: ignore[override]  # its arguments are of any kind, as asyncio's
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As asyncio does it, unless the process that asked for it is dead by then."""
        # An empty context is false.
        process = (copy_context() if context is None else context).get(_CURRENT)
        if process is not None:
            callback, args = partial(process.if_alive, callback, *args), ()
        return super().call_at(when, callback, *args, context=context)

    def from_outside(self, delay_s: float, callback: Callable[[], None]) -> None:
        """Let something happen that no process does."""
        self.call_at(self.time() + delay_s, callback, context=self.outside)

    def run_in_executor(  # type: ignore[override]  # as above
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """What a thread would do, within one step of the loop."""
        process = _CURRENT.get()
        future: asyncio.Future[T] = self.create_future()
        work = partial(_carry_out, func, args, future)
        if process is None:
            work(None)
        elif not process.alive:
            future.cancel()
        else:
            if executor is not None and executor._shutdown:
                raise RuntimeError("cannot schedule new futures after shutdown")
            before_s, after_s = process.delays_s()
            begin_s = max(self.time() + before_s, process.busy_until_s.get(executor, 0.0))
            # The end of an executor waits for what it has taken.
            begin_s = max(begin_s, process.busy_until_s.get(_owner(func), 0.0))
            if executor is not None:
                process.busy_until_s[executor] = begin_s
            self.call_at(begin_s, work, partial(self.call_later, after_s))
        return future

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        # Who asked for a transaction may have gone, when a full disk refuses it.
        if not isinstance(error, StoreError):
            self.faults.append(f"{context.get('message')}: {error!r}")


def _owner(func: Callable[..., Any]) -> object:
    """Whose method ``asyncio.to_thread`` calls."""
    inner = func.args[0] if isinstance(func, partial) and func.args else func
    return getattr(inner, "__self__", None)


def _carry_out(
    func: Callable[..., T],
    args: tuple[Any, ...],
    future: asyncio.Future[T],
    later: Callable[..., object] | None,
) -> None:
    try:
        tell: Callable[[], None] = partial(_settle, future, func(*args))
    except StopIteration:
        raise
    except BaseException as error:  # noqa: BLE001  # handed to whoever awaits it
        tell = partial(_fail, future, error)
    if later is None:
        tell()
    else:
        later(tell)


def _settle(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def _make_task(
    loop: asyncio.AbstractEventLoop, coro: Any, context: Context | None = None
) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, context=context)
    process = _CURRENT.get()
    if process is not None:
        process.adopt(task)
    return task


class Process:
    """What has a memory of its own, which ends at once.

    Attributes:
        connections: SQLite's, which are closed when it dies.
        wrappers: aiosqlite's around them.
        disk_full: no transaction can begin.
        note: what the transaction that runs now is of.
    """

    def __init__(self, name: str, random: Random) -> None:
        self.name = name
        self.alive = True
        self.random = random
        self.connections: list[sqlite3.Connection] = []
        self.wrappers: list[Any] = []
        self.busy_until_s: dict[Any, float] = {}
        self.disk_full = False
        self.note: Any = None
        self.committed: Callable[[Any], None] = lambda note: None
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._context = Context()
        self._context.run(_CURRENT.set, self)

    @staticmethod
    def current() -> Process:
        """The one whose code runs now."""
        process = _CURRENT.get()
        assert process is not None, "code of no process"
        return process

    def run(self, func: Callable[..., T], *args: Any) -> T:
        """Call within this process."""
        return self._context.copy().run(func, *args)

    def spawn(self, coro: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin a task of this process."""
        return self.run(asyncio.get_running_loop().create_task, coro)

    def if_alive(self, callback: Callable[..., Any], *args: Any) -> None:
        """A dead one's timers do nothing."""
        if self.alive:
            callback(*args)

    def delays_s(self) -> tuple[float, float]:
        """How long a thread takes before and after what it does."""
        draw = self.random.random()
        if draw < 0.7:
            return 0.0, 0.0
        return draw * 0.01, self.random.random() * (0.2 if draw > 0.97 else 0.02)

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """A task that dies with this process."""
        self._tasks[task] = None
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        if not self.alive and not task.cancelled():
            task.exception()  # nobody is left to ask for it

    def die(self) -> None:
        """The memory is gone: nothing more is done, not even tidying up."""
        self.alive = False
        for connection in self.connections:
            with suppress(sqlite3.Error):
                connection.close()
        for wrapper in self.wrappers:
            wrapper._connection = None
        for task in list(self._tasks):
            task.cancel()
