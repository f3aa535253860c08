"""Verifying a folder: beside a server that writes, of one person, of one run."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from strapline_protocol.opening import Role
from strapline_protocol.publishing import Stream
from strapline_server import AdminError, StoreError, verify
from strapline_server.store import Store, Work
from strapline_server.store.database import FILE_NAME
from tests.unit.server.store_kit import HOUR, NOON, published, series_of, stream_named, zero_at

A, B = stream_named("A"), stream_named("B")


@asynccontextmanager
async def stored(folder: Path) -> AsyncIterator[Store]:
    """Ana has ten readings of stream A, Ben five of B, and the file is open."""
    store = Store(folder, lambda: NOON)
    await store.open()
    try:
        for user in ("ana", "ben"):
            await store.add_user(user, user.title(), "UTC")
        await store.put_grant("pi", Role.BRIDGE, "pi", "all", None)
        grant = await store.grant("pi")
        assert grant is not None
        for stream, user, count in ((A, "ana", 10), (B, "ben", 5)):
            declared = Stream(stream=stream, next_seq=count, zero=zero_at(NOON - HOUR))
            series = series_of([70] * count, [i * 1_000 for i in range(count)], user=user)
            await store.commit([Work(grant, declared), published(grant, stream, series)])
        yield store
    finally:
        await store.close()


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection, connection:
        connection.execute(statement)


async def test_all_of_it_beside_an_open_store(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        blocks: list[int] = []
        found = await asyncio.to_thread(verify, tmp_path, read=blocks.append)
        assert found.store == store.store_id
    assert (found.readings, found.missing, found.doubled, found.whole) == (15, 0, 0, True)
    assert [one.stream for one in found.streams] == [A, B]
    assert {(one.user, one.metric, one.differing) for one in found.sums} == {
        ("ana", "heart_rate", 0),
        ("ben", "heart_rate", 0),
    }
    assert sum(blocks) == 4, "each block for its numbers and for its sums"


async def test_of_one_person_and_of_one_run(tmp_path: Path) -> None:
    async with stored(tmp_path):
        pass
    change(tmp_path, "DELETE FROM blocks WHERE count = 5")
    assert verify(tmp_path, user="ana").whole
    assert [one.stream for one in verify(tmp_path, user="ana").streams] == [A]
    of_run = verify(tmp_path, stream="B")
    assert (of_run.missing, of_run.sums, of_run.whole) == (5, [], False)
    assert not verify(tmp_path).whole


async def test_sums_that_are_wrong_are_a_fault_too(tmp_path: Path) -> None:
    async with stored(tmp_path):
        pass
    change(tmp_path, "UPDATE hours SET total = total + 1 WHERE user_key = 1")
    assert not verify(tmp_path, user="ana").whole
    assert verify(tmp_path, user="ben").whole


async def test_who_or_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no database"):
        verify(tmp_path)
    async with stored(tmp_path):
        pass
    with pytest.raises(AdminError, match="no user 'eve'"):
        verify(tmp_path, user="eve")
    with pytest.raises(AdminError, match="no stream 'C'"):
        verify(tmp_path, stream="C")
    with pytest.raises(AdminError, match="2 streams begin with ''"):
        verify(tmp_path, stream="")


@pytest.mark.parametrize(("version", "told"), [(99, "Upgrade"), (1, "Start the server once")])
async def test_another_version_is_refused(tmp_path: Path, version: int, told: str) -> None:
    async with stored(tmp_path):
        pass
    change(tmp_path, f"PRAGMA user_version = {version}")
    with pytest.raises(StoreError, match=told):
        verify(tmp_path)


async def test_nothing_is_changed(tmp_path: Path) -> None:
    async with stored(tmp_path):
        pass
    before = (tmp_path / FILE_NAME).read_bytes()
    verify(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_what_is_no_database_is_an_error_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match="put a copy back"):
        verify(tmp_path)
