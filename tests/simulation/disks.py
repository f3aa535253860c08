"""SQLite files in memory's folder: used without threads, copied as a dead process leaves them."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Final

import aiosqlite

from tests.simulation.virtual import Process

#: What a process leaves behind; the shared-memory file is made anew (sqlite.org/walformat.html).
_SIDES: Final = ("", "-wal")
#: Of so many of the outbox's statements one lets others run meanwhile.
_PAUSES: Final = 0.12


def copy(source: Path, target: Path) -> None:
    """The file as it is at this moment, with what its log holds."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for side in _SIDES:
        here = source.with_name(source.name + side)
        if here.exists():
            shutil.copyfile(here, target.with_name(target.name + side))


class Inline:
    """Instead of aiosqlite's thread: each statement within one step, some after a pause."""

    def __await__(self: Any) -> Generator[Any, None, Any]:
        opening: Generator[Any, None, Any] = self._connect().__await__()
        return opening

    async def connect(self: Any) -> Any:
        """Open the file."""
        process = Process.current()
        self._connection = self._connector()
        process.connections.append(self._connection)
        process.wrappers.append(self)
        return self

    async def execute(self: Any, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Carry out one statement."""
        process = Process.current()
        statement = args[0] if args else ""
        if process.random.random() < _PAUSES:
            await asyncio.sleep(process.random.random() * 0.02)
        if not process.alive:
            raise asyncio.CancelledError
        if statement == "BEGIN IMMEDIATE" and process.disk_full:
            raise _full()
        result = fn(*args, **kwargs)
        if statement == "COMMIT":
            process.committed(process.note)
            if process.random.random() < _PAUSES:
                # It is on the disk, and nobody knows yet.
                await asyncio.sleep(process.random.random() * 0.05)
        return result

    def stop(self: Any) -> None:
        """There is no thread."""
        self._running = False


def _full() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    error.sqlite_errorname = "SQLITE_FULL"
    return error


#: What of aiosqlite's connection is replaced by what.
INLINE: Final = {
    "__await__": Inline.__await__,
    "_connect": Inline.connect,
    "_execute": Inline.execute,
    "stop": Inline.stop,
}
CONNECTION: Final = aiosqlite.Connection
