"""A person is erased: all that was stored of them, and for ever what may still come.

Their numbers are accounted for as erased, so that no bridge can bring one back, and a hash of
their id stays, by which readings under numbers that were never seen here are known and refused.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from strapline_protocol.intervals import IntervalSet, Range
from strapline_server.errors import AdminError
from strapline_server.store.accounts import Accounts, Kind
from strapline_server.store.columns import sound
from strapline_server.store.database import Transaction
from strapline_server.store.people import all_users, find_user, revoke

_HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Holdings:
    """What there is of one person.

    Attributes:
        links: dashboard links that show nobody else.
    """

    name: str
    readings: int
    streams: int
    first_ms: int | None
    last_ms: int | None
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure came to. ``again``: they had been erased before, and nothing was left."""

    readings: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class Erasure:
    """What stays of one who was erased, as the database has it."""

    id_hash: bytes
    user_key: int
    erased_ms: int


def hash_of(transaction: Transaction, user: str) -> bytes:
    """What stays of an id. Of another database's user of the same id it is another."""
    row = transaction.one("meta", name="store")
    assert row is not None, "a database has its name"
    key = str(row["value"]).encode()[: hashlib.blake2b.MAX_KEY_SIZE]
    return hashlib.blake2b(user.encode(), key=key, digest_size=_HASH_BYTES).digest()


def was_erased(transaction: Transaction, user: str) -> bool:
    """Whether somebody of this id was erased here."""
    row = transaction.one("erasure", id_hash=hash_of(transaction, user))
    return row is not None


def count_erasures(transaction: Transaction) -> int:
    """How many people were erased here."""
    row = transaction.one("count_erasures")
    return 0 if row is None else int(row["erasures"])


def read_holdings(transaction: Transaction, user: str) -> Holdings | None:
    """What there is of this user; None where there is no such user."""
    found = find_user(transaction, user)
    if found is None:
        return None
    row = transaction.one("holdings_of_user", user_key=found.key)
    assert row is not None, "a count is one row"
    links = transaction.all("links_of_user_alone", user_key=found.key)
    return Holdings(
        name=found.name,
        readings=row["readings"],
        streams=row["streams"],
        first_ms=row["first_ms"],
        last_ms=row["last_ms"],
        links=tuple(link["sub"] for link in links),
    )


def erase_user(transaction: Transaction, user: str) -> Erased:
    """Erase all that there is of a user.

    Raises:
        AdminError: there is no such user, and there was none that was erased.
    """
    found = find_user(transaction, user)
    if found is None:
        if was_erased(transaction, user):
            return Erased(0, again=True)
        raise AdminError(
            f"no user {user!r}. `strapline server user list` shows those that there are."
        )
    for link in transaction.all("links_of_user_alone", user_key=found.key):
        revoke(transaction, link["sub"])
    readings = _account(transaction, found.key)
    _delete(transaction, found.key)
    transaction.run(
        "insert_erasure",
        id_hash=hash_of(transaction, user),
        user_key=found.key,
        erased_ms=transaction.now_ms,
    )
    transaction.run("bump_rights_version")
    return Erased(readings)


def keep_erased(transaction: Transaction, erasures: Iterable[Erasure]) -> int:
    """Of an older copy: erase whom the newer database has erased; how many were still there."""
    again = 0
    users = {hash_of(transaction, user.id): user.id for user in all_users(transaction)}
    for one in erasures:
        if one.id_hash in users:
            erase_user(transaction, users[one.id_hash])
            again += 1
        transaction.run(
            "insert_erasure",
            id_hash=one.id_hash,
            user_key=one.user_key,
            erased_ms=one.erased_ms,
        )
    return again


def _delete(transaction: Transaction, user_key: int) -> None:
    """All rows of theirs; what refers to a row goes before it."""
    transaction.run("erase_warm", user_key=user_key)
    transaction.run("erase_blocks", user_key=user_key)
    transaction.run("erase_latest", user_key=user_key)
    transaction.run("erase_minutes", user_key=user_key)
    transaction.run("erase_hours", user_key=user_key)
    transaction.run("erase_counters", user_key=user_key)
    transaction.run("erase_heads", user_key=user_key)
    transaction.run("erase_untold", user_key=user_key)
    transaction.run("erase_log", user_key=user_key)
    transaction.run("erase_said", user_key=user_key)
    transaction.run("erase_preferences", user_key=user_key)
    transaction.run("erase_spells", user_key=user_key)
    transaction.run("erase_grants", user_key=user_key)
    transaction.run("erase_user", user_key=user_key)
    transaction.run("forget_unworn")


def _account(transaction: Transaction, user_key: int) -> int:
    """Account for each number of theirs as erased; how many readings there were."""
    readings = 0
    accounts: dict[int, Accounts] = {}
    for row in transaction.all("blocks_of_user", user_key=user_key):
        stream_key = row["stream_key"]
        if stream_key not in accounts:
            accounts[stream_key] = Accounts(transaction, stream_key)
        numbers = _numbers(transaction, row["block_key"])
        accounts[stream_key].erase(_in_doubt(transaction, row) if numbers is None else numbers)
        readings += row["count"]
    return readings


def _numbers(transaction: Transaction, block_key: int) -> list[Range] | None:
    """What a block holds; None for a damaged one."""
    row = transaction.one("data_of_block", block_key=block_key)
    assert row is not None, "a transaction sees one state"
    block = sound(block_key, row["data"])
    return None if block is None else block[0].ranges()


def _in_doubt(transaction: Transaction, row: sqlite3.Row) -> list[Range]:
    """What a damaged block may have held: numbers that came, and are in no block that is sound."""
    first, last, stream_key = row["first_seq"], row["last_seq"], row["stream_key"]
    accounts = Accounts(transaction, stream_key)
    rest = IntervalSet(accounts.within(Kind.RECEIVED, [(first, last)]))
    others = transaction.all("blocks_in_numbers", stream_key=stream_key, first=first, last=last)
    for other in others:
        for span in _numbers(transaction, other["block_key"]) or ():
            rest.remove(*span)
    return rest.ranges()
