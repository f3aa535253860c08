"""The server's end of one connection, without I/O: frames in, accepted messages and verdicts out.

The caller sends HELLO, gives every text frame to :meth:`ServerSession.receive`, verifies the
token that an accepted AUTHENTICATE or REFRESH carries, and answers what is accepted. It sends
``replies`` and obeys ``close``. Time is the caller's monotonic clock in ms.

What may be said when::

    OPENING     AUTHENTICATE → VERIFYING; anything else closes with 4400
    VERIFYING   nothing yet: a client waits for AUTHENTICATED; anything closes with 4400
    PUBLISHING  (role bridge) STREAM READINGS DROPPED STATUS, REFRESH, REQUEST
    WATCHING    (role viewer) SUBSCRIBE SYNC_STATUS_UPDATE, REFRESH, REQUEST
    CLOSED      nothing is heard

A message of the other role is answered with ERROR and changes nothing, and so is an unknown
type; a malformed one closes. Only READINGS are judged series by series: what cannot be read of
them comes out as ``rejected``, and neither closes the connection nor spoils its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from strapline_protocol.base import WireModel
from strapline_protocol.closing import CloseCode, reason_text
from strapline_protocol.codec import LARGEST_FIRST_MESSAGE, decode_client
from strapline_protocol.errors import (
    LocalProtocolError,
    MalformedMessageError,
    MessageTooLargeError,
    UnknownTypeError,
)
from strapline_protocol.judging import judged
from strapline_protocol.messages import ClientMessage
from strapline_protocol.opening import (
    Authenticate,
    Error,
    ErrorCode,
    Limits,
    Refresh,
    Request,
    Role,
)
from strapline_protocol.publishing import Dropped, Readings, Rejected, Status, Stream
from strapline_protocol.watching import Subscribe, SyncAsked


class SessionState(Enum):
    """Where a connection is."""

    OPENING = auto()
    VERIFYING = auto()
    PUBLISHING = auto()
    WATCHING = auto()
    CLOSED = auto()


ALLOWED: Final = MappingProxyType(
    {
        SessionState.OPENING: frozenset({Authenticate}),
        SessionState.VERIFYING: frozenset[type[WireModel]](),
        SessionState.PUBLISHING: frozenset({Stream, Readings, Dropped, Status, Refresh, Request}),
        SessionState.WATCHING: frozenset({Subscribe, SyncAsked, Refresh, Request}),
        SessionState.CLOSED: frozenset[type[WireModel]](),
    }
)

_BY_ROLE: Final = MappingProxyType(
    {Role.BRIDGE: SessionState.PUBLISHING, Role.VIEWER: SessionState.WATCHING}
)

#: The ends count at different moments: what an answer to DROPPED or STREAM covers has left the
#: bridge's window, though the READINGS that hold it too may still wait here for their commit.
_WINDOWS_TAKEN: Final = 2
#: A bridge that runs over its window has lost count: it shall look up what is acknowledged.
_WINDOW_RETRY_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection with this code; the reason is safe to show and fits a close frame."""

    code: CloseCode
    reason: str


@dataclass(frozen=True, slots=True)
class Received:
    """What one frame came to: at most one message to act on, replies to send, or the end.

    Attributes:
        rejected: series of a READINGS that cannot be read. The caller first accounts for their
            numbers durably, as for all that it rejects itself, and then sends these. They are not
            in the window, so they are not :meth:`ServerSession.settled`.
    """

    message: ClientMessage | None = None
    replies: tuple[WireModel, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    close: Close | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """What the clock asks for: a HEARTBEAT, a TOKEN_EXPIRING, or the end."""

    heartbeat: bool = False
    token_expiring: bool = False
    close: Close | None = None


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long this end waits, in ms."""

    authentication_ms: int = 5_000
    heartbeat_ms: int = 15_000


class ServerSession:
    """One connection's protocol state: deadlines, role, window and tokens."""

    __slots__ = (
        "_authenticate_by_ms",
        "_deadlines",
        "_expires_ms",
        "_half_life_ms",
        "_readings_in_flight",
        "_requests_in_flight",
        "_spoke_ms",
        "_warned",
        "limits",
        "state",
    )

    def __init__(
        self, now_ms: int, limits: Limits | None = None, deadlines: Deadlines | None = None
    ) -> None:
        self.state = SessionState.OPENING
        self.limits = limits or Limits()
        self._deadlines = deadlines or Deadlines()
        self._authenticate_by_ms = now_ms + self._deadlines.authentication_ms
        self._spoke_ms = now_ms
        self._expires_ms = 0
        self._half_life_ms = 0
        self._warned = False
        self._readings_in_flight = 0
        self._requests_in_flight = 0

    def receive(self, frame: str | bytes) -> Received:
        """Take one text frame. Never raises for what the other end does."""
        if self.state is SessionState.CLOSED:
            return Received()
        opening = self.state is SessionState.OPENING
        try:
            message = decode_client(
                frame, LARGEST_FIRST_MESSAGE if opening else self.limits.message_bytes
            )
        except UnknownTypeError as error:
            return self._out_of_place() or _refused(ErrorCode.UNKNOWN_TYPE, str(error))
        except MessageTooLargeError as error:
            return self._close(CloseCode.MESSAGE_TOO_LARGE, str(error))
        except MalformedMessageError as error:
            return self._malformed(frame, error)
        if type(message) in ALLOWED[self.state]:
            return self._accept(message)
        return self._out_of_place() or self._not_for_this_role(message)

    def authenticated(self, role: Role, lifetime_ms: int, now_ms: int, age_ms: int = 0) -> None:
        """The token was good; the session now has this role. Arguments as for :meth:`renewed`."""
        if self.state is not SessionState.VERIFYING:
            raise LocalProtocolError(f"authenticated in state {self.state.name}")
        self.state = _BY_ROLE[role]
        self.renewed(lifetime_ms, now_ms, age_ms)

    def renewed(self, lifetime_ms: int, now_ms: int, age_ms: int = 0) -> None:
        """A token was good, at AUTHENTICATE or REFRESH.

        Args:
            lifetime_ms: for how long it is good from now on.
            now_ms: the caller's monotonic clock.
            age_ms: for how long it has been good already. A viewer that comes for minutes a day
                is told of the half of its token's life even so, and not on the last day.
        """
        self._expires_ms = now_ms + lifetime_ms
        # Made in the future, by a clock that is ahead, it is new.
        self._half_life_ms = now_ms + (lifetime_ms - max(0, age_ms)) // 2
        self._warned = False

    def settled(self, readings: int) -> None:
        """So many readings were acknowledged or rejected: they leave the window.

        Raises:
            LocalProtocolError: they are more than are in it.
        """
        if readings > self._readings_in_flight:
            raise LocalProtocolError(f"{readings} settled of {self._readings_in_flight} readings")
        self._readings_in_flight -= readings

    def answered(self) -> None:
        """One REQUEST was answered.

        Raises:
            LocalProtocolError: none was waiting.
        """
        if self._requests_in_flight < 1:
            raise LocalProtocolError("an answer without a request")
        self._requests_in_flight -= 1

    def closed(self) -> None:
        """The connection is gone."""
        self.state = SessionState.CLOSED

    def spoke(self, now_ms: int) -> None:
        """Something was sent: the next heartbeat is that much later."""
        self._spoke_ms = now_ms

    def next_due_ms(self) -> int | None:
        """When :meth:`tick` has something to say at the earliest; None when closed."""
        if self.state is SessionState.CLOSED:
            return None
        if self.state in (SessionState.OPENING, SessionState.VERIFYING):
            return self._authenticate_by_ms
        token = self._expires_ms if self._warned else self._half_life_ms
        return min(token, self._spoke_ms + self._deadlines.heartbeat_ms)

    def tick(self, now_ms: int) -> Due:
        """What is due at this moment."""
        if self.state is SessionState.CLOSED:
            return Due()
        if self.state in (SessionState.OPENING, SessionState.VERIFYING):
            if now_ms < self._authenticate_by_ms:
                return Due()
            late = self._close(CloseCode.AUTHENTICATION_TIMEOUT, "no authentication in time")
            return Due(close=late.close)
        if now_ms >= self._expires_ms:
            return Due(close=self._close(CloseCode.UNAUTHENTICATED, "the token expired").close)
        expiring = now_ms >= self._half_life_ms and not self._warned
        self._warned = self._warned or expiring
        return Due(
            heartbeat=now_ms >= self._spoke_ms + self._deadlines.heartbeat_ms,
            token_expiring=expiring,
        )

    def _accept(self, message: ClientMessage) -> Received:
        match message:
            case Authenticate():
                self.state = SessionState.VERIFYING
            case Readings():
                self._readings_in_flight += sum(map(len, message.series))
                if self._readings_in_flight > _WINDOWS_TAKEN * self.limits.window_readings:
                    return self._close(
                        CloseCode.RATE_LIMITED,
                        f"over {self.limits.window_readings} readings without acknowledgement",
                        _WINDOW_RETRY_MS,
                    )
            case Request():
                if self._requests_in_flight >= self.limits.requests_in_flight:
                    return _refused(ErrorCode.TOO_MANY, "wait for an answer", message.request)
                self._requests_in_flight += 1
        return Received(message)

    def _out_of_place(self) -> Received | None:
        """The end, for anything else than what opens a session, before it stands."""
        if self.state is SessionState.OPENING:
            return self._close(CloseCode.PROTOCOL_VIOLATION, "the first message authenticates")
        if self.state is SessionState.VERIFYING:
            return self._close(CloseCode.PROTOCOL_VIOLATION, "wait for AUTHENTICATED")
        return None

    def _not_for_this_role(self, message: ClientMessage) -> Received:
        if isinstance(message, Authenticate):
            return self._close(CloseCode.PROTOCOL_VIOLATION, "authenticated already: REFRESH")
        request = message.request if isinstance(message, (Subscribe, Request, Status)) else None
        return _refused(ErrorCode.NOT_ALLOWED, f"{message.type} is not for this role", request)

    def _malformed(self, frame: str | bytes, error: MalformedMessageError) -> Received:
        verdict = judged(frame) if self.state is SessionState.PUBLISHING else None
        if verdict is None:
            return self._close(CloseCode.PROTOCOL_VIOLATION, str(error))
        received = self._accept(verdict.readings) if verdict.readings else Received()
        return received if received.close else replace(received, rejected=verdict.rejected)

    def _close(self, code: CloseCode, reason: str, retry_after_ms: int = 0) -> Received:
        self.state = SessionState.CLOSED
        return Received(close=Close(code, reason_text(reason, retry_after_ms)))


def _refused(code: ErrorCode, message: str, request: str | None = None) -> Received:
    return Received(replies=(Error(request=request, code=code, message=message),))
