"""Users, principals and grants: who there is, and who may what, read anew each time."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from strapline_protocol.opening import Role
from strapline_server.store.database import Transaction


@dataclass(frozen=True, slots=True)
class User:
    """A wearer. ``position`` is the n of their last committed change."""

    key: int
    id: str
    name: str
    zone: str
    position: int
    synced_ms: int | None


@dataclass(frozen=True, slots=True)
class Grant:
    """What one principal may do. ``metrics`` None is all of them.

    ``users`` are those that there are: a grant for all of them sees later ones when read anew.
    ``bridge_key`` is the id of the key of its own that a bridge signs its tokens with: one that
    has a key is known by it alone. ``generation`` is what tokens that this server made have to
    name. ``may_mark``: this viewer may start and end sessions and set marks.
    """

    sub: str
    role: Role
    name: str
    everyone: bool
    users: tuple[User, ...]
    ids: frozenset[str]
    metrics: frozenset[str] | None
    bridge_key: str | None = None
    generation: str | None = None
    may_mark: bool = False

    def allows(self, user: str) -> bool:
        """Whether this user is there and granted. The two cannot be told apart."""
        return user in self.ids

    def sees(self, metric: str) -> bool:
        """Whether this metric is granted."""
        return self.metrics is None or metric in self.metrics


def _user(row: sqlite3.Row) -> User:
    return User(
        row["user_key"], row["id"], row["name"], row["zone"], row["position"], row["synced_ms"]
    )


def find_user(transaction: Transaction, user: str) -> User | None:
    """The user of this id."""
    row = transaction.one("user_by_id", id=user)
    return _user(row) if row is not None else None


def missing_users(transaction: Transaction, users: Iterable[str]) -> list[str]:
    """Those of these that there are not, by id."""
    return [user for user in sorted(set(users)) if find_user(transaction, user) is None]


def user_of_key(transaction: Transaction, user_key: int) -> User:
    """The user that a row refers to."""
    row = transaction.one("user_by_key", user_key=user_key)
    assert row is not None, "rows refer to users that there are"
    return _user(row)


def all_users(transaction: Transaction) -> list[User]:
    """Every user, by id."""
    return [_user(row) for row in transaction.all("all_users")]


def find_grant(transaction: Transaction, sub: str) -> Grant | None:
    """What this principal may; None for one that was never granted anything, or was revoked."""
    row = transaction.one("principal", sub=sub)
    if row is None:
        return None
    everyone = bool(row["all_users"])
    rows = (
        transaction.all("all_users") if everyone else transaction.all("users_of_principal", sub=sub)
    )
    users = tuple(map(_user, rows))
    return _grant(row, users, frozenset(user.id for user in users))


def _grant(row: sqlite3.Row, users: tuple[User, ...], ids: frozenset[str]) -> Grant:
    return Grant(
        sub=row["sub"],
        role=Role(row["role"]),
        name=row["name"],
        everyone=bool(row["all_users"]),
        users=users,
        ids=ids,
        metrics=None if row["metrics"] is None else frozenset(json.loads(row["metrics"])),
        bridge_key=row["bridge_key"],
        generation=row["generation"],
        may_mark=bool(row["may_mark"]),
    )


def all_grants(transaction: Transaction) -> list[Grant]:
    """The grants of all principals."""
    return _grants(transaction, transaction.all("all_principals"))


def bridge_grants(transaction: Transaction) -> list[Grant]:
    """The grants of all bridges."""
    rows = transaction.all("all_principals")
    return _grants(transaction, [row for row in rows if row["role"] == Role.BRIDGE])


def grants_of(transaction: Transaction, subs: Iterable[str]) -> dict[str, Grant]:
    """The grants of these principals, of one moment; those that there are."""
    rows = (transaction.one("principal", sub=sub) for sub in subs)
    found = _grants(transaction, [row for row in rows if row is not None])
    return {grant.sub: grant for grant in found}


def _grants(transaction: Transaction, rows: list[sqlite3.Row]) -> list[Grant]:
    """Each user is read once, however many may see them."""
    users = tuple(all_users(transaction))
    order = {user.key: place for place, user in enumerate(users)}
    everyone = frozenset(user.id for user in users)
    grants = []
    for row in rows:
        if row["all_users"]:
            grants.append(_grant(row, users, everyone))
            continue
        keys = transaction.all("keys_of_users_of_principal", sub=row["sub"])
        theirs = tuple(users[place] for place in sorted(order[key["user_key"]] for key in keys))
        grants.append(_grant(row, theirs, frozenset(user.id for user in theirs)))
    return grants


def add_user(transaction: Transaction, user: str, name: str, zone: str) -> bool:
    """Add a user; False when there is one of this id, who is left as they are."""
    added = transaction.run("insert_user", id=user, name=name, zone=zone) > 0
    if added:
        transaction.run("bump_rights_version")
    return added


def change_user(transaction: Transaction, user: str, name: str | None, zone: str | None) -> bool:
    """Change what is not None; False when there is no such user."""
    changed = transaction.run("change_user", id=user, name=name, zone=zone) > 0
    if changed:
        transaction.run("bump_rights_version")
    return changed


def put_grant(
    transaction: Transaction,
    sub: str,
    role: Role,
    name: str,
    users: list[str] | Literal["all"],
    metrics: list[str] | None,
    *,
    may_mark: bool = False,
) -> list[str]:
    """Grant exactly this, in place of what was granted; the users that there are not."""
    everyone = users == "all"
    listed = [] if users == "all" else users
    transaction.run(
        "put_principal",
        sub=sub,
        role=role.value,
        name=name,
        all_users=int(everyone),
        metrics=None if metrics is None else json.dumps(sorted(metrics)),
        now_ms=transaction.now_ms,
        may_mark=int(may_mark and role is Role.VIEWER),
    )
    if role is not Role.BRIDGE:
        transaction.run("delete_bridge_key", sub=sub)
    transaction.run("clear_grants", sub=sub)
    missing = [user for user in listed if transaction.run("insert_grant", sub=sub, id=user) == 0]
    transaction.run("bump_rights_version")
    return missing


def enrol(
    transaction: Transaction,
    sub: str,
    name: str,
    users: list[str] | Literal["all"],
    metrics: list[str] | None,
    key: tuple[str, bytes],
) -> bool:
    """Grant exactly this to a bridge that is known by this key (its id, its 32 bytes) alone.

    False when the key is another principal's: two that cannot be told apart would be one.
    """
    identity, public_key = key
    known = transaction.one("bridge_key", id=identity)
    if known is not None and known["sub"] != sub:
        return False
    put_grant(transaction, sub, Role.BRIDGE, name, users, metrics)
    transaction.run("delete_bridge_key", sub=sub)
    transaction.run("insert_bridge_key", id=identity, sub=sub, public_key=public_key)
    # Without its key it is known by tokens again, and not by those that were made before.
    _begin_generation(transaction, sub)
    return True


def grant_by_token(
    transaction: Transaction,
    sub: str,
    role: Role,
    name: str,
    users: list[str] | Literal["all"],
    metrics: list[str] | None,
    *,
    may_mark: bool = False,
) -> str | None:
    """Grant exactly this to one that is known by tokens; the generation that they are to name."""
    put_grant(transaction, sub, role, name, users, metrics, may_mark=may_mark)
    transaction.run("delete_bridge_key", sub=sub)
    return generation_of(transaction, sub)


def generation_of(transaction: Transaction, sub: str) -> str | None:
    """What tokens that this server made for this principal have to name; None for nothing."""
    row = transaction.one("generation", sub=sub)
    return str(row["value"]) if row is not None else None


def _begin_generation(transaction: Transaction, sub: str) -> None:
    # Random, and no count: a database that is put back would give a number twice.
    transaction.run("begin_generation", sub=sub, value=secrets.token_urlsafe(9))


def find_bridge_key(transaction: Transaction, key: str) -> tuple[str, bytes] | None:
    """The principal that this key speaks for, and the key's 32 bytes."""
    row = transaction.one("bridge_key", id=key)
    return (str(row["sub"]), bytes(row["public_key"])) if row is not None else None


def revoke(transaction: Transaction, sub: str) -> bool:
    """Take all rights away, and for ever from tokens that this server made.

    False when there was no such principal.
    """
    gone = transaction.run("delete_principal", sub=sub) > 0
    if gone:
        _begin_generation(transaction, sub)
        transaction.run("note_revocation", now_ms=transaction.now_ms)
    transaction.run("bump_rights_version")
    return gone


def rights_version(transaction: Transaction) -> int:
    """A number that changes whenever a user or a grant does."""
    row = transaction.one("rights_version")
    return int(row["value"]) if row is not None else 0
