"""Copies of the database: taken while a server writes to it, and put back in its place.

A copy that is put back is another history of the same store: it keeps the store's name, so that
bridges send what it lacks of what they keep, and gets a new epoch, so that viewers take no
position of the history that is gone for one of this.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from strapline_server.clock import wall_ms
from strapline_server.errors import StoreError
from strapline_server.store.database import FILE_NAME, Transaction, bring_up, leave_no_trace
from strapline_server.store.erasing import Erasure, keep_erased
from strapline_server.store.queries import load_migrations, load_queries

_SIDE_FILES: Final = ("-wal", "-shm")
#: Of a history that is gone: its positions, told and not told yet. An older copy has not both.
_TOLD: Final = frozenset({"log", "untold"})
_TABLES: Final = frozenset({"meta", "users", "streams", "blocks"})


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds.

    Attributes:
        newest_ms: wall time of the newest reading in it, or None without any.
        erased: of a copy that was put back, how many of its users had been erased since; None
            where nobody can tell, as what it replaced could not be read.
    """

    size_bytes: int
    users: int
    readings: int
    newest_ms: int | None
    erased: int | None = 0


def back_up(state_folder: Path, target: Path) -> Copied:
    """Copy the database of one moment, beside whatever writes to it.

    Args:
        state_folder: the server's.
        target: the new file; it must not be there yet. Readable by its owner alone.

    Raises:
        StoreError: there is no database, the target is there already or cannot be written.
    """
    source = state_folder / FILE_NAME
    if not source.is_file():
        raise StoreError(
            f"There is no database in {state_folder}. Start a server with `strapline server run`, "
            "or name another with --config FILE or --data FOLDER."
        )
    scratch = _beside(target, ".part")
    try:
        if target.exists():
            raise StoreError(f"{target}: is there already. Name another file, or move that one.")
        _make(scratch)
        # In one step: of one moment, and no writer waits for it (sqlite.org/backup.html, WAL).
        with _opened(source) as here, _opened(scratch) as there:
            here.backup(there)
            there.execute("PRAGMA journal_mode = DELETE")
            found = _look(there, scratch)
        _sync(scratch)
        scratch.rename(target)
        _sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"{target}: the copy cannot be made ({error}). Check that its folder is there, that "
            "this user may write to it and that the disk has room."
        ) from error
    return found


def put_back(state_folder: Path, source: Path) -> Copied:
    """Put a copy in the place of the database, which is kept beside it. No server has it.

    Who was erased there is erased in the copy too, before anybody can read it.

    Raises:
        StoreError: the copy is not there, is none, is damaged, or of a newer version; nothing was
            changed.
    """
    if not source.is_file():
        raise StoreError(
            f"{source}: there is no such file. Name a copy that `strapline server backup` made."
        )
    place = state_folder / FILE_NAME
    scratch = _beside(place, ".restored")
    try:
        _make(scratch)
        with _opened(source, writes=False) as copy, _opened(scratch) as there:
            copy.backup(there)
            _look(there, source)
            erased = _erase_again(there, scratch, place)
            found = replace(_look(there, source), erased=erased)
            with there:
                for table in _tables(there) & _TOLD:
                    there.execute(f"DELETE FROM {table}")  # noqa: S608  # one of two names
                there.execute(
                    "UPDATE meta SET value = ? WHERE name = 'epoch'", (secrets.token_urlsafe(16),)
                )
        _sync(scratch)
        _replace(place, scratch)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"{source}: cannot be put back ({error}). What was there is there still. Check that "
            "the file is a copy that `strapline server backup` made, and that the disk has room."
        ) from error
    return found


def _erase_again(copy: sqlite3.Connection, path: Path, place: Path) -> int | None:
    """Erase in a copy whom the database in its place has erased; how many it still had.

    None where that one cannot be read.
    """
    try:
        erasures = _erasures(place, copy)
    except sqlite3.Error:
        return None
    if not erasures:
        return 0
    bring_up(copy, path)
    copy.row_factory = sqlite3.Row
    copy.execute("PRAGMA foreign_keys = ON")
    copy.execute("PRAGMA secure_delete = ON")
    with copy:
        transaction = Transaction(copy, load_queries(), wall_ms())
        count = keep_erased(transaction, erasures)
    copy.row_factory = None
    leave_no_trace(copy)
    return count


def _erasures(place: Path, copy: sqlite3.Connection) -> list[Erasure]:
    """Whom a database has erased, where it is the one that the copy is of."""
    if not place.exists():
        return []
    with _opened(place, writes=False) as one:
        if "erased" not in _tables(one):
            return []
        name = "SELECT value FROM meta WHERE name = 'store'"
        if one.execute(name).fetchone() != copy.execute(name).fetchone():
            return []
        return [
            Erasure(*row) for row in one.execute("SELECT id_hash, user_key, erased_ms FROM erased")
        ]


@contextmanager
def _opened(path: Path, *, writes: bool = True) -> Iterator[sqlite3.Connection]:
    mode = "rw" if writes else "ro"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True)) as one:
        yield one


def _tables(copy: sqlite3.Connection) -> set[str]:
    return {row[0] for row in copy.execute("SELECT name FROM sqlite_master")}


def _look(copy: sqlite3.Connection, path: Path) -> Copied:
    """What is in it, once it is known to be whole and ours."""
    if not _tables(copy) >= _TABLES:
        raise StoreError(f"{path}: is a database, but no copy of a Strapline server's.")
    version = copy.execute("PRAGMA user_version").fetchone()[0]
    if version > len(load_migrations()):
        raise StoreError(
            f"{path}: version {version} of the database is newer than this program, which knows "
            f"{len(load_migrations())}. Upgrade strapline."
        )
    fault = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    if fault != "ok":
        raise StoreError(f"{path}: is damaged ({fault}). Take another copy.")
    users = copy.execute("SELECT count(*) FROM users").fetchone()[0]
    readings, newest = copy.execute("SELECT sum(count), max(to_ms) FROM blocks").fetchone()
    pages = copy.execute("PRAGMA page_count").fetchone()[0]
    size = copy.execute("PRAGMA page_size").fetchone()[0]
    return Copied(pages * size, users, readings or 0, newest)


def _replace(place: Path, new: Path) -> None:
    """At no moment is there no database: a server that starts would make an empty one."""
    if place.exists():
        with suppress(sqlite3.Error), _opened(place) as old:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        number = 1
        while _beside(place, f".replaced-{number}").exists():
            number += 1
        kept = _beside(place, f".replaced-{number}")
        os.link(place, kept)
        for end in _SIDE_FILES:
            if _beside(place, end).exists():
                _beside(place, end).rename(_beside(kept, end))
    if os.geteuid() == 0:
        # Made by root for the user that the server runs as.
        owner = place.parent.stat()
        os.chown(new, owner.st_uid, owner.st_gid)
    new.replace(place)
    _sync(place.parent)


def _beside(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)


def _make(path: Path) -> None:
    for end in ("", *_SIDE_FILES, "-journal"):
        _beside(path, end).unlink(missing_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
