"""One commit: what many bridges sent becomes blocks, intervals, state and positions at once.

Everything here runs in one transaction on the writer's thread. What it returns, the answers
and the changes, may be said only after that transaction is durable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from strapline_protocol.base import WireModel
from strapline_protocol.codec import encode
from strapline_protocol.intervals import IntervalSet, Range
from strapline_protocol.metrics import metric_named
from strapline_protocol.publishing import Acknowledged, Dropped, Readings, Rejected, Stream, Zero
from strapline_protocol.series import Series
from strapline_protocol.watching import (
    HealthDataUpdate,
    HistoryChange,
    HistoryChanged,
    MetricData,
    Position,
)
from strapline_server.state import YOUNG_MS, Source, render, shown
from strapline_server.store.accounts import Accounts, Kind
from strapline_server.store.aggregates import Aggregates, DayCache
from strapline_server.store.blocks import Place, Rebase, insert_blocks
from strapline_server.store.columns import marked, merge, to_timed, wall_times, without_marks
from strapline_server.store.database import Transaction
from strapline_server.store.people import Grant, User, find_user, user_of_key

#: As many as the message holds; a bridge sends again what it does not find here.
_MOST_RANGES: Final = 10_000
_DENIED: Final = "this bridge may not publish for that user, or not into that stream"
_ERASED: Final = "this was erased: delete your copy"


@dataclass(frozen=True, slots=True)
class Work:
    """What one bridge asks to be stored, with the rights that it had when it sent it."""

    grant: Grant
    message: Stream | Readings | Dropped | Rejected


@dataclass(frozen=True, slots=True)
class Change:
    """One committed change of one user's metric, as viewers get it."""

    user: str
    metric: str
    message: HealthDataUpdate | HistoryChanged
    payload: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to say after the commit: to each work's bridge in turn, and to the viewers."""

    answers: list[tuple[WireModel, ...]]
    changes: list[Change]
    readings: int


@dataclass(frozen=True, slots=True)
class _StreamRow:
    key: int
    id: str
    owner: str
    zero: Zero


@dataclass(slots=True)
class _Arrived:
    """New readings of one user, metric, device and stream."""

    user: User
    device: str
    stream: _StreamRow
    pieces: list[Series] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Update:
    """Young readings that viewers are to get."""

    user: User
    stream: _StreamRow
    series: Series
    at_ms: list[int]


@dataclass(frozen=True, slots=True)
class _Past:
    """A stretch of the past that is not what it was."""

    user: User
    metric: str
    why: HistoryChange
    from_ms: int
    to_ms: int
    count: int


class Commit:
    """The works of one transaction."""

    def __init__(self, transaction: Transaction, epoch: str, cache: DayCache) -> None:
        self._transaction = transaction
        self._epoch = epoch
        self._cache = cache
        self._aggregates = Aggregates(transaction, cache)
        self._arrived: dict[Place, _Arrived] = {}
        self._changes: list[_Update | _Past] = []
        self._users: dict[str, User | None] = {}
        self._devices: dict[str, int] = {}
        self._accounts: dict[int, Accounts] = {}
        self._sources: dict[tuple[int, str], list[Source]] = {}
        self._data: dict[tuple[int, str], MetricData] = {}
        self._readings = 0

    def carry_out(self, works: Sequence[Work]) -> Outcome:
        """Do all of them."""
        answers = [self._do(work) for work in works]
        for place, arrived in self._arrived.items():
            self._store(place, arrived)
        return Outcome(answers, [self._tell(change) for change in self._changes], self._readings)

    def _do(self, work: Work) -> tuple[WireModel, ...]:
        match work.message:
            case Stream():
                return self._declare(work.grant, work.message)
            case Readings():
                return self._publish(work.grant, work.message)
            case Dropped():
                return self._drop(work.grant, work.message)
            case Rejected():
                return self._refuse(work.grant, work.message)

    # Streams

    def _declare(self, grant: Grant, message: Stream) -> tuple[WireModel, ...]:
        row = self._stream(message.stream)
        zero = message.zero
        ended = message.ended.model_dump_json(by_alias=True) if message.ended else None
        if row is None:
            self._transaction.one(
                "insert_stream",
                id=message.stream,
                owner=grant.sub,
                next_seq=message.next_seq,
                zero_version=zero.version,
                zero=zero.model_dump_json(by_alias=True),
                ended=ended,
            )
            return (Acknowledged(stream=message.stream, ranges=[], zero_version=zero.version),)
        if row.owner != grant.sub:
            taken = (0, max(0, message.next_seq - 1))
            return (self._rejected(message.stream, [taken], "denied", _DENIED),)
        self._transaction.run(
            "update_stream", stream_key=row.key, next_seq=message.next_seq, ended=ended
        )
        version = max(row.zero.version, zero.version)
        if zero.version > row.zero.version:
            self._rezero(row, zero)
        held = self._accounts_of(row).held()[-_MOST_RANGES:]
        return (Acknowledged(stream=message.stream, ranges=held, zero_version=version),)

    def _rezero(self, row: _StreamRow, zero: Zero) -> None:
        self._transaction.run(
            "rezero_stream",
            stream_key=row.key,
            zero_version=zero.version,
            zero=zero.model_dump_json(by_alias=True),
        )
        for arrived in self._arrived.values():
            if arrived.stream.key == row.key:
                arrived.stream = _StreamRow(row.key, row.id, row.owner, zero)
        users = {}
        for moved in Rebase(self._transaction, self._cache).move(row.key, row.zero, zero):
            if moved.user_key not in users:
                users[moved.user_key] = user_of_key(self._transaction, moved.user_key)
            self._changes.append(
                _Past(
                    users[moved.user_key],
                    moved.metric,
                    HistoryChange.REBASED,
                    moved.from_ms,
                    moved.to_ms + 1,
                    moved.count,
                )
            )

    def _stream(self, stream: str) -> _StreamRow | None:
        row = self._transaction.one("stream", id=stream)
        if row is None:
            return None
        zero = Zero.model_validate_json(row["zero"])
        return _StreamRow(row["stream_key"], row["id"], row["owner"], zero)

    # Readings

    def _publish(self, grant: Grant, message: Readings) -> tuple[WireModel, ...]:
        row = self._stream(message.stream)
        if row is None or row.owner != grant.sub:
            ranges = [span for series in message.series for span in series.ranges()]
            return (self._rejected(message.stream, ranges, "denied", _DENIED),)
        accounts = self._accounts_of(row)
        held, denied, erased = IntervalSet(), IntervalSet(), IntervalSet()
        for series in message.series:
            ranges = series.ranges()
            user = self._user(series.user) if grant.allows(series.user) else None
            gone = accounts.within(Kind.ERASED, ranges)
            erased.update(gone)
            if user is None or not grant.sees(series.metric):
                known = accounts.within(Kind.RECEIVED, ranges)
                held.update(known)
                refused = IntervalSet(ranges).minus(IntervalSet([*known, *gone])).ranges()
                accounts.reject(refused)
                denied.update(refused)
                continue
            held.update(IntervalSet(ranges).minus(IntervalSet(gone)))
            self._take(row, user, series, accounts.receive(ranges))
        answers: list[WireModel] = []
        if held:
            answers.append(Acknowledged(stream=message.stream, ranges=held.ranges()))
        # What one series may not say, another of the same message may already have said.
        if refused := denied.minus(held).ranges():
            answers.append(self._rejected(message.stream, refused, "denied", _DENIED))
        if erased:
            answers.append(self._rejected(message.stream, erased.ranges(), "erased", _ERASED))
        return tuple(answers)

    def _take(self, row: _StreamRow, user: User, series: Series, new: list[Range]) -> None:
        fresh = series.within(new) if new else None
        if fresh is None:
            return
        place = Place(user.key, series.metric, self._device(series.device), row.key)
        arrived = self._arrived.setdefault(place, _Arrived(user, series.device, row))
        arrived.pieces.append(without_marks(fresh))
        self._readings += len(fresh)

    def _drop(self, grant: Grant, message: Dropped) -> tuple[WireModel, ...]:
        row = self._stream(message.stream)
        if row is None or row.owner != grant.sub:
            return (self._rejected(message.stream, message.ranges, "denied", _DENIED),)
        self._accounts_of(row).drop(message.ranges)
        return (Acknowledged(stream=message.stream, ranges=message.ranges),)

    def _refuse(self, grant: Grant, message: Rejected) -> tuple[WireModel, ...]:
        """What could not even be read of a bridge's message."""
        row = self._stream(message.stream)
        if row is not None and row.owner == grant.sub:
            self._accounts_of(row).reject(message.ranges)
        return (message,)

    @staticmethod
    def _rejected(stream: str, ranges: Sequence[Range], code: str, message: str) -> Rejected:
        return Rejected(
            stream=stream, ranges=list(ranges)[:_MOST_RANGES], code=code, message=message
        )

    # Storing

    def _store(self, place: Place, arrived: _Arrived) -> None:
        now_ms = self._transaction.now_ms
        for series in merge(arrived.pieces):
            at_ms = wall_times(arrived.stream.zero, series.elapsed())
            insert_blocks(self._transaction, place, series, at_ms, (now_ms, now_ms))
            self._aggregates.fold(place.user_key, place.device_key, series, at_ms, now_ms)
            old = [index for index, at in enumerate(at_ms) if now_ms - at >= YOUNG_MS]
            if old:
                times = [at_ms[index] for index in old]
                self._changes.append(
                    _Past(
                        arrived.user,
                        series.metric,
                        HistoryChange.BACKFILLED,
                        min(times),
                        max(times) + 1,
                        len(old),
                    )
                )
            past = set(old)
            young = [index for index in range(len(series)) if index not in past]
            if young:
                part = series.take(young) if old else series
                times = [at_ms[index] for index in young]
                self._changes.append(_Update(arrived.user, arrived.stream, part, times))

    # Telling

    def _tell(self, change: _Update | _Past) -> Change:
        if isinstance(change, _Update) and not self._is_shown(change):
            change = _Past(
                change.user,
                change.series.metric,
                HistoryChange.OTHER_SOURCE,
                min(change.at_ms),
                max(change.at_ms) + 1,
                len(change.series),
            )
        message = self._update(change) if isinstance(change, _Update) else self._history(change)
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

    def _is_shown(self, change: _Update) -> bool:
        metric = change.series.metric
        if metric_named(metric).by_device:
            return True
        source = shown(self._sources_of(change.user, metric), self._transaction.now_ms)
        return source is None or source.device == change.series.device

    def _update(self, change: _Update) -> HealthDataUpdate:
        now_ms = self._transaction.now_ms
        metric = change.series.metric
        series = marked(change.series, change.at_ms, now_ms)
        position, previous = self._advance(change.user, metric)
        return HealthDataUpdate(
            user=change.user.id,
            metric=metric,
            stream=change.stream.id,
            data=self._state(change.user, metric),
            series=to_timed(series, change.at_ms, now_ms, change.stream.zero),
            position=position,
            previous=previous,
            server_time=now_ms,
        )

    def _history(self, change: _Past) -> HistoryChanged:
        position, previous = self._advance(change.user, change.metric)
        return HistoryChanged(
            user=change.user.id,
            metric=change.metric,
            data=self._state(change.user, change.metric),
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

    def _state(self, user: User, metric: str) -> MetricData:
        key = (user.key, metric)
        if key not in self._data:
            self._data[key] = render(
                metric,
                self._sources_of(user, metric),
                self._aggregates.day(user, metric),
                self._transaction.now_ms,
            )
        return self._data[key]

    def _sources_of(self, user: User, metric: str) -> list[Source]:
        key = (user.key, metric)
        if key not in self._sources:
            self._sources[key] = self._aggregates.sources(*key)
        return self._sources[key]

    # Names to keys

    def _accounts_of(self, row: _StreamRow) -> Accounts:
        if row.key not in self._accounts:
            self._accounts[row.key] = Accounts(self._transaction, row.key)
        return self._accounts[row.key]

    def _user(self, user: str) -> User | None:
        if user not in self._users:
            self._users[user] = find_user(self._transaction, user)
        return self._users[user]

    def _device(self, device: str) -> int:
        if device not in self._devices:
            row = self._transaction.one("device", id=device) or self._transaction.one(
                "insert_device", id=device
            )
            assert row is not None, "an insert returns its row"
            self._devices[device] = int(row["device_key"])
        return self._devices[device]
