"""A user's sources: which there are, in which order they count, and what a change of it changes.

The order itself is the view ``source_order``. Here is what goes into it: the user's own order,
whether a device knows contact, and which ids are one strap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from strapline_protocol.metrics import STEPS
from strapline_protocol.watching import HistoryChange
from strapline_server.store.database import Transaction, Value
from strapline_server.store.people import User, user_of_key
from strapline_server.store.sums import HOUR_MINUTES, MINUTE_MS
from strapline_server.store.telling import Past

#: So that a place fits the view's arithmetic.
MOST_ORDERED: Final = 256


@dataclass(frozen=True, slots=True)
class KnownSource:
    """One device of a user's metric, in the order in which they are shown and counted.

    Attributes:
        name: as its bridge calls it; empty where none has said.
        preferred: whether the user's own order names it.
        strap: the id that this one is another of, else its own.
    """

    metric: str
    device: str
    name: str
    strap: str
    preferred: bool
    knows_contact: bool
    newest_ms: int | None


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """Something was measured with it; ``strap`` is the id that it is another of, or its own."""

    device: str
    name: str
    strap: str


def read_devices(transaction: Transaction) -> list[KnownDevice]:
    """All of them, the first that was seen first."""
    return [
        KnownDevice(row["device"], row["name"], row["strap"])
        for row in transaction.all("all_devices")
    ]


def read_sources(
    transaction: Transaction, user: User, metric: str | None = None
) -> list[KnownSource]:
    """All of a user's, or those of one metric; in order."""
    return [
        KnownSource(
            metric=row["metric"],
            device=row["device"],
            name=row["name"],
            strap=row["strap"],
            preferred=row["preferred"] is not None,
            knows_contact=bool(row["knows_contact"]),
            newest_ms=row["newest_ms"],
        )
        for row in transaction.all("sources_of_user", user_key=user.key)
        if metric is None or row["metric"] == metric
    ]


def know_contact(transaction: Transaction, user: User, metric: str, device_key: int) -> list[Past]:
    """This device knows whether it is worn: what that changes."""
    key: dict[str, Value] = {"user_key": user.key, "metric": metric, "device_key": device_key}
    return _changing(transaction, [(user, metric)], lambda: transaction.run("know_contact", **key))


def put_order(
    transaction: Transaction, user: User, metric: str | None, devices: Sequence[str]
) -> list[Past]:
    """From now on these come first, in this order; none: the order is that of the rules again.

    Args:
        transaction: to do it in.
        user: whose sources they are.
        metric: of this one alone; of all that have no order of their own where it is None.
        devices: ids that there are.
    """
    key: dict[str, Value] = {"user_key": user.key, "metric": metric or ""}

    def put() -> None:
        transaction.run("clear_preferences", **key)
        for place, device in enumerate(devices):
            transaction.run("prefer", **key, id=device, place=place)
        transaction.run("apply_preferences", user_key=user.key)

    return _changing(transaction, _metrics(transaction, user), put)


def put_link(transaction: Transaction, device: str, strap: str | None) -> list[Past]:
    """Say that a device's id is another of this strap's; None: that it is a strap of its own.

    Ids that were linked to it go with it to another strap, and stay together without it.
    """
    others = [row["id"] for row in transaction.all("ids_of_strap", id=device)]

    def put() -> None:
        transaction.run("link", id=device, strap=strap)
        for index, other in enumerate(others):
            heir = None if index == 0 else others[0]
            transaction.run("link", id=other, strap=heir if strap is None else strap)

    users = {
        row["user_key"]: user_of_key(transaction, row["user_key"])
        for one in (device, *others)
        for row in transaction.all("users_of_device", id=one)
    }
    concerned = [pair for user in users.values() for pair in _metrics(transaction, user)]
    return _changing(transaction, concerned, put)


def _metrics(transaction: Transaction, user: User) -> list[tuple[User, str]]:
    rows = transaction.all("metrics_of_user", user_key=user.key)
    return [(user, row["metric"]) for row in rows]


def _changing(
    transaction: Transaction,
    concerned: Sequence[tuple[User, str]],
    change: Callable[[], object],
) -> list[Past]:
    """Do it, and find of which metrics the order is another now."""
    before = [_order(transaction, user, metric) for user, metric in concerned]
    change()
    return [
        _past(transaction, user, metric)
        for (user, metric), earlier in zip(concerned, before, strict=True)
        if _order(transaction, user, metric) != earlier
    ]


def _order(transaction: Transaction, user: User, metric: str) -> list[tuple[int, int]]:
    rows = transaction.all("order_of_sources", user_key=user.key, metric=metric)
    return [(row["device_key"], row["strap_key"]) for row in rows]


def _past(transaction: Transaction, user: User, metric: str) -> Past:
    """The stretch in which several have anything, whose sums are another's now; of steps all.

    Where it begins and ends is looked up by hour first. It may be wider than what changes, and its
    count is of all in hours that several share.
    """
    # A day's steps are those of one device, whichever minutes it shares with another.
    key: dict[str, Value] = {"user_key": user.key, "metric": metric}
    alike = metric == STEPS.name
    if alike:
        row = transaction.one("hours_of_all", **key)
    else:
        row = transaction.one("hours_shared", **key)
    why = HistoryChange.OTHER_SOURCE
    if row is None or row["count"] is None:
        return Past(user, metric, why, transaction.now_ms, transaction.now_ms, 0)
    first, end = row["first"] * HOUR_MINUTES, (row["last"] + 1) * HOUR_MINUTES
    if not alike:
        first = _shared(transaction, key, first)[0]
        end = _shared(transaction, key, end - HOUR_MINUTES)[1]
    return Past(user, metric, why, max(0, first * MINUTE_MS), end * MINUTE_MS, row["count"])


def _shared(
    transaction: Transaction, key: Mapping[str, Value], first_minute: int
) -> tuple[int, int]:
    """The stretch of this hour in which several have anything: all of it where no minute has."""
    end_minute = first_minute + HOUR_MINUTES
    bounds = {"first_minute": first_minute, "end_minute": end_minute}
    row = transaction.one("minutes_shared", **key, **bounds)
    if row is None or row["first"] is None:
        return first_minute, end_minute
    return row["first"], row["last"] + 1
