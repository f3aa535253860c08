"""One metric's state at the moment of a transaction, measured or said."""

from __future__ import annotations

from collections.abc import Collection

from strapline_protocol.metrics import HEART_RATE, metric_named
from strapline_protocol.watching import MetricData, Session
from strapline_server.state import SessionSoFar, render
from strapline_server.store.aggregates import Aggregates
from strapline_server.store.database import Transaction
from strapline_server.store.notes import newest_sessions, read_said
from strapline_server.store.people import User
from strapline_server.store.stretches import Stretches


def read_metric(
    transaction: Transaction,
    aggregates: Aggregates,
    user: User,
    metric: str,
    connected: Collection[str] | None = None,
    stretches: Stretches | None = None,
) -> MetricData:
    """The state.

    Args:
        transaction: whose moment it is.
        aggregates: of the same transaction.
        user: whose state it is.
        metric: which.
        connected: the user's devices whose hop stands, where that is known.
        stretches: what is kept of running sessions; without it they are read anew.
    """
    if metric_named(metric).said:
        return read_said(transaction, user.key, metric)
    session = None
    if metric == HEART_RATE.name and (running := running_session(transaction, user.key)):
        found = (stretches or Stretches()).since(transaction, user.key, metric, running.start_ms)
        session = SessionSoFar(running.start_ms, found.count, found.total, found.low, found.high)
    return render(
        metric,
        aggregates.sources(user.key, metric),
        aggregates.day(user, metric),
        transaction.now_ms,
        connected,
        session,
    )


def running_session(transaction: Transaction, user_key: int) -> Session | None:
    """The session that runs: the last to begin, while it has no end."""
    newest = newest_sessions(transaction, user_key, most=1)
    return newest[0] if newest and newest[0].end_ms is None else None
