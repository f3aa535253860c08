"""What viewers ask of the store: a snapshot, the changes since a position, pages of history.

Each is read in one transaction, so that state, position and readings belong together; rights
are read in the same one.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from strapline_protocol.asking import HistoryPage, HistoryParams
from strapline_protocol.publishing import Zero
from strapline_protocol.watching import MOST_USERS, MetricData, Position, Subscribe
from strapline_server.store.aggregates import Aggregates
from strapline_server.store.columns import (
    LONGEST_BLOCK_MS,
    Piece,
    gather,
    sound,
    wall_times,
)
from strapline_server.store.database import Transaction
from strapline_server.store.people import Grant, User, find_grant, find_user
from strapline_server.store.states import read_metric

_LOG = logging.getLogger(__name__)
#: More changes than this are not replayed to one viewer: the state is shorter.
MOST_REPLAYED: Final = 2_000
#: A page stops before its columns outgrow what a client reads as one message.
_LARGEST_PAGE_BYTES: Final = 3 * 2**20


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
    aggregates = Aggregates(transaction)
    of_user = frozenset(device for owner, device in connected if owner == user.id)
    state = {}
    for metric in metrics:
        try:
            state[metric] = read_metric(transaction, aggregates, user, metric, of_user)
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


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where a page ended: readings are in order of time, stream and number."""

    at_ms: int
    stream: str
    number: int

    def cursor(self) -> str:
        text = json.dumps([self.at_ms, self.stream, self.number], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def of(cls, cursor: str) -> _Mark:
        """Raises ValueError when it is none of ours."""
        padded = cursor + "=" * (-len(cursor) % 4)
        match json.loads(base64.urlsafe_b64decode(padded)):
            # SQLite's integers end at 64 bits.
            case [int(at_ms), str(stream), int(number)] if max(abs(at_ms), abs(number)) < 2**53:
                return cls(at_ms, stream, number)
        raise ValueError("not a cursor")

    def before(self, at_ms: int, stream: str, number: int) -> bool:
        """Whether a reading comes after the mark."""
        return (self.at_ms, self.stream, self.number) < (at_ms, stream, number)


def read_history(
    transaction: Transaction, epoch: str, sub: str, params: HistoryParams
) -> HistoryPage | None:
    """One page of raw readings, in order of time; None when it is not granted.

    Raises:
        ValueError: ``after`` is no cursor of this server's.
    """
    grant = find_grant(transaction, sub)
    if grant is None or not grant.allows(params.user) or not grant.sees(params.metric):
        return None
    user = find_user(transaction, params.user)
    if user is None:
        return None
    after = _Mark.of(params.after) if params.after is not None else None
    found, more = _readings(transaction, user, params, after)
    page = found[: params.limit]
    more = more or len(found) > len(page)
    return HistoryPage(
        user=params.user,
        metric=params.metric,
        series=gather(_pieces(page)),
        position=(epoch, user.position),
        next=_Mark(*page[-1][:3]).cursor() if more and page else None,
    )


#: (wall time, stream, number, index in its block, block)
_Found = tuple[int, str, int, int, Piece]


def _readings(
    transaction: Transaction, user: User, params: HistoryParams, after: _Mark | None
) -> tuple[list[_Found], bool]:
    """Readings of the range after the mark, at least one page of them where there is one."""
    from_ms = max(params.from_ms, after.at_ms) if after is not None else params.from_ms
    rows = transaction.each(
        "blocks_in_time",
        user_key=user.key,
        metric=params.metric,
        from_ms=from_ms,
        to_ms=params.to_ms,
        longest_ms=LONGEST_BLOCK_MS,
    )
    zeros: dict[str, Zero] = {}
    found: list[_Found] = []
    complete_before = None
    read_bytes = 0
    for row in rows:
        # Blocks come in order of their beginning: none after this one holds anything earlier.
        if len(found) > params.limit or read_bytes > _LARGEST_PAGE_BYTES:
            found.sort(key=_order)
            enough = params.limit if read_bytes <= _LARGEST_PAGE_BYTES else 1
            if found and found[enough - 1][0] < row["from_ms"]:
                complete_before = row["from_ms"]
                break
        zero = zeros.get(row["zero"]) or Zero.model_validate_json(row["zero"])
        zeros[row["zero"]] = zero
        if (block := sound(row["block_key"], row["data"])) is None:
            continue
        series, length = block
        read_bytes += length
        at_ms = wall_times(zero, series.elapsed())
        received_ms = (row["committed_ms"], row["judged_ms"])
        piece = Piece(row["stream"], series, at_ms, *received_ms, zero)
        for index, (at, number) in enumerate(zip(at_ms, series.numbers(), strict=True)):
            if not params.from_ms <= at < params.to_ms:
                continue
            if after is None or after.before(at, row["stream"], number):
                found.append((at, row["stream"], number, index, piece))
    rows.close()
    found.sort(key=_order)
    if complete_before is not None:
        return [one for one in found if one[0] < complete_before], True
    return found, False


def _order(found: _Found) -> tuple[int, str, int]:
    return found[:3]


def _pieces(page: list[_Found]) -> list[Piece]:
    """The page's readings as parts of their blocks."""
    chosen: dict[int, tuple[Piece, list[int]]] = {}
    for *_, index, piece in page:
        chosen.setdefault(id(piece), (piece, []))[1].append(index)
    pieces = []
    for piece, indices in chosen.values():
        indices.sort()
        if len(indices) == len(piece.series):
            pieces.append(piece)
            continue
        pieces.append(
            Piece(
                piece.stream,
                piece.series.take(indices),
                [piece.at_ms[index] for index in indices],
                piece.committed_ms,
                piece.judged_ms,
                piece.zero,
            )
        )
    return pieces
