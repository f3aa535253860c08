"""The SQLite file: opened durable and private, brought to the newest schema."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import aiosqlite

from strapline_bridge.outbox.damage import damaged
from strapline_bridge.outbox.errors import OutboxTooNewError, OutboxUnreadableError
from strapline_bridge.outbox.queries import Migration, migrations

_log = logging.getLogger(__name__)

#: "Strp": tells an outbox from any other SQLite file (sqlite.org/fileformat2.html, 1.3.13).
APPLICATION_ID: Final = 0x53747270
_OWNER_ONLY: Final = 0o600
_FOLDER_OWNER_ONLY: Final = 0o700
#: The write-ahead log is cut back to this after a checkpoint.
_LOG_BYTES: Final = 4 * 2**20

#: How long a start may take for the look through it, and after how many of SQLite's steps that
#: is asked.
_CHECK_WITHIN_S: Final = 3.0
_CHECK_EVERY: Final = 10_000

_PRAGMAS: Final = (
    # Of a new file only. A commit writes each page that it touches, most of them for one row.
    "PRAGMA page_size = 1024",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 2000",
    f"PRAGMA journal_size_limit = {_LOG_BYTES}",
)
_RECORD = """CREATE TABLE IF NOT EXISTS migration (
  version INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT"""


async def open_database(
    path: Path, steps: Sequence[Migration] | None = None
) -> aiosqlite.Connection:
    """Open or create the file, readable by its owner alone, and migrate it.

    The connection is in autocommit mode: every transaction is begun and ended by name.

    Raises:
        OutboxTooNewError: a newer version has migrated it.
        OutboxUnreadableError: it is no outbox, is damaged, or may not be opened.
    """
    steps = migrations() if steps is None else steps
    try:
        await asyncio.to_thread(_make_private, path)
        connection = await aiosqlite.connect(path, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise OutboxUnreadableError.because(path, error) from error
    # SQLite's own complaint of text that is none would quote a reading, into a log at last.
    connection.text_factory = _text
    try:
        await _check_ours(connection, path)
        for pragma in _PRAGMAS:
            await connection.execute_fetchall(pragma)
        await _migrate(connection, path, steps)
    except sqlite3.Error as error:
        await connection.close()
        raise OutboxUnreadableError.because(path, error) from error
    except UnicodeDecodeError:
        await connection.close()
        spoilt = damaged("its schema is no text")
        raise OutboxUnreadableError.because(path, spoilt) from spoilt
    except BaseException:
        await connection.close()
        raise
    return connection


async def check(connection: aiosqlite.Connection) -> None:
    """Look through the file, for a few seconds at most: a large one is recorded into meanwhile.

    Raises:
        sqlite3.DatabaseError: it is damaged; its error code is SQLITE_CORRUPT.
    """
    ends_s = time.monotonic() + _CHECK_WITHIN_S
    await connection.set_progress_handler(lambda: time.monotonic() > ends_s, _CHECK_EVERY)
    try:
        (row,) = await connection.execute_fetchall("PRAGMA quick_check(1)")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        _log.info("the outbox is large: not all of it was looked through")
        return
    finally:
        await connection.set_progress_handler(lambda: 0, 0)  # 0 steps: never asked
    if row[0] != "ok":
        raise damaged(row[0])


def _make_private(path: Path) -> None:
    """SQLite gives its side files the mode of the database, so that one is made right first."""
    path.parent.mkdir(mode=_FOLDER_OWNER_ONLY, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY)
    try:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if mode != _OWNER_ONLY:
            os.fchmod(descriptor, _OWNER_ONLY)
            _log.warning("%s had mode %o: now only its owner may read it", path, mode)
    finally:
        os.close(descriptor)
    # The name of a new file must survive a power cut too.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


async def _number(connection: aiosqlite.Connection, query: str) -> int:
    (row,) = await connection.execute_fetchall(query)
    return int(row[0])


async def _check_ours(connection: aiosqlite.Connection, path: Path) -> None:
    tables = await _number(connection, "SELECT count(*) FROM sqlite_master")
    mark = await _number(connection, "PRAGMA application_id")
    ours = "SELECT count(*) FROM sqlite_master WHERE name IN ('series_row', 'dead_letter')"
    if mark != APPLICATION_ID and await _number(connection, ours) == 2:
        raise damaged("its mark is not what was written")
    if mark != APPLICATION_ID and tables:
        raise OutboxUnreadableError(path, "it is a database, but not an outbox of Strapline")


async def _migrate(
    connection: aiosqlite.Connection, path: Path, steps: Sequence[Migration]
) -> None:
    await connection.execute_fetchall(f"PRAGMA application_id = {APPLICATION_ID}")
    await connection.execute_fetchall(_RECORD)
    done = list(
        await connection.execute_fetchall("SELECT version, name FROM migration ORDER BY version")
    )
    last = done[-1][0] if done else 0
    if last > steps[-1].version:
        raise OutboxTooNewError(path, found=done[-1][1], known=steps[-1].name)
    for step in steps:
        if step.version > last:
            await _apply(connection, step)


async def _apply(connection: aiosqlite.Connection, step: Migration) -> None:
    record = f"INSERT INTO migration (version, name) VALUES ({step.version}, '{step.name}');"  # noqa: S608  # our own file's name
    try:
        await connection.executescript(f"BEGIN IMMEDIATE;\n{step.script}\n{record}\nCOMMIT;")
    except sqlite3.Error:
        if connection.in_transaction:
            await connection.rollback()
        raise
