"""All of a database, or what is asked of it, verified in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

from strapline_server.errors import AdminError
from strapline_server.store.checking import check_sums
from strapline_server.store.database import Transaction
from strapline_server.store.people import User, all_users, find_user
from strapline_server.store.walking import verify_stream
from strapline_server.verified import SumsVerified, Verified

_MOST_NAMED: Final = 5
#: Told how many blocks were read just now.
Progress = Callable[[int], None]


def verify_all(
    transaction: Transaction, user: str | None, stream: str | None, read: Progress
) -> Verified:
    """Read every block, and hold it against accounts and sums.

    Args:
        transaction: of one moment.
        user: verify what concerns this user alone: the streams that have something of them.
        stream: verify this one alone, without sums: its id, or as much of it as tells.
        read: told of blocks as they are read.

    Raises:
        AdminError: there is no such user, or no such stream.
    """
    users = _users(transaction, user)
    streams = [
        verify_stream(transaction, row, read)
        for row in _streams(transaction, stream)
        if user is None or _concerns(transaction, row, users[0])
    ]
    sums: list[SumsVerified] = []
    if stream is None:
        sums = [one for found in users for one in check_sums(transaction, found, read)]
    name = transaction.one("meta", name="store")
    return Verified(
        store=name["value"] if name is not None else "",
        as_of_ms=transaction.now_ms,
        streams=streams,
        sums=sums,
        gaps=[],
        user=user,
        readings=sum(
            part.readings
            for one in streams
            for part in one.users
            if user is None or part.user == user
        ),
        missing=sum(one.missing.count for one in streams),
        doubled=sum(one.doubled.count for one in streams),
        whole=all(one.whole for one in streams) and not any(one.differing for one in sums),
    )


def _users(transaction: Transaction, user: str | None) -> list[User]:
    if user is None:
        return all_users(transaction)
    found = find_user(transaction, user)
    if found is None:
        raise AdminError(
            f"no user {user!r}. `strapline server user list` shows those that there are."
        )
    return [found]


def _streams(transaction: Transaction, stream: str | None) -> list[sqlite3.Row]:
    rows = transaction.all("streams_of_all")
    if stream is None:
        return rows
    found = [row for row in rows if row["id"].startswith(stream)]
    if len(found) == 1:
        return found
    if not found:
        raise AdminError(
            f"no stream {stream!r}. `strapline server verify` shows those that there are."
        )
    some = " or ".join(row["id"] for row in found[:_MOST_NAMED])
    raise AdminError(f"{len(found)} streams begin with {stream!r}. Name one: {some}.")


def _concerns(transaction: Transaction, row: sqlite3.Row, user: User) -> bool:
    key = {"stream_key": row["stream_key"], "user_key": user.key}
    return transaction.one("has_stream_of_user", **key) is not None
