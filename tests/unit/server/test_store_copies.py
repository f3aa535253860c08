"""Copies: of one moment, whole, private; and never put back where they do harm."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from strapline_server.errors import StoreError
from strapline_server.store import Store, back_up, put_back
from strapline_server.store.queries import load_migrations


async def _stored(folder: Path, *users: str) -> tuple[str, str]:
    store = Store(folder, lambda: 1_800_000_000_000)
    await store.open()
    for user in users:
        await store.add_user(user, user, "UTC")
    await store.close()
    return store.store_id, store.epoch


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def _users(folder: Path) -> list[str]:
    store = Store(folder, lambda: 0)
    await store.open()
    users = [user.id for user in await store.users()]
    await store.close()
    return users


async def test_a_copy_is_put_back_as_another_history_of_the_same_store(tmp_path: Path) -> None:
    name, epoch = await _stored(tmp_path, "ana")
    copied = back_up(tmp_path, tmp_path / "copy.db")
    assert (copied.users, copied.readings, copied.newest_ms) == (1, 0, None)
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    await _stored(tmp_path, "ben")
    assert put_back(tmp_path, tmp_path / "copy.db") == copied
    assert await _users(tmp_path) == ["ana"]
    assert (await _stored(tmp_path))[0] == name
    assert (await _stored(tmp_path))[1] != epoch
    kept = tmp_path / "server.db.replaced-1"
    with closing(sqlite3.connect(kept)) as old:
        assert {row[0] for row in old.execute("SELECT id FROM users")} == {"ana", "ben"}
    put_back(tmp_path, tmp_path / "copy.db")
    assert (tmp_path / "server.db.replaced-2").exists()
    assert not {file.suffix for file in _files(tmp_path)} & {".restored", ".part"}


async def test_a_copy_is_put_back_on_a_new_machine(tmp_path: Path) -> None:
    await _stored(tmp_path, "ana")
    back_up(tmp_path, tmp_path / "copy.db")
    (tmp_path / "new").mkdir()
    put_back(tmp_path / "new", tmp_path / "copy.db")
    assert await _users(tmp_path / "new") == ["ana"]


async def test_no_change_of_the_history_that_is_gone_is_told_any_more(tmp_path: Path) -> None:
    await _stored(tmp_path, "ana")
    with closing(sqlite3.connect(tmp_path / "server.db")) as there, there:
        there.execute("INSERT INTO untold (user_key, position) VALUES (1, 7)")
        columns = [row[1] for row in there.execute("PRAGMA table_info(log)")]
        marks = ", ".join("1" for _ in columns)
        there.execute(f"INSERT INTO log VALUES ({marks})")  # noqa: S608  # of a test
    back_up(tmp_path, tmp_path / "copy.db")
    put_back(tmp_path, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "server.db")) as there:
        for table in ("log", "untold"):
            assert there.execute(f"SELECT * FROM {table}").fetchall() == []  # noqa: S608  # of a test


async def test_a_copy_of_an_older_version_is_put_back(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    with closing(sqlite3.connect(tmp_path / "old.db")) as old, old:
        for number, _, script in load_migrations()[:4]:
            old.executescript(script)
            old.execute(f"PRAGMA user_version = {number}")
        old.execute("INSERT INTO users (id, name, zone) VALUES ('ana', 'Ana', 'UTC')")
        old.execute("INSERT INTO meta (name, value) VALUES ('store', 's'), ('epoch', 'e')")
    put_back(folder, tmp_path / "old.db")
    assert await _users(folder) == ["ana"]


async def test_what_would_do_harm_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    await _stored(folder, "ana")
    good = tmp_path / "good.db"
    back_up(folder, good)
    with pytest.raises(StoreError, match="is there already"):
        back_up(folder, good)
    with pytest.raises(StoreError, match="There is no database in"):
        back_up(tmp_path, tmp_path / "copy.db")
    with pytest.raises(StoreError, match="cannot be made"):
        back_up(folder, tmp_path / "nowhere" / "copy.db")
    spoilt, strange, newer = (tmp_path / name for name in ("spoilt", "strange", "newer"))
    spoilt.write_bytes(good.read_bytes()[:4_096] + bytes(len(good.read_bytes()) - 4_096))
    with closing(sqlite3.connect(strange)) as other, other:
        other.execute("CREATE TABLE birds (name)")
    newer.write_bytes(good.read_bytes())
    with closing(sqlite3.connect(newer)) as other:
        other.execute("PRAGMA user_version = 999")
    (tmp_path / "text").write_text("no database " * 100)
    for path, reason in (
        (spoilt, "damaged|malformed"),
        (strange, "no copy of a Strapline"),
        (newer, "newer than this program"),
        (tmp_path / "text", "not a database"),
        (tmp_path / "missing", "there is no such file"),
    ):
        before = (folder / "server.db").read_bytes()
        with pytest.raises(StoreError, match=reason):
            put_back(folder, path)
        assert (folder / "server.db").read_bytes() == before
    assert await _users(folder) == ["ana"]
