"""The sessions of a stretch of time, with the heart rates that were measured in each."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Final

from strapline_protocol.asking import SessionMeasured, SessionsPage, SessionsParams
from strapline_protocol.metrics import HEART_RATE, SESSION
from strapline_protocol.watching import Session
from strapline_server.state import AHEAD_MS, average
from strapline_server.store.aggregates import Aggregates
from strapline_server.store.database import Transaction
from strapline_server.store.notes import session_of
from strapline_server.store.people import User, find_grant, find_user
from strapline_server.store.sums import Sum

#: What each has measured is read for the page, 10 ms each: a longer one keeps others waiting.
_LONGEST_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page ended: sessions are in order of their beginning, device and id."""

    at_ms: int
    device_key: int
    name: str

    def cursor(self) -> str:
        text = json.dumps([self.at_ms, self.device_key, self.name], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def of(cls, cursor: str) -> _Place:
        """Raises ValueError when it is none of ours."""
        padded = cursor + "=" * (-len(cursor) % 4)
        match json.loads(base64.urlsafe_b64decode(padded)):
            # SQLite's integers end at 64 bits.
            case [int(at_ms), int(device), str(name)] if max(abs(at_ms), abs(device)) < 2**53:
                return cls(at_ms, device, name)
        raise ValueError("not a cursor")


def read_sessions(
    transaction: Transaction, epoch: str, sub: str, params: SessionsParams
) -> SessionsPage | None:
    """One page of sessions that touch the range, by their beginning; None when not granted.

    Raises:
        ValueError: ``after`` is no cursor of this server's.
    """
    grant = find_grant(transaction, sub)
    if grant is None or not grant.allows(params.user) or not grant.sees(SESSION.name):
        return None
    user = find_user(transaction, params.user)
    if user is None:
        return None
    after = _Place(-1, 0, "") if params.after is None else _Place.of(params.after)
    limit = min(params.limit, _LONGEST_PAGE)
    rows = transaction.all(
        "sessions_in_time",
        user_key=user.key,
        from_ms=params.from_ms,
        to_ms=params.to_ms,
        after_ms=after.at_ms,
        after_device=after.device_key,
        after_name=after.name,
        most=limit + 1,
    )
    page = rows[:limit]
    last = _Place(page[-1]["at_ms"], page[-1]["device_key"], page[-1]["name"]) if page else after
    sees_rates = grant.sees(HEART_RATE.name)
    return SessionsPage(
        user=user.id,
        sessions=[_measured(transaction, user, session_of(row), sees_rates) for row in page],
        position=(epoch, user.position),
        next=last.cursor() if len(rows) > limit else None,
    )


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
