"""All of a database, or what is asked of it, verified in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Final

from strapline_protocol.gaps import SHORTEST_GAP_MS, GapCause, Spell
from strapline_protocol.metrics import HEART_RATE
from strapline_server.errors import AdminError
from strapline_server.store.checking import check_sums
from strapline_server.store.database import Transaction, Value
from strapline_server.store.gaps import each_gap
from strapline_server.store.people import User, all_users, find_user
from strapline_server.store.walking import verify_stream
from strapline_server.verified import CauseCounted, GapsVerified, SumsVerified, Verified

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
    gaps: list[GapsVerified] = []
    if stream is None:
        sums = [one for found in users for one in check_sums(transaction, found, read)]
        gaps = [one for found in users for one in _gaps(transaction, found)]
    name = transaction.one("meta", name="store")
    return Verified(
        store=name["value"] if name is not None else "",
        as_of_ms=transaction.now_ms,
        streams=streams,
        sums=sums,
        gaps=gaps,
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


def _gaps(transaction: Transaction, user: User) -> Iterator[GapsVerified]:
    """Between the first and the last reading of what speaks all the time."""
    key: dict[str, Value] = {"user_key": user.key, "metric": HEART_RATE.name}
    row = transaction.one("span_of_metric", **key)
    if row is None or row["first_ms"] is None:
        return
    count = explained = 0
    causes: dict[str, tuple[int, int]] = {}
    first_ms, last_ms = row["first_ms"], row["last_ms"]
    for pieces in each_gap(transaction, user, HEART_RATE.name, first_ms, last_ms):
        count += 1
        explained += all(map(_is_explained, pieces))
        for piece in pieces:
            known, lasted_ms = causes.get(piece.cause, (0, 0))
            causes[piece.cause] = known + 1, lasted_ms + piece.to_ms - piece.from_ms
    yield GapsVerified(
        user=user.id,
        metric=HEART_RATE.name,
        gaps=count,
        explained=explained,
        causes=[
            CauseCounted(cause=cause, gaps=gaps, duration_ms=duration_ms)
            for cause, (gaps, duration_ms) in sorted(causes.items())
        ],
    )


def _is_explained(piece: Spell) -> bool:
    """Whether a part of a gap has a cause, or is no longer than two readings may be apart."""
    return piece.cause != GapCause.SILENT or piece.to_ms - piece.from_ms <= SHORTEST_GAP_MS


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
