"""The sessions of a stretch of time, with the heart rates that were measured in each."""

from __future__ import annotations

from typing import Final

from strapline_protocol.asking import SessionMeasured, SessionsPage, SessionsParams
from strapline_protocol.metrics import HEART_RATE, SESSION
from strapline_protocol.watching import Session
from strapline_server.state import AHEAD_MS, average
from strapline_server.store.aggregates import Aggregates
from strapline_server.store.cursors import OTHERS, Cursor, safe
from strapline_server.store.database import Transaction
from strapline_server.store.notes import session_of
from strapline_server.store.people import User, find_grant, find_user
from strapline_server.store.sums import Sum

#: What each has measured is read for the page, 10 ms each: a longer one keeps others waiting.
_LONGEST_PAGE: Final = 50
#: Sessions are in this order.
_PLACE: Final = ("at_ms", "device_key", "name")


def read_sessions(
    transaction: Transaction, epoch: str, sub: str, params: SessionsParams
) -> SessionsPage | None:
    """One page of sessions that touch the range, by their beginning; None when not granted.

    Raises:
        ValueError: ``after`` ends no page of this question.
    """
    grant = find_grant(transaction, sub)
    if grant is None or not grant.allows(params.user) or not grant.sees(SESSION.name):
        return None
    user = find_user(transaction, params.user)
    if user is None:
        return None
    cursor = Cursor(["sessions", params.user, params.from_ms, params.to_ms], params.after)
    after_ms, after_device, after_name = _place(cursor)
    limit = min(params.limit, _LONGEST_PAGE)
    rows = transaction.all(
        "sessions_in_time",
        user_key=user.key,
        from_ms=params.from_ms,
        to_ms=params.to_ms,
        after_ms=after_ms,
        after_device=after_device,
        after_name=after_name,
        most=limit + 1,
    )
    page = rows[:limit]
    ended = [page[-1][column] for column in _PLACE] if len(rows) > limit else None
    sees_rates = grant.sees(HEART_RATE.name)
    return SessionsPage(
        user=user.id,
        sessions=[_measured(transaction, user, session_of(row), sees_rates) for row in page],
        position=(epoch, user.position),
        next=None if ended is None else cursor.at(ended),
    )


def _place(cursor: Cursor) -> tuple[int, int, str]:
    """Behind which session the page begins; ValueError for another question's."""
    match cursor.told():
        case None:
            return -1, 0, ""
        case [int(at_ms), int(device_key), str(name)] if safe(at_ms, device_key):
            return at_ms, device_key, name
    raise ValueError(OTHERS)


def _measured(
    transaction: Transaction, user: User, session: Session, sees_rates: bool
) -> SessionMeasured:
    """With the end that it has, or all that is not ahead of its time while it runs."""
    found = Sum()
    if sees_rates:
        end_ms = session.end_ms
        if end_ms is None:
            end_ms = max(session.start_ms, transaction.now_ms + AHEAD_MS + 1)
        aggregates = Aggregates(transaction)
        found = aggregates.between(user.key, HEART_RATE.name, session.start_ms, end_ms)
    return SessionMeasured(
        session=session,
        readings=found.count,
        average=average(found.count, found.total),
        min=found.low,
        max=found.high,
    )
