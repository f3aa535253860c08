"""The bridge's end of one connection, without I/O: what may be sent, and what an answer means.

The caller gives every text frame to :meth:`BridgeSession.receive` and acts on the message that
it returns; it sends the frames that the other methods make. Time is the caller's monotonic
clock in ms.

::

    WAITING         HELLO → GREETED
    GREETED         the caller sends authenticate() → AUTHENTICATING
    AUTHENTICATING  AUTHENTICATED → READY
    READY           everything; REFRESHED, ACKNOWLEDGED, REJECTED, SYNC, …
    CLOSED          nothing
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from strapline_protocol.base import WireModel
from strapline_protocol.codec import decode_server, encode
from strapline_protocol.errors import LocalProtocolError, RemoteProtocolError, UnknownTypeError
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.link import HEARTBEAT_UNTIL_TOLD_MS, LinkState
from strapline_protocol.messages import ServerMessage
from strapline_protocol.opening import (
    Authenticate,
    Authenticated,
    Client,
    Error,
    GoingAway,
    Heartbeat,
    Hello,
    Refresh,
    Refreshed,
    Result,
    TokenExpiring,
)
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
from strapline_protocol.window import Window

#: What the server may say when. HEARTBEAT and GOING_AWAY may come at any time after HELLO.
EXPECTED: Final = MappingProxyType(
    {
        LinkState.WAITING: frozenset[type[WireModel]]({Hello}),
        LinkState.GREETED: frozenset[type[WireModel]]({Heartbeat, GoingAway}),
        LinkState.AUTHENTICATING: frozenset({Authenticated, Heartbeat, GoingAway, Error}),
        LinkState.READY: frozenset(
            {
                Acknowledged,
                Error,
                GoingAway,
                Heartbeat,
                Refreshed,
                Rejected,
                Result,
                Sync,
                TokenExpiring,
            }
        ),
        LinkState.CLOSED: frozenset[type[WireModel]](),
    }
)


class BridgeSession:
    """One connection of a bridge: opening, window, and which streams it has declared.

    Attributes:
        useful: an acknowledgement of readings has come, so the next failure starts backing off
            from the beginning.
        window: None until AUTHENTICATED has told its size.
    """

    def __init__(self, now_ms: int, client: Client) -> None:
        self.state = LinkState.WAITING
        self.useful = False
        self.window: Window | None = None
        self._client = client
        self._declared: dict[str, int] = {}
        self._heard_ms = now_ms
        self._heartbeat_ms = HEARTBEAT_UNTIL_TOLD_MS

    def receive(self, frame: str | bytes, now_ms: int) -> ServerMessage | None:
        """Take one text frame; None for a message that a newer server added.

        Raises:
            RemoteProtocolError: the server said what it may not say now; close with 4400.
        """
        self._heard_ms = now_ms
        try:
            message = decode_server(frame)
        except UnknownTypeError:
            return None
        if type(message) not in EXPECTED[self.state]:
            raise RemoteProtocolError(f"{message.type} while {self.state.name}")
        match message:
            case Hello():
                self.state = LinkState.GREETED
            case Authenticated():
                self.state = LinkState.READY
                self.window = Window(message.limits.window_readings)
                self._heartbeat_ms = message.heartbeat_ms
            case Acknowledged() | Rejected():
                self._accounted(message, now_ms)
        return message

    def authenticate(self, token: str) -> bytes:
        """The frame that says who this is, once HELLO has come."""
        if self.state is not LinkState.GREETED:
            raise LocalProtocolError(f"authenticate in state {self.state.name}")
        self.state = LinkState.AUTHENTICATING
        return encode(Authenticate(token=token, client=self._client))

    def refresh(self, token: str) -> bytes:
        """The frame that renews the token."""
        self._ready()
        return encode(Refresh(token=token))

    def declare(self, stream: Stream) -> bytes:
        """The frame that says a stream's wall time, before its first readings here."""
        self._ready()
        self._declared[stream.stream] = stream.zero.version
        return encode(stream)

    def declared(self, stream: str) -> int | None:
        """The version of the stream's zero that this connection has told, or None."""
        return self._declared.get(stream)

    def room(self, lane: Lane) -> int:
        """How many readings may be sent now on this lane; 0 before the session stands."""
        return self.window.room(lane) if self.window and self.state is LinkState.READY else 0

    def publish(self, stream: str, lane: Lane, series: list[Series], now_ms: int) -> bytes:
        """The frame with these readings, which count as under way from now on.

        Raises:
            LocalProtocolError: the stream was not declared here, or there is no room.
        """
        window = self._ready()
        if stream not in self._declared:
            raise LocalProtocolError(f"READINGS before STREAM of {stream}")
        message = Readings(stream=stream, lane=lane, series=series)
        ranges = [span for one in series for span in one.ranges()]
        window.sent(stream, lane, ranges, now_ms)
        return encode(message)

    def drop(self, dropped: Dropped) -> bytes:
        """The frame that explains a hole."""
        self._ready()
        if dropped.stream not in self._declared:
            raise LocalProtocolError(f"DROPPED before STREAM of {dropped.stream}")
        return encode(dropped)

    def report(self, status: Status) -> bytes:
        """The frame with this bridge's state."""
        self._ready()
        return encode(status)

    def under_way(self, stream: str) -> IntervalSet:
        """What of this stream was sent here and is not accounted for."""
        return self.window.holds(stream) if self.window else IntervalSet()

    def silent(self, now_ms: int) -> bool:
        """Two and a half heartbeats without a word: the connection is dead."""
        return now_ms - self._heard_ms > self.silence_allowed_ms

    @property
    def silence_allowed_ms(self) -> int:
        """How long the server may say nothing."""
        return self._heartbeat_ms * 5 // 2

    def closed(self) -> None:
        """The connection is gone."""
        self.state = LinkState.CLOSED

    def _ready(self) -> Window:
        if self.state is not LinkState.READY or self.window is None:
            raise LocalProtocolError(f"nothing may be sent in state {self.state.name}")
        return self.window

    def _accounted(self, message: Acknowledged | Rejected, now_ms: int) -> None:
        if self.window is None:
            return
        before = self.window.in_flight
        self.window.accounted(message.stream, message.ranges, now_ms)
        self.useful = self.useful or self.window.in_flight < before
