"""A page of gaps: stretches without a reading and why, position and rights of one moment.

What is asked about is read like history: found by time, and no further than a page goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from strapline_protocol.asking import GapsPage, GapsParams
from strapline_protocol.gaps import Spell
from strapline_protocol.metrics import metric_named
from strapline_protocol.watching import Gap as Told
from strapline_server.store.causes import Causes
from strapline_server.store.coverage import MOST_DEVICES, Coverage, Device, Gap
from strapline_server.store.cursors import OTHERS, Cursor, safe
from strapline_server.store.database import Transaction, Value
from strapline_server.store.people import User, find_grant, find_user
from strapline_server.store.runs import Runs

#: A page ends before it has read many more readings and rows of evidence.
MOST_READ: Final = 100_000


@dataclass(frozen=True, slots=True)
class Known:
    """What bridges say of themselves.

    Attributes:
        complete_through_ms: up to then all that was measured is here or is accounted for.
        heard_ms: by bridge, up to when it said that nothing is waiting.
    """

    complete_through_ms: int | None = None
    heard_ms: Mapping[str, int] = field(default_factory=dict)


def read_gaps(
    transaction: Transaction, epoch: str, sub: str, params: GapsParams, known: Known
) -> GapsPage | None:
    """One page, in order of time; None when it is not granted.

    Raises:
        ValueError: ``after`` ends no page of this question, or the metric is not measured.
    """
    grant = find_grant(transaction, sub)
    if grant is None or not grant.allows(params.user) or not grant.sees(params.metric):
        return None
    user = find_user(transaction, params.user)
    if user is None:
        return None
    if metric_named(params.metric).said:
        raise ValueError(
            f"{params.metric} is said, not measured, so that nothing of it is missing. Ask for "
            "the gaps of what is measured, such as heart_rate."
        )
    cursor = _Cursor(params)
    from_ms = cursor.begin(params.from_ms)
    to_ms = min(params.to_ms, transaction.now_ms)
    page = _Page(params.limit)
    if from_ms < to_ms:
        _fill(page, transaction, user, params, known, from_ms, to_ms)
    return GapsPage(
        user=user.id,
        metric=params.metric,
        gaps=page.gaps,
        complete_through_ms=known.complete_through_ms,
        position=(epoch, user.position),
        next=None if page.ended_ms is None else cursor.at([page.ended_ms]),
    )


class _Cursor(Cursor):
    """Where pages of one question end: at a moment up to which all is told."""

    def __init__(self, params: GapsParams) -> None:
        question: list[str | int] = ["gaps", params.user, params.metric, params.device or ""]
        super().__init__([*question, params.from_ms, params.to_ms], params.after)

    def begin(self, from_ms: int) -> int:
        """Where the page begins; ValueError for another question's."""
        match self.told():
            case None:
                return from_ms
            case [int(at_ms)] if safe(at_ms) and at_ms >= from_ms:
                return at_ms
        raise ValueError(OTHERS)


@dataclass(slots=True)
class _Page:
    """Gaps as they are told, and where the page ended if more may follow."""

    limit: int
    gaps: list[Told] = field(default_factory=list)
    ended_ms: int | None = None


def _fill(
    page: _Page,
    transaction: Transaction,
    user: User,
    params: GapsParams,
    known: Known,
    from_ms: int,
    to_ms: int,
) -> None:
    causes = Causes(transaction, user.key, Runs(transaction, known.heard_ms))
    devices = _devices(transaction, user, params)
    coverage = Coverage(transaction, user.key, params.metric, devices, causes.first)
    gaps, looked_ms = _look(coverage, from_ms, to_ms)
    for gap in gaps:
        end_ms = to_ms if gap.to_ms is None else min(gap.to_ms, to_ms)
        for piece in causes.pieces(gap, max(gap.from_ms, from_ms), end_ms, MOST_READ):
            if len(page.gaps) == page.limit:
                page.ended_ms = piece.from_ms
                return
            goes_on = piece.to_ms == end_ms and (gap.to_ms is None or gap.to_ms > end_ms)
            page.gaps.append(_told(piece, lasts=goes_on))
            if causes.cost > MOST_READ and piece.to_ms < looked_ms:
                page.ended_ms = piece.to_ms
                return
    if looked_ms < to_ms:
        page.ended_ms = looked_ms


def each_gap(
    transaction: Transaction, user: User, metric: str, from_ms: int, to_ms: int
) -> Iterator[list[Spell]]:
    """Each gap between two moments, cut by its causes, as far as the database alone knows them.

    What is kept at a time is what a page would be made of.
    """
    params = GapsParams(user=user.id, metric=metric, from_ms=from_ms, to_ms=to_ms)
    devices = _devices(transaction, user, params)
    while from_ms < to_ms:
        causes = _causes(transaction, user)
        coverage = Coverage(transaction, user.key, metric, devices, causes.first)
        gaps, looked_ms = _look(coverage, from_ms, to_ms)
        for gap in gaps:
            end_ms = to_ms if gap.to_ms is None else min(gap.to_ms, to_ms)
            pieces: list[Spell] = []
            at_ms = max(gap.from_ms, from_ms)
            while at_ms < end_ms:
                if causes.cost > MOST_READ:
                    causes = _causes(transaction, user)
                found = list(causes.pieces(gap, at_ms, end_ms, MOST_READ))
                pieces += found
                # The rest of one that took too much is looked at anew.
                at_ms = found[-1].to_ms if found else end_ms
            yield pieces
        from_ms = looked_ms


def _causes(transaction: Transaction, user: User) -> Causes:
    return Causes(transaction, user.key, Runs(transaction, {}))


def _look(coverage: Coverage, from_ms: int, to_ms: int) -> tuple[list[Gap], int]:
    """The gaps of about a page, and up to where it was looked, which is further than before."""
    most = MOST_READ
    gaps, looked_ms = coverage.gaps(from_ms, to_ms, most)
    while looked_ms <= from_ms:
        # Much that begins at the same moment: whoever goes on has to get somewhere.
        most *= 2
        gaps, looked_ms = coverage.gaps(from_ms, to_ms, most)
    return gaps, looked_ms


def _devices(transaction: Transaction, user: User, params: GapsParams) -> list[Device]:
    """All of the user's, or those that are one strap with the one that is asked about."""
    key: dict[str, Value] = {"user_key": user.key, "metric": params.metric, "most": MOST_DEVICES}
    if params.device is None:
        rows = transaction.all("devices_of_metric", **key)
    else:
        rows = transaction.all("devices_of_strap", **key, device=params.device)
    return [Device(row["device_key"], row["id"]) for row in rows]


def _told(piece: Spell, *, lasts: bool) -> Told:
    return Told(
        from_ms=piece.from_ms,
        to_ms=piece.to_ms,
        cause=piece.cause,
        evidence=piece.evidence or None,
        device=piece.device or None,
        count=piece.count,
        lasts=lasts,
    )
