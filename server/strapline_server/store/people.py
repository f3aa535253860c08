"""Users, principals and grants: who there is, and who may what, read anew each time."""

from __future__ import annotations

import json
import sqlite3
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
    """

    sub: str
    role: Role
    name: str
    everyone: bool
    users: tuple[User, ...]
    ids: frozenset[str]
    metrics: frozenset[str] | None

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
    return Grant(
        sub=sub,
        role=Role(row["role"]),
        name=row["name"],
        everyone=everyone,
        users=users,
        ids=frozenset(user.id for user in users),
        metrics=None if row["metrics"] is None else frozenset(json.loads(row["metrics"])),
    )


def all_grants(transaction: Transaction) -> list[Grant]:
    """The grants of all principals."""
    found = [find_grant(transaction, row["sub"]) for row in transaction.all("all_principals")]
    return [grant for grant in found if grant is not None]


def bridge_grants(transaction: Transaction) -> list[Grant]:
    """The grants of all bridges."""
    subs = [row["sub"] for row in transaction.all("all_principals") if row["role"] == Role.BRIDGE]
    found = (find_grant(transaction, sub) for sub in subs)
    return [grant for grant in found if grant is not None]


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
    )
    transaction.run("clear_grants", sub=sub)
    missing = [user for user in listed if transaction.run("insert_grant", sub=sub, id=user) == 0]
    transaction.run("bump_rights_version")
    return missing


def revoke(transaction: Transaction, sub: str) -> bool:
    """Take all rights away; False when there was no such principal."""
    gone = transaction.run("delete_principal", sub=sub) > 0
    if gone:
        transaction.run("note_revocation", now_ms=transaction.now_ms)
    transaction.run("bump_rights_version")
    return gone


def rights_version(transaction: Transaction) -> int:
    """A number that changes whenever a user or a grant does."""
    row = transaction.one("rights_version")
    return int(row["value"]) if row is not None else 0
