"""The SQLite file: one writer, a few readers that it does not block, each on a thread of its own.

Whoever reads years of history keeps nobody outside: rights have a reader of their own.

WAL with ``synchronous=FULL``: a transaction that has returned is on the disk. A second process
(the command line's) may write too; SQLite's own lock keeps the two apart.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import Enum
from pathlib import Path
from queue import SimpleQueue
from typing import Final, TypeVar

from strapline_server.errors import StoreError
from strapline_server.store.queries import load_migrations, load_queries

T = TypeVar("T")
#: A value that SQLite stores.
Value = str | int | float | bytes | None

FILE_NAME: Final = "server.db"
#: What a disk, another process or the shape of the database does, not the work
#: (sqlite.org/rescode.html, primary codes). Statements are fixed: one that fails lacks a table.
_PASSING: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
_BUSY_S: Final = 5.0
#: Each waits for readers as long as that.
_CHECKPOINTS: Final = 4


def _passes(error: sqlite3.Error) -> bool:
    """Whether the same can succeed at another time. Errors of the module itself have no code."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _PASSING


class Transaction:
    """Named queries within one transaction of one connection.

    Attributes:
        now_ms: the wall time that everything in it is dated by.
    """

    __slots__ = ("_connection", "_queries", "now_ms")

    def __init__(
        self, connection: sqlite3.Connection, queries: Mapping[str, str], now_ms: int
    ) -> None:
        self._connection = connection
        self._queries = queries
        self.now_ms = now_ms

    def run(self, query: str, **values: Value) -> int:
        """Carry out a change; how many rows it touched."""
        return self._connection.execute(self._queries[query], values).rowcount

    def one(self, query: str, **values: Value) -> sqlite3.Row | None:
        """The first row, or None."""
        row: sqlite3.Row | None = self._connection.execute(self._queries[query], values).fetchone()
        return row

    def all(self, query: str, **values: Value) -> list[sqlite3.Row]:
        """All rows."""
        return self._connection.execute(self._queries[query], values).fetchall()

    def each(self, query: str, **values: Value) -> sqlite3.Cursor:
        """Rows one after another, for a caller that stops early."""
        return self._connection.execute(self._queries[query], values)


class Reads(Enum):
    """What is read, and by how many at once: none of these waits for another."""

    #: The past, sources, and what a person asks: it may take long.
    PAST = "past", 2
    #: What a subscription begins with.
    VIEW = "view", 1
    #: What everybody has to ask who comes, which is short.
    RIGHTS = "rights", 1

    @property
    def at_once(self) -> int:
        """How many threads, each with a connection of its own."""
        return self.value[1]


class _Readers:
    """Connections that only read, and as many threads."""

    def __init__(self, reads: Reads) -> None:
        self.count = reads.at_once
        self.threads = ThreadPoolExecutor(self.count, f"strapline-{reads.value[0]}")
        self.idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()

    def close(self) -> None:
        """Close the connections, which nobody uses any more."""
        while not self.idle.empty():
            self.idle.get().close()


class Database:
    """The file and the threads that use it."""

    def __init__(self, path: Path, clock: Callable[[], int]) -> None:
        self._path = path
        self._clock = clock
        self._queries: Mapping[str, str] = {}
        self._write_thread = ThreadPoolExecutor(1, "strapline-writer")
        self._readers = {reads: _Readers(reads) for reads in Reads}
        self._writer: sqlite3.Connection | None = None
        self.store_id = ""
        self.epoch = ""

    async def open(self) -> None:
        """Open or make the file, and bring it to this version.

        Raises:
            StoreError: it cannot be opened, is not ours, or is of a newer version.
        """
        try:
            await self._in(self._write_thread, self._open)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"{self._path}: cannot be opened ({error}). Check that the folder exists, that "
                "its disk has room, and that this user may write there."
            ) from error

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Do ``work`` in one durable transaction; an exception rolls all of it back.

        Raises:
            StoreError: the disk is full, read-only or damaged, or another process holds the lock:
                the same work can succeed at another time.
            sqlite3.Error: the work itself is at fault, and never will.
        """
        return await self._in(self._write_thread, lambda: self._write(work))

    async def wipe(self, work: Callable[[Transaction], T]) -> T:
        """As :meth:`write`, and of what ``work`` deletes nothing is left in the file or its log.

        The file is written anew, which takes as much room again for a while and keeps other
        writers waiting.

        Raises:
            StoreError: as :meth:`write`; or the work is done, and its traces are still there.
        """
        return await self._in(self._write_thread, lambda: self._wipe(work))

    async def read(self, work: Callable[[Transaction], T], reads: Reads = Reads.PAST) -> T:
        """Do ``work`` on one unchanging state of the database, beside any writer.

        Raises:
            StoreError: the file cannot be read.
        """
        readers = self._readers[reads]
        return await self._in(readers.threads, lambda: self._read(readers, work))

    async def close(self) -> None:
        """Wait for what runs, then close."""
        # Reads first: one whose asker has gone may still be waiting for a connection.
        for readers in self._readers.values():
            await asyncio.to_thread(readers.threads.shutdown)
        await self._in(self._write_thread, self._close)
        await asyncio.to_thread(self._write_thread.shutdown)

    @staticmethod
    async def _in(threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        # Shielded: a caller that is cancelled must not believe that its commit did not happen.
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(threads, work))

    def _open(self) -> None:
        self._queries = load_queries()
        # For nobody else's eyes. SQLite gives its other files the permissions of this one.
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        self._writer = self._connect("PRAGMA query_only = 0")
        # Of a new file only. A commit writes each page that it touches, most of them for a few
        # bytes: a live reading by itself wrote 63 KiB with pages of 4 KiB, and writes 24.
        self._writer.execute("PRAGMA page_size = 1024")
        self._writer.execute("PRAGMA journal_mode = WAL")
        bring_up(self._writer, self._path)
        self._write(self._name)
        for readers in self._readers.values():
            for _ in range(readers.count):
                readers.idle.put(self._connect("PRAGMA query_only = 1"))

    def _connect(self, pragma: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(pragma)
        return connection

    def _name(self, transaction: Transaction) -> None:
        for name in ("store", "epoch"):
            transaction.run("insert_meta", name=name, value=secrets.token_urlsafe(16))
        transaction.run("insert_meta", name="rights", value="0")
        rows = [transaction.one("meta", name=name) for name in ("store", "epoch")]
        self.store_id, self.epoch = (str(row["value"]) for row in rows if row is not None)

    def _write(self, work: Callable[[Transaction], T]) -> T:
        connection = self._writer
        if connection is None:
            raise StoreError(f"{self._path}: is closed. Open the server first.")
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(Transaction(connection, self._queries, self._clock()))
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            if not _passes(error):
                raise
            raise StoreError(
                f"{self._path}: cannot be written ({error}). Check that the disk has room and is "
                "not mounted read-only; nothing is acknowledged until it can."
            ) from error
        return result

    def _wipe(self, work: Callable[[Transaction], T]) -> T:
        connection = self._writer
        if connection is not None:
            # What is deleted is overwritten (sqlite.org/pragma.html, secure_delete).
            connection.execute("PRAGMA secure_delete = ON")
        result = self._write(work)
        assert connection is not None, "what is closed was not written"
        try:
            leave_no_trace(connection)
        except sqlite3.Error as error:
            raise StoreError(
                f"{self._path}: it is deleted, but the file still has traces of it ({error}). See "
                "that the disk has as much room as the file takes, and do the same again."
            ) from error
        return result

    def _read(self, readers: _Readers, work: Callable[[Transaction], T]) -> T:
        connection = readers.idle.get()
        try:
            connection.execute("BEGIN")
            try:
                return work(Transaction(connection, self._queries, self._clock()))
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: cannot be read ({error}).") from error
        finally:
            readers.idle.put(connection)

    def _close(self) -> None:
        for readers in self._readers.values():
            readers.close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def bring_up(connection: sqlite3.Connection, path: Path) -> None:
    """Bring a database to this version, each step for itself.

    Raises:
        StoreError: it is of a newer one.
        sqlite3.Error: a step failed, and nothing of it is left.
    """
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    migrations = load_migrations()
    if found > len(migrations):
        raise StoreError(
            f"{path}: version {found} of the database is newer than this program, which "
            f"knows {len(migrations)}. Upgrade strapline, or use another state folder."
        )
    for version, _, script in migrations[found:]:
        # The record of the migration stands or falls with it.
        try:
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {version};\nCOMMIT;"
            )
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def leave_no_trace(connection: sqlite3.Connection) -> None:
    """Write the file anew, and empty its log: pages that were given up, and what earlier writes
    left in the gaps of others, are no more.

    Raises:
        sqlite3.Error: it cannot be done now; what is stored is as it was.
    """
    connection.execute("VACUUM")
    for _ in range(_CHECKPOINTS):
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            return
    raise sqlite3.OperationalError("somebody reads it all the time")
