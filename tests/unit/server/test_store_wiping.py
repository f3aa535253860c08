"""Erasing a file: no byte of the person is left in it, and no older copy brings one back."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from strapline_protocol.opening import Role
from strapline_protocol.publishing import Rejected, Stream
from strapline_server.errors import AdminError, StoreError
from strapline_server.store import Store, Work, back_up, database, put_back
from strapline_server.store.database import FILE_NAME
from strapline_server.store.people import Grant
from strapline_server.verifying import verify
from tests.unit.server.store_kit import HOUR, NOON, published, series_of, stream_named, zero_at

A = stream_named("A")
_READINGS = 120


@dataclass
class Clock:
    now_ms: int = NOON

    def __call__(self) -> int:
        return self.now_ms


@asynccontextmanager
async def opened(folder: Path, clock: Clock | None = None) -> AsyncIterator[tuple[Store, Grant]]:
    store = Store(folder, clock or Clock())
    await store.open()
    try:
        writer = store._database._writer
        assert writer is not None
        # As most builds have it; Debian's overwrites all that is deleted.
        writer.execute("PRAGMA secure_delete = OFF")
        await store.put_grant("pi", Role.BRIDGE, "pi", "all", None)
        grant = await store.grant("pi")
        assert grant is not None
        yield store, grant
    finally:
        await store.close()


async def fill(folder: Path) -> list[bytes]:
    """Readings of Maren and of Ben, one by one, and merged an hour later: Maren's small blocks."""
    clock = Clock(NOON - 2 * HOUR)
    async with opened(folder, clock) as (store, _):
        await store.add_user("maren-holt", "Maren Holt", "UTC")
        await store.add_user("ben", "Ben", "UTC")
        grant = await store.grant("pi")
        assert grant is not None
        declared = Stream(stream=A, next_seq=0, zero=zero_at(clock.now_ms))
        await store.commit([Work(grant, declared)])
        for at in range(_READINGS):
            user = ("maren-holt", "ben")[at % 2]
            series = series_of(
                [60 + at], [at * 1_000], first=at, user=user, device=f"strap-{at % 2}"
            )
            await store.commit([published(grant, A, series)])
            clock.now_ms += 1_000
        await store.name_devices({("maren-holt", "strap-0"): "Maren's strap"})
        small = blocks_of(folder, "maren-holt")
        clock.now_ms = NOON
        await store.cool()
        return small


def contents(folder: Path) -> Iterator[bytes]:
    for file in folder.glob(f"{FILE_NAME}*"):
        yield file.read_bytes()


def holds(folder: Path, what: bytes) -> bool:
    return any(what in content for content in contents(folder))


def blocks_of(folder: Path, user: str) -> list[bytes]:
    with closing(sqlite3.connect(folder / FILE_NAME)) as one:
        rows = one.execute(
            "SELECT data FROM blocks JOIN users USING (user_key) WHERE id = ?", (user,)
        )
        return [row[0] for row in rows]


async def test_no_byte_is_left_in_the_file_or_its_log(tmp_path: Path) -> None:
    small = await fill(tmp_path)
    async with opened(tmp_path) as (store, _):
        # With others' connections open, as beside a server.
        traces = [*blocks_of(tmp_path, "maren-holt"), b"Maren Holt", b'"maren-holt"']
        assert all(holds(tmp_path, trace) for trace in traces)
        # Pages that were given up still have what was merged since.
        assert any(holds(tmp_path, trace) for trace in small)
        traces += small
        erased = await store.erase_user("maren-holt")
        assert (erased.readings, erased.again) == (_READINGS // 2, False)
        assert not any(holds(tmp_path, trace) for trace in (*traces, b"maren", b"Maren"))
        assert (tmp_path / f"{FILE_NAME}-wal").stat().st_size == 0
    assert not any(holds(tmp_path, trace) for trace in (*traces, b"maren", b"Maren"))
    found = verify(tmp_path)
    assert (found.readings, found.whole) == (_READINGS // 2, True)
    assert found.streams[0].erased.count == _READINGS // 2


async def test_where_traces_are_left_it_is_said_and_done_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(tmp_path)

    def no_room(connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    async with opened(tmp_path) as (store, _):
        with monkeypatch.context() as patch:
            patch.setattr(database, "leave_no_trace", no_room)
            with pytest.raises(StoreError, match=r"is deleted, but .* traces .*full.* again"):
                await store.erase_user("maren-holt")
        assert [user.id for user in await store.users()] == ["ben"]
        again = await store.erase_user("maren-holt")
        assert again.again
        assert not holds(tmp_path, b"Maren Holt")


async def test_the_id_is_never_given_again(tmp_path: Path) -> None:
    await fill(tmp_path)
    async with opened(tmp_path) as (store, _):
        await store.erase_user("maren-holt")
        with pytest.raises(AdminError, match=r"never given again.*maren-holt-2"):
            await store.add_user("maren-holt", "Maren", "UTC")
        assert await store.add_user("maren-holt-2", "Maren", "UTC")


async def test_an_older_copy_brings_nobody_back(tmp_path: Path) -> None:
    await fill(tmp_path)
    back_up(tmp_path, tmp_path / "copy.db")
    async with opened(tmp_path) as (store, _):
        await store.erase_user("maren-holt")
    copied = put_back(tmp_path, tmp_path / "copy.db")
    assert (copied.erased, copied.users, copied.readings) == (1, 1, _READINGS // 2)
    assert b"Maren Holt" not in (tmp_path / FILE_NAME).read_bytes()
    async with opened(tmp_path) as (store, grant):
        assert [user.id for user in await store.users()] == ["ben"]
        for first in (0, 500):
            series = series_of([60], [first * 1_000], first=first, user="maren-holt")
            outcome = await store.commit([published(grant, A, series)])
            ((answer,),) = outcome.answers
            assert isinstance(answer, Rejected)
            assert answer.code == "erased"
        with pytest.raises(AdminError, match="never given again"):
            await store.add_user("maren-holt", "Maren", "UTC")
    # And so the next time, from the copy that still has them.
    assert put_back(tmp_path, tmp_path / "copy.db").erased == 1
    assert verify(tmp_path).whole


async def test_a_copy_of_a_version_that_could_not_erase(tmp_path: Path) -> None:
    await fill(tmp_path)
    back_up(tmp_path, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy, copy:
        copy.execute("DROP TABLE erased")
        copy.execute("PRAGMA user_version = 7")
    async with opened(tmp_path) as (store, _):
        await store.erase_user("maren-holt")
    assert put_back(tmp_path, tmp_path / "copy.db").erased == 1
    async with opened(tmp_path) as (store, _):
        assert [user.id for user in await store.users()] == ["ben"]


async def test_another_servers_copy_loses_nobody_of_the_same_name(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        await fill(tmp_path / name)
    back_up(tmp_path / "one", tmp_path / "copy.db")
    async with opened(tmp_path / "other") as (store, _):
        await store.erase_user("maren-holt")
    assert put_back(tmp_path / "other", tmp_path / "copy.db").erased == 0
    async with opened(tmp_path / "other") as (store, _):
        assert [user.id for user in await store.users()] == ["ben", "maren-holt"]


async def test_where_nobody_can_tell_who_was_erased_it_is_said(tmp_path: Path) -> None:
    await fill(tmp_path)
    back_up(tmp_path, tmp_path / "copy.db")
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 1_000)
    copied = put_back(tmp_path, tmp_path / "copy.db")
    assert (copied.erased, copied.users) == (None, 2)
