"""What a bridge says in one connection, and what it makes of the answers, without a socket.

The order of what leaves: this run's STREAM and what is asked for, live readings, the STREAM of
older runs and holes, the backlog, and last the STREAM of runs of which nothing is left to send,
since the answer tells what a server has lost that was put back from a copy.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from strapline_bridge.outbox import Outbox, OutboxObserver, Row, merged
from strapline_bridge.uplink.asking import Questions
from strapline_bridge.uplink.lanes import Lanes
from strapline_bridge.uplink.recalling import Recall
from strapline_bridge.uplink.sent import Sent
from strapline_protocol.base import SAFE_INTEGER
from strapline_protocol.bridge_session import BridgeSession
from strapline_protocol.codec import encode
from strapline_protocol.intervals import IntervalSet, Range
from strapline_protocol.messages import ServerMessage
from strapline_protocol.opening import Authenticated, Error, Result
from strapline_protocol.publishing import (
    Acknowledged,
    Dropped,
    Lane,
    Readings,
    Rejected,
    Status,
    Stream,
    Sync,
)
from strapline_protocol.series import Series

_log = logging.getLogger(__name__)

#: A frame of the past is small, so that the present waits behind little.
BACKLOG_FRAME_BYTES: Final = 8 * 1_024
#: STREAMs that wait for their answer at one time.
_DECLARED_AHEAD: Final = 8
_MOST_RANGES: Final = 10_000
#: SYNCs that wait for their STATUS; a server that asks faster gets fewer answers.
_MOST_REPORTS: Final = 16
#: REJECTED with this code: the user is erased, whenever it comes.
_ERASED: Final = "erased"


class Conversation(OutboxObserver):
    """One connection, from AUTHENTICATED on.

    ``new_history``: this process has not met this store and epoch in its last connection, so
    that every stream is declared, those too of which nothing is pending.

    ``next_frame`` gives what is to be sent now; ``take`` a message that came. Whoever drives it
    asks for frames again whenever ``wake`` was called.
    """

    def __init__(
        self,
        outbox: Outbox,
        session: BridgeSession,
        authenticated: Authenticated,
        *,
        store: str,
        new_history: bool,
        sent: Sent,
        status: Callable[[str | None], Awaitable[Status]],
        wake: Callable[[], None],
        most_bytes: int,
    ) -> None:
        self._outbox = outbox
        self._session = session
        self._store = store
        self._sent = sent
        self._status = status
        self._wake = wake
        self._most_bytes = min(most_bytes, authenticated.limits.message_bytes)
        self._lanes = Lanes(outbox)
        self._recall = Recall(outbox, store)
        self._told: dict[str, Stream] = {}
        self._answered: set[str] = set()
        self._refused: set[str] = set()
        self._to_declare: deque[str] = deque()
        self._holes_told: dict[tuple[str, str], IntervalSet] = {}
        self._holes_due: set[str] = set()
        self._asked: deque[bytes] = deque()
        self.questions = Questions(session, wake)
        self._status_due: deque[str | None] = deque([None], maxlen=_MOST_REPORTS)
        self._behind = False
        self._begin(new_history)

    def _begin(self, new_history: bool) -> None:
        own = self._outbox.stream
        for record in self._outbox.records():
            # A server with another history than the one known may have lost what it once had.
            due = new_history or record.pending() or record.holes or not record.told
            if due and record.id != own:
                self._to_declare.append(record.id)
            self._holes_due.add(record.id)
        if own is not None:
            self._to_declare.appendleft(own)

    # -------------------------------------------------------------- heard from the outbox

    def committed(self, rows: Sequence[Row]) -> None:
        self._lanes.committed(rows)
        self._wake()

    def returned(self, stream: str, numbers: IntervalSet) -> None:
        self._lanes.returned(stream, numbers)
        self._declare_soon(stream)
        self._wake()

    def changed(self, stream: str) -> None:
        record = self._outbox.record(stream)
        if record is not None and not record.told:
            self._told_again(stream)
        self._declare_soon(stream)
        self._holes_due.add(stream)
        self._wake()

    def _declare_soon(self, stream: str) -> None:
        """A stream of which nothing was left has something to say again: a hole, a dead letter."""
        if stream not in self._told:
            self._told_again(stream)

    def _told_again(self, stream: str) -> None:
        if stream not in self._to_declare:
            self._to_declare.append(stream)

    # -------------------------------------------------------------- heard from the server

    def take(self, message: ServerMessage) -> None:
        """Act on a message; those of the opening and the token are not for here."""
        match message:
            case Acknowledged():
                self._acknowledged(message)
            case Rejected():
                self._rejected(message)
            case Sync():
                self._status_due.append(message.request)
            case Result():
                self.questions.take(message)
            case Error() if self.questions.take(message):
                return
            case Error():
                _log.warning("the server answers %s: %s", message.code, message.message)
            case _:
                return
        self._wake()

    def _acknowledged(self, message: Acknowledged) -> None:
        stream, told = message.stream, self._told.get(message.stream)
        if message.zero_version is None or told is None:
            numbers = self._sent.known(stream, message.ranges)
            self._sent.accounted(stream, numbers)
            self._outbox.acknowledge(stream, numbers.ranges(), self._store)
            self._holes_due.add(stream)
            return
        self._answered.add(stream)
        self._outbox.answered(told, self._believed(stream, message.ranges), self._store)

    def _rejected(self, message: Rejected) -> None:
        stream = message.stream
        if stream in self._told and stream not in self._answered:
            # A STREAM that is refused: nothing of it can be sent here, and all of it is kept.
            self._answered.add(stream)
            self._refused.add(stream)
            _log.warning("the server does not take stream %s: %s", stream, message.message)
            return
        if message.code == _ERASED:
            ranges = self._believed(message.stream, message.ranges)
        else:
            ranges = self._sent.known(message.stream, message.ranges).ranges()
        if ranges:
            self._outbox.reject(message.model_copy(update={"ranges": ranges}))
            _log.warning(
                "the server refuses readings %s of stream %s for good (%s): %s",
                ranges[:3],
                message.stream,
                message.code,
                "they are erased here"
                if message.code == _ERASED
                else "see them with `strapline bridge dead-letters`",
            )

    def _believed(self, stream: str, ranges: list[Range]) -> list[Range]:
        """What a server may know of a stream: of an earlier run's all, of this run's what it sent.

        An earlier run may have sent what this one still keeps, and so may a clone of this
        outbox; nobody else can have sent what this run has not.
        """
        if stream != self._outbox.stream:
            return ranges
        return self._sent.known(stream, ranges).ranges()

    # ------------------------------------------------------------------------ what to say

    def report(self) -> None:
        """Say how this bridge is."""
        if None not in self._status_due:
            self._status_due.append(None)
        self._wake()

    def say(self, frame: bytes) -> None:
        """Send this first: a renewed token."""
        self._asked.append(frame)
        self._wake()

    def end(self) -> None:
        """The connection is over: what was asked is not answered any more."""
        self.questions.end()

    async def next_frame(self) -> bytes | None:
        """The next frame, or None while there is nothing to say or no room to say it."""
        if self._asked:
            return self._asked.popleft()
        question = self.questions.next_frame()
        if question is not None:
            return question
        if self._to_declare and self._to_declare[0] == self._outbox.stream:
            return self._declare(self._to_declare.popleft())
        if self._status_due:
            return self._session.report(await self._status(self._status_due.popleft()))
        return (
            self._live_frame()
            or self._stream_frame()
            or await self._backlog_frame()
            or await self._recalled_frame()
        )

    def _live_frame(self) -> bytes | None:
        room = self._session.room(Lane.LIVE)
        found = self._lanes.live(room)
        if found is None:
            return None
        stream, rows = found
        if self._session.declared(stream) is None:
            self._lanes.put_back(rows, live=True)
            return self._declare(stream)
        return self._publish(stream, Lane.LIVE, rows, self._most_bytes)

    def _stream_frame(self) -> bytes | None:
        """The next STREAM or DROPPED of those that are due."""
        waiting = len(self._told.keys() - self._answered)
        if self._to_declare and waiting < _DECLARED_AHEAD:
            return self._declare(self._to_declare.popleft())
        for stream in sorted(self._holes_due & (self._answered - self._refused)):
            frame = self._drop(stream)
            if frame is not None:
                return frame
            self._holes_due.discard(stream)
        return None

    async def _recalled_frame(self) -> bytes | None:
        """The STREAM of a run that has nothing to send, unless the server has lost it."""
        if len(self._told.keys() - self._answered) >= _DECLARED_AHEAD:
            return None
        stream = await self._recall.next(self._told.keys())
        return None if stream is None else self._declare(stream)

    def _declare(self, stream: str) -> bytes:
        record = self._outbox.record(stream)
        assert record is not None, "a stream is forgotten only when the outbox is opened"
        message = self._told[stream] = record.message()
        return self._session.declare(message)

    def _drop(self, stream: str) -> bytes | None:
        record = self._outbox.record(stream)
        for reason, hole in sorted(record.holes.items()) if record else ():
            told = self._holes_told.setdefault((stream, reason), IntervalSet())
            # What is under way has left; whether it arrived is for the server to say.
            news = hole.minus(told).minus(self._session.under_way(stream)).ranges()
            news = news[:_MOST_RANGES]
            if news:
                told.update(news)
                self._sent.add(stream, news)
                return self._session.drop(Dropped(stream=stream, ranges=news, reason=reason))
        return None

    async def _backlog_frame(self) -> bytes | None:
        found = await self._lanes.backlog(self._backlog_room, self._may_send)
        if found is None:
            if self._behind and self._lanes.drained and not self._outbox.status().pending:
                # The past is all there: a viewer's "syncing" ends here.
                self._behind = False
                return self._session.report(await self._status(None))
            return None
        self._behind = True
        stream, rows = found
        return self._publish(stream, Lane.BACKLOG, rows, min(self._most_bytes, BACKLOG_FRAME_BYTES))

    def _backlog_room(self) -> int:
        return self._session.room(Lane.BACKLOG)

    def _may_send(self, stream: str) -> IntervalSet | None:
        if stream in self._refused:
            return IntervalSet([(0, SAFE_INTEGER)])
        return self._session.under_way(stream) if stream in self._answered else None

    def _publish(self, stream: str, lane: Lane, rows: list[Row], most_bytes: int) -> bytes:
        """A frame with the first of these rows, as many as fit; the rest goes back."""
        fitting, rest = _fit(stream, lane, rows, most_bytes)
        self._lanes.put_back(rest, live=lane is Lane.LIVE)
        for one in fitting:
            self._sent.add(stream, one.ranges())
        frame = self._session.publish(stream, lane, fitting, time.monotonic_ns() // 1_000_000)
        if len(frame) > most_bytes:
            self._sent.alone(stream, fitting[0].seq[0], len(frame))
        return frame


def _fit(
    stream: str, lane: Lane, rows: list[Row], most_bytes: int
) -> tuple[list[Series], list[Row]]:
    """The series of one frame of at most so many bytes, and the rows that are left over.

    One reading that is larger goes alone: the server then says what it thinks of it.
    """
    rest: list[Row] = []
    while True:
        series = merged(row.series for row in rows)
        size = len(encode(Readings(stream=stream, lane=lane, series=series)))
        readings = sum(map(len, series))
        if size <= most_bytes or readings == 1:
            return series, rest
        # A little less than the share that should fit, since readings differ in size.
        rows, over = _divide(rows, max(1, readings * most_bytes * 9 // (size * 10)))
        rest = over + rest


def _divide(rows: list[Row], readings: int) -> tuple[list[Row], list[Row]]:
    """The first so many readings of these rows, and the others."""
    first: list[Row] = []
    for at, row in enumerate(rows):
        length = len(row.series)
        if length > readings:
            head = [Row(row.stream, row.series.take(range(readings)))] if readings else []
            tail = Row(row.stream, row.series.take(range(readings, length)))
            return first + head, [tail, *rows[at + 1 :]]
        first.append(row)
        readings -= length
    return first, []
