"""A bridge's part: its streams, readings and holes go to the ingest, its status to the screens.

What it asks is answered beside that.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

from strapline_protocol.base import WireModel
from strapline_protocol.closing import CloseCode
from strapline_protocol.messages import ClientMessage
from strapline_protocol.opening import Request
from strapline_protocol.publishing import Dropped, Readings, Rejected, Status, Stream, Zero
from strapline_protocol.server_session import ServerSession
from strapline_server.answering import Answers
from strapline_server.carrier import Carrier, Hold
from strapline_server.dialogue import Context
from strapline_server.ingest import Entry
from strapline_server.store import Grant, Work

#: Of so many streams, those last spoken of, a connection keeps what their time is.
_MOST_STREAMS: Final = 1_000


class Publisher:
    """One bridge's connection."""

    __slots__ = ("_answers", "_connection", "_context", "_forgot", "_grant", "_session", "_zeros")

    def __init__(
        self, context: Context, connection: Carrier, session: ServerSession, grant: Grant
    ) -> None:
        self._context = context
        self._connection = connection
        self._session = session
        self._grant = grant
        self._answers = Answers(context, connection, session, grant.sub)
        self._zeros: OrderedDict[str, Zero] = OrderedDict()
        self._forgot = False
        context.statuses.online(grant, connection.send)

    def act(self, message: ClientMessage) -> Coroutine[Any, Any, None] | None:
        """Hand it on. Nothing here waits: the answer follows the commit."""
        match message:
            case Stream():
                self._declare(message)
                self._submit(message, 0)
            case Readings() | Dropped() if not self._knows(message.stream):
                self._connection.close(
                    CloseCode.PROTOCOL_VIOLATION, f"{message.type} before STREAM"
                )
            case Readings():
                self._submit(message, sum(map(len, message.series)))
            case Dropped():
                self._submit(message, 0)
            case Status():
                self._context.statuses.report(self._grant.sub, message, self._zeros)
            case Request():
                self._answers.ask(message)
        return None

    def reject(self, rejected: tuple[Rejected, ...]) -> None:
        """What could not be read is accounted for like all that is refused, and then said."""
        for refusal in rejected:
            if self._knows(refusal.stream):
                self._submit(refusal, 0)

    def regrant(self, grant: Grant) -> None:
        """From the next message on, this is what it may."""
        self._grant = grant

    def wake(self, now_ms: int) -> int | None:
        """Nothing is ever due."""
        return None

    def room(self) -> None:
        """Nothing is kept for a bridge."""

    def lost(self) -> None:
        """The hop is offline at once."""
        self._answers.lost()
        self._context.statuses.offline(self._grant.sub, self._connection.send)

    def _declare(self, message: Stream) -> None:
        known = self._zeros.get(message.stream)
        if known is None or message.zero.version > known.version:
            self._zeros[message.stream] = message.zero
        self._zeros.move_to_end(message.stream)
        if len(self._zeros) > _MOST_STREAMS:
            self._zeros.popitem(last=False)
            self._forgot = True

    def _knows(self, stream: str) -> bool:
        """Whether it was declared here, or may have been: then the store knows."""
        if stream in self._zeros:
            self._zeros.move_to_end(stream)
            return True
        return self._forgot

    def _submit(self, message: Stream | Readings | Dropped | Rejected, readings: int) -> None:
        self._context.ingest.submit(
            Entry(
                work=Work(self._grant, message),
                answer=partial(self._answer, readings),
                fail=self._fail,
                hold=self._hold,
            )
        )

    def _answer(self, readings: int, answers: tuple[WireModel, ...]) -> None:
        self._session.settled(readings)
        for answer in answers:
            self._connection.send(answer)

    def _fail(self) -> None:
        self._connection.close(CloseCode.SERVER_FAULT, "a fault of the server")

    def _hold(self, hold: bool) -> None:
        if hold:
            self._connection.hold(Hold.WINDOW)
        else:
            self._connection.release(Hold.WINDOW)
