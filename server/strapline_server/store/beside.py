"""One look at a database, of one moment, beside whatever writes to it. Nothing can be changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from strapline_server.errors import StoreError
from strapline_server.store.database import FILE_NAME, Transaction
from strapline_server.store.queries import load_migrations, load_queries

T = TypeVar("T")


def look(state_folder: Path, now_ms: int, work: Callable[[Transaction], T]) -> T:
    """Do ``work`` on the database of this folder as it is at this moment.

    Raises:
        StoreError: there is none, it is of another version, or it cannot be read.
    """
    path = state_folder / FILE_NAME
    if not path.is_file():
        raise StoreError(
            f"There is no database in {state_folder}. Start a server with `strapline server run`, "
            "or name another with --config FILE or --data FOLDER."
        )
    try:
        address = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN")
            _check_version(connection, path)
            return work(Transaction(connection, load_queries(), now_ms))
    except sqlite3.Error as error:
        raise StoreError(
            f"{path}: cannot be read ({error}). Read it as the user that the server runs as; if "
            "the file is damaged, put a copy back: strapline server restore FILE"
        ) from error


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    known = len(load_migrations())
    if found > known:
        raise StoreError(
            f"{path}: version {found} of the database is newer than this program, which knows "
            f"{known}. Upgrade strapline."
        )
    if found < known:
        raise StoreError(
            f"{path}: version {found} of the database is older than this program, which has "
            f"{known}. Start the server once: it brings it up to date."
        )
