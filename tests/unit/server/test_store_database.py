"""The file: durable settings, migrations with their record, rollback, reading meanwhile."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from strapline_protocol.opening import Role
from strapline_protocol.watching import Subscribe
from strapline_server.errors import StoreError
from strapline_server.store import database as database_module
from strapline_server.store.database import Database, Reads, Transaction
from strapline_server.store.queries import load_migrations, load_queries
from strapline_server.store.store import Store
from tests.unit.server.store_kit import NOON


async def opened(path: Path) -> Database:
    database = Database(path, lambda: NOON)
    await database.open()
    return database


def put(transaction: Transaction) -> int:
    return transaction.run("insert_user", id="ana", name="Ana", zone="UTC")


def count(transaction: Transaction) -> int:
    return len(transaction.all("all_users"))


def permissions(folder: Path) -> dict[str, str]:
    return {path.name: stat.filemode(path.stat().st_mode) for path in folder.iterdir()}


async def test_it_is_durable_and_keeps_its_name(tmp_path: Path) -> None:
    database = await opened(tmp_path / "server.db")
    writer = database._writer
    assert writer is not None
    assert writer.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert writer.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert writer.execute("PRAGMA page_size").fetchone()[0] == 1_024
    assert writer.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    assert writer.execute("PRAGMA user_version").fetchone()[0] == len(load_migrations())
    names = (database.store_id, database.epoch)
    assert await database.write(put) == 1
    await database.close()
    again = await opened(tmp_path / "server.db")
    assert (again.store_id, again.epoch) == names
    assert len(set(names)) == 2
    assert await again.read(count) == 1
    await again.close()


async def test_what_fails_is_rolled_back_whole(tmp_path: Path) -> None:
    database = await opened(tmp_path / "server.db")

    def fail(transaction: Transaction) -> None:
        put(transaction)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(fail)
    assert await database.read(count) == 0
    assert await database.write(put) == 1
    await database.close()


async def test_a_reader_sees_one_moment_and_waits_for_nobody(tmp_path: Path) -> None:
    database = await opened(tmp_path / "server.db")
    written, looked = threading.Event(), threading.Event()

    def slow_read(transaction: Transaction) -> tuple[int, int]:
        before = count(transaction)
        looked.set()
        assert written.wait(10)
        return before, count(transaction)

    def write(transaction: Transaction) -> None:
        assert looked.wait(10)
        put(transaction)

    reading = asyncio.create_task(database.read(slow_read))
    await database.write(write)
    written.set()
    assert await reading == (0, 0)
    assert await database.read(count) == 1
    await database.close()


async def test_who_reads_long_keeps_nobody_outside(tmp_path: Path) -> None:
    store = Store(tmp_path, lambda: NOON)
    await store.open()
    await store.add_user("ana", "Ana", "UTC")
    await store.put_grant("eye", Role.VIEWER, "Eye", ["ana"], None)
    busy, over = threading.Semaphore(0), threading.Event()

    def long_read(transaction: Transaction) -> int:
        busy.release()
        assert over.wait(10)
        return count(transaction)

    # More than there are threads for it.
    reading = [asyncio.create_task(store._database.read(long_read)) for _ in range(9)]
    for _ in range(Reads.PAST.at_once):
        assert await asyncio.to_thread(busy.acquire, timeout=10)
    assert not any(task.done() for task in reading)
    async with asyncio.timeout(10):
        assert await store.grant("eye") is not None
        assert list(await store.grants_of(["eye"])) == ["eye"]
        assert await store.bridge_grants() == []
        assert await store.bridge_key("none") is None
        assert await store.rights_version() > 0
        assert await store.generation("eye") is None
        assert (await store.view("eye", Subscribe(request="1"), ())).grant is not None
        # Nor who begins to watch people who have been in a session for a year.
        reading += [asyncio.create_task(store._database.read(long_read, Reads.VIEW))] * 2
        assert await asyncio.to_thread(busy.acquire, timeout=10)
        assert await store.grant("eye") is not None
    assert not any(task.done() for task in reading)
    over.set()
    assert set(await asyncio.gather(*reading)) == {1}
    await store.close()


async def test_a_reader_cannot_write(tmp_path: Path) -> None:
    database = await opened(tmp_path / "server.db")
    for reads in Reads:
        with pytest.raises(StoreError, match="cannot be read"):
            await database.read(put, reads)
    await database.close()


async def test_one_who_is_cancelled_does_not_undo_a_commit(tmp_path: Path) -> None:
    database = await opened(tmp_path / "server.db")
    begun, go = threading.Event(), threading.Event()

    def write(transaction: Transaction) -> None:
        begun.set()
        assert go.wait(10)
        put(transaction)

    task = asyncio.create_task(database.write(write))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await database.write(lambda _: None)
    assert await database.read(count) == 1
    await database.close()


async def test_a_newer_database_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "server.db"
    await (await opened(path)).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match=r"version 99 .* newer than this program.*Upgrade"):
        await opened(path)


async def test_what_is_no_database_is_an_error_with_its_remedy(tmp_path: Path) -> None:
    path = tmp_path / "server.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match="cannot be opened"):
        await opened(path)
    with pytest.raises(StoreError, match="Check that the folder exists"):
        await opened(tmp_path / "none" / "server.db")


async def test_a_migration_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "server.db"
    await (await opened(path)).close()
    good = load_migrations()
    bad = [*good, (len(good) + 1, "bad.sql", "CREATE TABLE extra (a); CREATE TABLE users (b);")]
    monkeypatch.setattr(database_module, "load_migrations", lambda: bad)
    with pytest.raises(StoreError):
        await opened(path)
    monkeypatch.undo()
    database = await opened(path)
    writer = database._writer
    assert writer is not None
    tables = {row[0] for row in writer.execute("SELECT name FROM sqlite_master")}
    assert "extra" not in tables
    await database.close()


async def test_a_closed_one_says_so(tmp_path: Path) -> None:
    database = Database(tmp_path / "server.db", lambda: NOON)
    with pytest.raises(StoreError, match="is closed"):
        await database.write(put)
    await database.close()


def test_the_indexes_are_used_by_the_questions_of_every_day() -> None:
    connection = sqlite3.connect(":memory:")
    for _, _, script in load_migrations():
        connection.executescript(script)
    scans = []
    for name, query in load_queries().items():
        if not query.lstrip("-").upper().count("SELECT"):
            continue
        values = {word.strip(":,();"): 1 for word in query.replace(")", " ").split() if ":" in word}
        values |= {"user_key": 1, "metric": 1, "device_key": 1, "first_minute": 1, "end_minute": 1}
        values |= {"from_ms": 1, "to_ms": 1, "longest_ms": 1, "counter": 1, "stream_key": 1}
        values |= {"kind": 1, "first": 1, "last": 1, "id": 1, "sub": 1, "position": 1, "most": 1}
        values |= {"name": 1, "zone": 1, "block_key": 1}
        plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
        scans += [name for row in plan if row[3].startswith("SCAN") and "USING" not in row[3]]
    # People are few, and sorted by name.
    rare = {"all_users", "all_principals"}
    # Asked when an order of sources changes, but for what is left untold: mostly nothing is.
    rare |= {"users_of_device", "ids_of_strap", "all_devices", "untold"}
    # The sums of hours, and the minutes of two of them.
    rare |= {"hours_shared", "minutes_shared"}
    # Asked by a person, of rows that are few: one for each range of numbers, and no block.
    rare |= {"count_people", "count_readings"}
    # Verifying reads everything.
    rare |= {"streams_of_all"}
    # Of a person who is erased, once: those who were are few, and so are devices.
    rare |= {"count_erasures", "forget_unworn"}
    assert set(scans) <= rare


async def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    old_mask = os.umask(0o022)
    try:
        database = await opened(tmp_path / "server.db")
    finally:
        os.umask(old_mask)
    await database.write(put)
    assert permissions(tmp_path) == dict.fromkeys(
        ("server.db", "server.db-wal", "server.db-shm"), "-rw-------"
    )
    await database.close()


async def test_a_fault_of_the_work_is_not_one_of_the_disk(tmp_path: Path) -> None:
    database = await opened(tmp_path / "server.db")

    def broken(transaction: Transaction) -> None:
        transaction.run("insert_user", id=None, name="Ana", zone="UTC")

    def unbound(transaction: Transaction) -> None:
        transaction.run("insert_user")

    def huge(transaction: Transaction) -> None:
        transaction.run("insert_user", id=2**64, name="Ana", zone="UTC")

    for work, fault in (
        (broken, sqlite3.IntegrityError),
        (unbound, sqlite3.ProgrammingError),
        (huge, OverflowError),
    ):
        with pytest.raises(fault):
            await database.write(work)
    # Another process's lock passes.
    other = sqlite3.connect(tmp_path / "server.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert database._writer is not None
    database._writer.execute("PRAGMA busy_timeout = 1")
    with pytest.raises(StoreError, match="locked"):
        await database.write(put)
    other.close()
    assert await database.write(put) == 1
    await database.close()
