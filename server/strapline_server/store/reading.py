"""What a subscription begins with: a snapshot, or the changes since a position.

State and position are read in one transaction, so that they belong together; rights are read
in the same one.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from strapline_protocol.watching import MOST_USERS, MetricData, Position, Subscribe
from strapline_server.store.aggregates import Aggregates
from strapline_server.store.database import Transaction
from strapline_server.store.people import Grant, User, find_grant
from strapline_server.store.states import States

_LOG = logging.getLogger(__name__)
#: More changes than this are not replayed to one viewer: the state is shorter.
MOST_REPLAYED: Final = 2_000


@dataclass(frozen=True, slots=True)
class Logged:
    """A change out of the log, as it was sent."""

    position: int
    metric: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class UserView:
    """One user at one moment: the state, or the changes since what the viewer holds."""

    user: User
    state: dict[str, MetricData] | None
    replay: list[Logged] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class View:
    """What a subscription begins with. ``grant`` None: this principal may nothing."""

    grant: Grant | None
    users: list[UserView]
    denied: bool = False


def read_view(
    transaction: Transaction,
    epoch: str,
    sub: str,
    subscribe: Subscribe,
    connected: Collection[tuple[str, str]],
) -> View:
    """Position and state of one moment for what is asked and granted.

    Args:
        transaction: of this moment.
        epoch: this database's history.
        sub: who asks; the grant is read anew.
        subscribe: what is asked.
        connected: user and device of each hop that stands.
    """
    grant = find_grant(transaction, sub)
    if grant is None:
        return View(None, [])
    granted = {user.id: user for user in grant.users}
    asked = (
        list(granted)[:MOST_USERS]
        if subscribe.users is None
        else list(dict.fromkeys(subscribe.users))
    )
    if any(user not in granted for user in asked):
        return View(grant, [], denied=True)
    wanted = None if subscribe.metrics is None else frozenset(subscribe.metrics)
    views = []
    budget = MOST_REPLAYED
    for user in (granted[name] for name in asked):
        metrics = [
            row["metric"]
            for row in transaction.all("heads", user_key=user.key)
            if grant.sees(row["metric"]) and (wanted is None or row["metric"] in wanted)
        ]
        since = subscribe.since.get(user.id)
        replay = None
        if since is not None and _was_seen_alike(transaction, sub, user, since):
            replay = _replay(transaction, epoch, user, since, budget)
        if replay is not None:
            budget -= len(replay)
            views.append(UserView(user, None, [one for one in replay if one.metric in metrics]))
        else:
            views.append(UserView(user, read_state(transaction, user, metrics, connected)))
    return View(grant, views)


def read_state(
    transaction: Transaction,
    user: User,
    metrics: Collection[str],
    connected: Collection[tuple[str, str]],
) -> dict[str, MetricData]:
    """The state of these metrics at this moment; without one that cannot be told."""
    of_user = frozenset(device for owner, device in connected if owner == user.id)
    states = States(transaction, Aggregates(transaction), lambda *_: of_user)
    state = {}
    for metric in metrics:
        try:
            state[metric] = states.data(user, metric)
        except (ValueError, ArithmeticError):
            # A value that the wire does not carry costs its metric, not the screen of all.
            _LOG.exception("%s of a user cannot be shown", metric)
    return state


def _was_seen_alike(transaction: Transaction, sub: str, user: User, since: Position) -> bool:
    """Whether who holds this position got it with the metrics that are granted now.

    In doubt not: the state is always right, the changes after a position only with what was
    before it.
    """
    if since[1] == 0:
        # Before the first change there is nothing to be seen.
        return True
    row = transaction.one("metrics_since", sub=sub)
    if row is None or row["metrics_since_ms"] == 0:
        return row is not None
    if since[1] == user.position:
        committed_ms = user.synced_ms
    else:
        logged = transaction.one("logged_at", user_key=user.key, position=since[1])
        committed_ms = None if logged is None else logged["committed_ms"]
    return committed_ms is not None and committed_ms >= row["metrics_since_ms"]


def _replay(
    transaction: Transaction, epoch: str, user: User, since: Position, most: int
) -> list[Logged] | None:
    """The changes after ``since``; None where they cannot be told and all begins anew."""
    if since[0] != epoch or since[1] > user.position:
        return None
    if user.position - since[1] > most:
        return None
    rows = transaction.all("log_since", user_key=user.key, position=since[1], most=most)
    if len(rows) != user.position - since[1]:
        return None
    return [Logged(row["position"], row["metric"], row["message"]) for row in rows]
