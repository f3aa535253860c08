"""One commit: what many bridges sent becomes blocks, intervals, state and positions at once.

Everything here runs in one transaction on the writer's thread. What it returns, the answers
and the changes, may be said only after that transaction is durable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from strapline_protocol.base import SAFE_INTEGER, WireModel
from strapline_protocol.intervals import IntervalSet, Range
from strapline_protocol.metrics import HEART_RATE, SESSION, STEPS, SUMMARY, metric_named
from strapline_protocol.publishing import Acknowledged, Dropped, Readings, Rejected, Stream, Zero
from strapline_protocol.series import Series
from strapline_protocol.watching import HistoryChange
from strapline_server.state import YOUNG_MS, Source
from strapline_server.store.accounts import Accounts, Kind
from strapline_server.store.aggregates import Aggregates, DayCache
from strapline_server.store.blocks import Place, Rebase, insert_blocks
from strapline_server.store.columns import merge, wall_times, without_marks
from strapline_server.store.counted import CountedDays
from strapline_server.store.database import Transaction, Value
from strapline_server.store.erasing import was_erased
from strapline_server.store.lost import Lost
from strapline_server.store.notes import HOST, OWNER, VIEWER, fold_notes, spell_ends
from strapline_server.store.people import Grant, User, find_user, user_of_key
from strapline_server.store.saying import Draft, Saying, Speaker
from strapline_server.store.sources import know_contact
from strapline_server.store.states import States
from strapline_server.store.streams import StreamRow, add_stream, device_key_of, end_ms, find_stream
from strapline_server.store.stretches import Stretches
from strapline_server.store.telling import Change, Past, Telling, Update, take_untold

#: As many as the message holds; a bridge sends again what it does not find here.
_MOST_RANGES: Final = 10_000
#: Devices that are remembered to know contact; others are asked after anew.
_MOST_KNOWN: Final = 10_000
_DENIED: Final = (
    "this bridge may not publish for that user, into that stream, of that metric, or as that device"
)
#: Who says it where no bridge does: nobody may speak in their place.
_NO_DEVICES: Final = frozenset({HOST, VIEWER})
_ERASED: Final = "this was erased: delete your copy"


@dataclass(frozen=True, slots=True)
class Work:
    """What one bridge asks to be stored, with the rights that it had when it sent it."""

    grant: Grant
    message: Stream | Readings | Dropped | Rejected


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to say after the commit: to each work's bridge in turn, and to the viewers."""

    answers: list[tuple[WireModel, ...]]
    changes: list[Change]
    readings: int


def _unknown_hop(user: str, device: str) -> bool | None:
    """Where nobody says."""
    return None


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a store keeps from commit to commit.

    Attributes:
        stream: the id of its own stream, for what is said to it.
        days: sums of the present day.
        stretches: sums of sessions that run.
        contact: users and devices that are known to know contact.
        hop: whether a user's device is connected; None where no bridge says. Called on the
            writer's thread.
    """

    stream: str
    days: DayCache = field(default_factory=DayCache)
    stretches: Stretches = field(default_factory=Stretches)
    contact: set[tuple[int, int]] = field(default_factory=set)
    hop: Callable[[str, str], bool | None] = _unknown_hop

    def clear(self) -> None:
        """Forget what was folded: a commit failed, and it was rolled back."""
        self.days.clear()
        self.stretches.clear()
        self.contact.clear()

    def forget(self, user_key: int, metric: str) -> None:
        """Forget one, whose past or whose order of sources has changed."""
        self.days.forget(user_key, metric)
        self.stretches.forget(user_key, metric)

    def connected(self, user: User, sources: list[Source], now_ms: int) -> list[str] | None:
        """Of devices that speak on change those that are connected, or may be for all we know."""
        if not any(source.on_change for source in sources):
            return None
        found = []
        for source in sources:
            stands = self.hop(user.id, source.device)
            if stands is None:
                stands = now_ms - (source.newest_ms or 0) < YOUNG_MS
            if stands:
                found.append(source.device)
        return found


@dataclass(slots=True)
class _Arrived:
    """New readings of one user, metric, device and stream."""

    user: User
    device: str
    stream: StreamRow
    pieces: list[Series] = field(default_factory=list)


class Commit:
    """The works of one transaction."""

    def __init__(self, transaction: Transaction, epoch: str, run: Run) -> None:
        self._transaction = transaction
        self._run = run
        self._aggregates = Aggregates(transaction, run.days)
        self._states = self._make_states()
        self._telling = Telling(transaction, epoch, self._states)
        self._arrived: dict[Place, _Arrived] = {}
        self._changes: list[Update | Past] = []
        self._users: dict[str, User | None] = {}
        self._erased: dict[str, bool] = {}
        self._devices: dict[str, int] = {}
        self._accounts: dict[int, Accounts] = {}
        self._readings = 0
        self._speaker = Speaker(transaction, run.stream)
        self._counted = CountedDays(transaction)
        self._lost = Lost(transaction)
        #: Which change tells which number of the server's own stream.
        self._told_with: dict[int, int] = {}

    def _make_states(self) -> States:
        run, now_ms = self._run, self._transaction.now_ms
        return States(
            self._transaction,
            self._aggregates,
            lambda user, sources: run.connected(user, sources, now_ms),
            run.stretches,
        )

    def carry_out(self, works: Sequence[Work | Saying]) -> Outcome:
        """Do all of them, and find what another process left untold."""
        untold = take_untold(self._transaction, self._run.forget)
        drafts = [self._do(work) for work in works]
        self._take_notes()
        for place, arrived in self._arrived.items():
            self._store(place, arrived)
        self._tell_of_sessions()
        self._changes += self._counted.changed()
        self._changes += self._lost.pasts()
        changes = [self._telling.tell(change) for change in self._changes]
        positions = {seq: changes[index].message.position for seq, index in self._told_with.items()}
        answers = [draft if isinstance(draft, tuple) else (draft(positions),) for draft in drafts]
        return Outcome(answers, untold + changes, self._readings)

    def _do(self, work: Work | Saying) -> tuple[WireModel, ...] | Draft:
        if isinstance(work, Saying):
            return self._speaker.carry_out(work)
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
        row = find_stream(self._transaction, message.stream)
        zero = message.zero
        ended = message.ended.model_dump_json(by_alias=True) if message.ended else None
        if row is None:
            added = add_stream(
                self._transaction, message.stream, grant.sub, zero, message.next_seq, ended
            )
            self._lost.run(added.key)
            return (Acknowledged(stream=message.stream, ranges=[], zero_version=zero.version),)
        if row.owner != grant.sub:
            taken = (0, max(0, message.next_seq - 1))
            return (self._rejected(message.stream, [taken], "denied", _DENIED),)
        self._transaction.run(
            "update_stream",
            stream_key=row.key,
            next_seq=message.next_seq,
            ended=ended,
            ends_ms=end_ms(row.zero, ended),
        )
        if ended is not None and ended != row.ended:
            self._lost.run(row.key)
        version = max(row.zero.version, zero.version)
        if zero.version > row.zero.version:
            self._rezero(replace(row, ended=ended or row.ended), zero)
        held = self._accounts_of(row).held(_MOST_RANGES)
        return (Acknowledged(stream=message.stream, ranges=held, zero_version=version),)

    def _rezero(self, row: StreamRow, zero: Zero) -> None:
        self._transaction.run(
            "rezero_stream",
            stream_key=row.key,
            zero_version=zero.version,
            zero=zero.model_dump_json(by_alias=True),
            begins_ms=zero.wall_ms(0),
            ends_ms=end_ms(zero, row.ended),
        )
        for arrived in self._arrived.values():
            if arrived.stream.key == row.key:
                arrived.stream = replace(row, zero=zero)
        users: dict[int, User] = {}
        self._note_moving(row, zero, users)
        for moved in Rebase(self._transaction, self._run.days).move(row.key, row.zero, zero):
            self._run.forget(moved.user_key, moved.metric)
            self._speaker.fold_again(moved.user_key, moved.metric, moved.device_key)
            if moved.user_key not in users:
                users[moved.user_key] = user_of_key(self._transaction, moved.user_key)
            self._changes.append(
                Past(
                    users[moved.user_key],
                    moved.metric,
                    HistoryChange.REBASED,
                    moved.from_ms,
                    min(moved.to_ms + 1, SAFE_INTEGER),
                    moved.count,
                )
            )

    def _note_moving(self, row: StreamRow, zero: Zero, users: dict[int, User]) -> None:
        """Of the days that steps move from and to, which device counts on them."""
        blocks = self._transaction.all("times_of_stream", stream_key=row.key, metric=STEPS.name)
        for block in blocks:
            user_key = block["user_key"]
            if user_key not in users:
                users[user_key] = user_of_key(self._transaction, user_key)
            moments = (
                block["from_ms"],
                block["to_ms"],
                zero.wall_ms(block["first_elapsed_ms"]),
                zero.wall_ms(block["last_elapsed_ms"]),
            )
            self._counted.note(users[user_key], block["device_key"], moments)

    # Readings

    def _publish(self, grant: Grant, message: Readings) -> tuple[WireModel, ...]:
        row = find_stream(self._transaction, message.stream)
        if row is None or row.owner != grant.sub:
            ranges = [span for series in message.series for span in series.ranges()]
            return (self._rejected(message.stream, ranges, "denied", _DENIED),)
        accounts = self._accounts_of(row)
        held, denied, erased = IntervalSet(), IntervalSet(), IntervalSet()
        for series in message.series:
            ranges = series.ranges()
            user = self._user(series.user) if grant.allows(series.user) else None
            if user is None and self._is_erased(series.user):
                # Those that came are somebody else's, whatever this bridge says of them now.
                came = IntervalSet(accounts.within(Kind.RECEIVED, ranges))
                accounts.erase(IntervalSet(ranges).minus(came).ranges())
                erased.update(ranges)
                continue
            gone = accounts.within(Kind.ERASED, ranges)
            erased.update(gone)
            # Only a host application gives a summary.
            said_by_others = series.metric == SUMMARY.name or series.device in _NO_DEVICES
            if user is None or said_by_others or not grant.sees(series.metric):
                known = accounts.within(Kind.RECEIVED, ranges)
                held.update(known)
                refused = IntervalSet(ranges).minus(IntervalSet([*known, *gone])).ranges()
                self._lost.numbers(row.key, accounts.reject(refused, "denied"))
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

    def _take(self, row: StreamRow, user: User, series: Series, new: list[Range]) -> None:
        fresh = series.within(new) if new else None
        if fresh is None:
            return
        place = Place(user.key, series.metric, self._device(series.device), row.key)
        arrived = self._arrived.setdefault(place, _Arrived(user, series.device, row))
        arrived.pieces.append(without_marks(fresh))
        self._readings += len(fresh)

    def _drop(self, grant: Grant, message: Dropped) -> tuple[WireModel, ...]:
        row = find_stream(self._transaction, message.stream)
        if row is None or row.owner != grant.sub:
            return (self._rejected(message.stream, message.ranges, "denied", _DENIED),)
        new = self._accounts_of(row).drop(message.ranges, message.reason)
        self._lost.numbers(row.key, new)
        return (Acknowledged(stream=message.stream, ranges=message.ranges),)

    def _refuse(self, grant: Grant, message: Rejected) -> tuple[WireModel, ...]:
        """What could not even be read of a bridge's message."""
        row = find_stream(self._transaction, message.stream)
        if row is not None and row.owner == grant.sub:
            new = self._accounts_of(row).reject(message.ranges, message.code)
            self._lost.numbers(row.key, new)
        return (message,)

    @staticmethod
    def _rejected(stream: str, ranges: Sequence[Range], code: str, message: str) -> Rejected:
        return Rejected(
            stream=stream, ranges=list(ranges)[:_MOST_RANGES], code=code, message=message
        )

    # Storing

    def _take_notes(self) -> None:
        for spoken in self._speaker.spoken:
            series, stream = spoken.series, spoken.stream
            place = Place(spoken.user.key, series.metric, spoken.device_key, stream.key)
            arrived = self._arrived.setdefault(place, _Arrived(spoken.user, series.device, stream))
            arrived.pieces.append(series)

    def _store(self, place: Place, arrived: _Arrived) -> None:
        now_ms = self._transaction.now_ms
        stream = arrived.stream
        for series in merge(arrived.pieces):
            at_ms = wall_times(stream.zero, series.elapsed())
            if series.metric == STEPS.name:
                self._counted.note(arrived.user, place.device_key, at_ms)
            insert_blocks(self._transaction, place, series, at_ms, (now_ms, now_ms))
            self._fold(arrived.user, place, stream, series, at_ms)
            old = [index for index, at in enumerate(at_ms) if now_ms - at >= YOUNG_MS]
            if old:
                until_ms = spell_ends(series, at_ms)
                part = series.take(old) if stream.owner == OWNER else series
                self._add(
                    Past(
                        arrived.user,
                        series.metric,
                        HistoryChange.BACKFILLED,
                        min(at_ms[index] for index in old),
                        min(max(until_ms[index] for index in old) + 1, SAFE_INTEGER),
                        len(old),
                    ),
                    stream,
                    part,
                )
            past = set(old)
            young = [index for index in range(len(series)) if index not in past]
            if young:
                part = series.take(young) if old else series
                times = [at_ms[index] for index in young]
                self._add(Update(arrived.user, stream.id, stream.zero, part, times), stream, part)

    def _know_contact(self, user: User, device_key: int, series: Series) -> None:
        """Who knows whether it is worn comes before those who do not: that may change the past."""
        if series.contact is None or all(known is None for known in series.contact):
            return
        if len(self._run.contact) >= _MOST_KNOWN:
            self._run.contact.clear()
        self._run.contact.add((user.key, device_key))
        for past in know_contact(self._transaction, user, series.metric, device_key):
            self._run.forget(user.key, past.metric)
            self._changes.append(past)

    def _tell_of_sessions(self) -> None:
        """Where a session began or ended, a heart rate's average is over something else now.

        Nothing of the past is other than it was: the stretch is empty, the state is news.
        """
        told = {(change.user.key, change.metric) for change in self._changes}
        users = {one.user.key: one.user for one in self._changes if one.metric == SESSION.name}
        now_ms = self._transaction.now_ms
        for user_key, user in users.items():
            self._run.forget(user_key, SESSION.name)
            key: dict[str, Value] = {"user_key": user_key, "metric": HEART_RATE.name}
            if (user_key, HEART_RATE.name) in told or not self._transaction.one("is_told", **key):
                continue
            why = HistoryChange.SESSION
            self._changes.append(Past(user, HEART_RATE.name, why, now_ms, now_ms, 0))

    def _add(self, change: Update | Past, stream: StreamRow, series: Series) -> None:
        """A change to be told; of the server's own stream it is noted what it tells."""
        if stream.owner == OWNER:
            for number in series.numbers():
                self._told_with[number] = len(self._changes)
        self._changes.append(change)

    def _fold(
        self, user: User, place: Place, stream: StreamRow, series: Series, at_ms: Sequence[int]
    ) -> None:
        now_ms = self._transaction.now_ms
        user_key, device_key = place.user_key, place.device_key
        if not metric_named(series.metric).said:
            self._aggregates.fold(user_key, device_key, series, at_ms, now_ms)
            self._run.stretches.fold(user_key, device_key, series, at_ms)
            if series.contact is not None and (user_key, device_key) not in self._run.contact:
                self._know_contact(user, device_key, series)
        elif stream.owner != OWNER:
            fold_notes(self._transaction, user_key, device_key, stream.key, series, at_ms)

    # Names to keys

    def _accounts_of(self, row: StreamRow) -> Accounts:
        if row.key not in self._accounts:
            self._accounts[row.key] = Accounts(self._transaction, row.key)
        return self._accounts[row.key]

    def _user(self, user: str) -> User | None:
        if user not in self._users:
            self._users[user] = find_user(self._transaction, user)
        return self._users[user]

    def _is_erased(self, user: str) -> bool:
        if user not in self._erased:
            gone = self._user(user) is None and was_erased(self._transaction, user)
            self._erased[user] = gone
        return self._erased[user]

    def _device(self, device: str) -> int:
        if device not in self._devices:
            self._devices[device] = device_key_of(self._transaction, device)
        return self._devices[device]
