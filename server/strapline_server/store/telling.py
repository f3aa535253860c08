"""What a commit tells viewers: each change gets its position, the state after it, and is logged.

What another process than the server commits is left untold: the server finds it before whatever
it commits next, so that it hands all out in order of position.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from strapline_protocol.codec import decode_server, encode
from strapline_protocol.metrics import metric_named
from strapline_protocol.publishing import Zero
from strapline_protocol.series import Series
from strapline_protocol.watching import (
    HealthDataUpdate,
    HistoryChange,
    HistoryChanged,
    Position,
)
from strapline_server.store.columns import marked, to_timed
from strapline_server.store.database import Transaction
from strapline_server.store.people import User
from strapline_server.store.states import States


@dataclass(frozen=True, slots=True)
class Change:
    """One committed change of one user's metric, as viewers get it."""

    user: str
    metric: str
    message: HealthDataUpdate | HistoryChanged
    payload: bytes


@dataclass(frozen=True, slots=True)
class Update:
    """Young readings of one user, metric, device and stream that viewers are to get."""

    user: User
    stream: str
    zero: Zero
    series: Series
    at_ms: Sequence[int]

    @property
    def metric(self) -> str:
        """Of what."""
        return self.series.metric


@dataclass(frozen=True, slots=True)
class Past:
    """A stretch of the past that is not what it was; an empty one where only the state is not."""

    user: User
    metric: str
    why: HistoryChange
    from_ms: int
    to_ms: int
    count: int


class Telling:
    """The changes of one transaction, in the order in which they are told."""

    def __init__(self, transaction: Transaction, epoch: str, states: States) -> None:
        self._transaction = transaction
        self._epoch = epoch
        self._states = states

    def leave_untold(self, change: Update | Past) -> None:
        """As :meth:`tell`, by another process than the server: that one hands it out."""
        position = self.tell(change).message.position[1]
        self._transaction.run("leave_untold", user_key=change.user.key, position=position)

    def tell(self, change: Update | Past) -> Change:
        """Give it the next position, and log it. All that the commit stores is stored by now."""
        if isinstance(change, Update) and not self._is_shown(change):
            change = Past(
                change.user,
                change.metric,
                HistoryChange.OTHER_SOURCE,
                min(change.at_ms),
                max(change.at_ms) + 1,
                len(change.series),
            )
        message = self._update(change) if isinstance(change, Update) else self._history(change)
        payload = encode(message)
        self._transaction.run(
            "insert_log",
            user_key=change.user.key,
            position=message.position[1],
            metric=message.metric,
            committed_ms=self._transaction.now_ms,
            message=payload,
        )
        return Change(message.user, message.metric, message, payload)

    def _is_shown(self, change: Update) -> bool:
        metric = metric_named(change.metric)
        if metric.by_device or metric.said:
            return True
        found = self._states.measured(change.user, change.metric)
        source = found.shown(self._transaction.now_ms)
        return source is None or source.device == change.series.device

    def _update(self, change: Update) -> HealthDataUpdate:
        now_ms = self._transaction.now_ms
        series = marked(change.series, change.at_ms, now_ms)
        position, previous = self._advance(change.user, change.metric)
        return HealthDataUpdate(
            user=change.user.id,
            metric=change.metric,
            stream=change.stream,
            data=self._states.data(change.user, change.metric),
            series=to_timed(series, change.at_ms, now_ms, change.zero),
            position=position,
            previous=previous,
            server_time=now_ms,
        )

    def _history(self, change: Past) -> HistoryChanged:
        position, previous = self._advance(change.user, change.metric)
        return HistoryChanged(
            user=change.user.id,
            metric=change.metric,
            data=self._states.data(change.user, change.metric),
            from_ms=change.from_ms,
            to_ms=change.to_ms,
            count=change.count,
            position=position,
            previous=previous,
            server_time=self._transaction.now_ms,
            why=change.why,
        )

    def _advance(self, user: User, metric: str) -> tuple[Position, Position]:
        """The user's next position, and that of the change before it of this metric."""
        row = self._transaction.one(
            "next_position", user_key=user.key, now_ms=self._transaction.now_ms
        )
        number = int(row["position"]) if row is not None else 0
        head = self._transaction.one("put_head", user_key=user.key, metric=metric, position=number)
        previous = int(head["previous"]) if head is not None else 0
        return (self._epoch, number), (self._epoch, previous)


def take_untold(transaction: Transaction, forget: Callable[[int, str], None]) -> list[Change]:
    """What another process committed, to be handed out now.

    Args:
        transaction: to do it in.
        forget: told each user's key and metric of which something is not what it was.
    """
    changes = []
    for row in transaction.all("untold"):
        message = change_of(row["message"])
        forget(row["user_key"], row["metric"])
        changes.append(Change(message.user, message.metric, message, row["message"]))
    if changes:
        transaction.run("told")
    return changes


def change_of(payload: bytes) -> HealthDataUpdate | HistoryChanged:
    """A change as it was logged."""
    change = decode_server(payload)
    assert isinstance(change, (HealthDataUpdate, HistoryChanged)), "the log holds nothing else"
    return change
