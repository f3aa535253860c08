"""The file: durable, private, migrated, and never one that is not ours."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
import pytest

from strapline_bridge.outbox import OutboxTooNewError, OutboxUnreadableError
from strapline_bridge.outbox.database import open_database
from strapline_bridge.outbox.queries import Migration, migrations

_MORE = Migration(99, "0099_more", "CREATE TABLE more (x INTEGER) STRICT;")


async def _value(connection: aiosqlite.Connection, query: str) -> object:
    (row,) = await connection.execute_fetchall(query)
    return row[0]


@asynccontextmanager
async def _opened(
    path: Path, steps: Sequence[Migration] | None = None
) -> AsyncIterator[aiosqlite.Connection]:
    connection = await open_database(path, steps)
    try:
        yield connection
    finally:
        # Its thread would outlive a failing test, and the run with it.
        await connection.close()


async def _open_and_close(path: Path, steps: Sequence[Migration] | None = None) -> None:
    async with _opened(path, steps):
        pass


def _modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}


async def test_it_is_durable(tmp_path: Path) -> None:
    async with _opened(tmp_path / "o.db") as connection:
        assert await _value(connection, "PRAGMA journal_mode") == "wal"
        assert await _value(connection, "PRAGMA synchronous") == 2, "FULL"
        assert await _value(connection, "PRAGMA page_size") == 1_024
        assert await _value(connection, "PRAGMA foreign_keys") == 1


async def test_only_its_owner_may_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        async with _opened(tmp_path / "state" / "o.db"):
            modes = _modes(tmp_path / "state")
    finally:
        os.umask(before)
    assert modes == {"state": 0o700, "o.db": 0o600, "o.db-wal": 0o600, "o.db-shm": 0o600}


async def test_a_file_that_others_could_read_is_closed_to_them_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "o.db"
    await _open_and_close(path)
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        await _open_and_close(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "had mode 644" in caplog.text


async def test_a_migration_runs_once(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    steps = [*migrations(), _MORE]
    for _ in range(2):
        async with _opened(path, steps) as connection:
            rows = await connection.execute_fetchall("SELECT version, name FROM migration")
            done = [(step.version, step.name) for step in steps]
            assert [tuple(row) for row in rows] == done


async def test_a_failing_migration_leaves_nothing_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    await _open_and_close(path)
    broken = Migration(98, "0098_broken", "CREATE TABLE half (x INTEGER); CREATE TABEL oops;")
    with pytest.raises(OutboxUnreadableError, match="syntax error"):
        await _open_and_close(path, [*migrations(), broken])
    with sqlite3.connect(path) as plain:
        names = {name for (name,) in plain.execute("SELECT name FROM sqlite_master")}
        assert "half" not in names
        last = plain.execute("SELECT max(version) FROM migration").fetchone()
        assert last == (migrations()[-1].version,)
    plain.close()
    await _open_and_close(path)


async def test_a_newer_outbox_is_refused_by_name_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    await _open_and_close(path, [*migrations(), _MORE])
    with pytest.raises(OutboxTooNewError, match=r"0099_more.*0002_alive.*Upgrade Strapline"):
        await _open_and_close(path)
    await _open_and_close(path, [*migrations(), _MORE])


async def test_another_database_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as plain:
        plain.execute("CREATE TABLE precious (x)")
    plain.close()
    with pytest.raises(OutboxUnreadableError, match="not an outbox of Strapline"):
        await _open_and_close(path)
    with sqlite3.connect(path) as plain:
        names = [name for (name,) in plain.execute("SELECT name FROM sqlite_master")]
        assert names == ["precious"]
    plain.close()


async def test_what_is_no_database_is_kept_and_the_remedy_said(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(OutboxUnreadableError, match=r"file is not a database.*mv "):
        await _open_and_close(path)
    assert path.read_bytes().startswith(b"not a database")


async def test_a_folder_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "o.db").mkdir()
    with pytest.raises(OutboxUnreadableError, match="Is a directory"):
        await _open_and_close(tmp_path / "o.db")
