"""One metric's state at the moment of a transaction, measured or said."""

from __future__ import annotations

from collections.abc import Collection

from strapline_protocol.metrics import metric_named
from strapline_protocol.watching import MetricData
from strapline_server.state import render
from strapline_server.store.aggregates import Aggregates
from strapline_server.store.database import Transaction
from strapline_server.store.notes import read_said
from strapline_server.store.people import User


def read_metric(
    transaction: Transaction,
    aggregates: Aggregates,
    user: User,
    metric: str,
    connected: Collection[str] | None = None,
) -> MetricData:
    """The state.

    Args:
        transaction: whose moment it is.
        aggregates: of the same transaction.
        user: whose state it is.
        metric: which.
        connected: the user's devices whose hop stands, where that is known.
    """
    if metric_named(metric).said:
        return read_said(transaction, user.key, metric)
    return render(
        metric,
        aggregates.sources(user.key, metric),
        aggregates.day(user, metric),
        transaction.now_ms,
        connected,
    )
