"""The bridge's end of one connection, without I/O: what may be sent, and what an answer means.

The caller gives every text frame to :meth:`BridgeSession.receive` and acts on the message that
it returns; it sends the frames that the other methods make. Time is the caller's monotonic
clock in ms.
The opening is :class:`ClientLink`'s.
"""

from __future__ import annotations

from strapline_protocol.codec import encode
from strapline_protocol.errors import LocalProtocolError
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.link import ClientLink, LinkState, expected
from strapline_protocol.messages import ServerMessage
from strapline_protocol.opening import Authenticated, Client, Request
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


class BridgeSession(ClientLink):
    """One connection of a bridge: opening, window, and which streams it has declared.

    Attributes:
        useful: an acknowledgement of readings has come, so the next failure starts backing off
            from the beginning.
        window: None until AUTHENTICATED has told its size.
    """

    EXPECTED = expected(Acknowledged, Rejected, Sync)

    def __init__(self, now_ms: int, client: Client) -> None:
        super().__init__(now_ms, client)
        self.useful = False
        self.window: Window | None = None
        self._declared: dict[str, int] = {}

    def receive(self, frame: str | bytes, now_ms: int) -> ServerMessage | None:
        """Take one text frame; None for a message that a newer server added.

        Raises:
            RemoteProtocolError: the server said what it may not say now; close with 4400.
        """
        message = self._hear(frame, now_ms)
        match message:
            case Authenticated():
                self.window = Window(message.limits.window_readings)
            case Acknowledged() | Rejected():
                self._accounted(message, now_ms)
        return message

    def declare(self, stream: Stream) -> bytes:
        """The frame that says a stream's wall time, before its first readings here."""
        self._require_ready()
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
        self._require_ready()
        if dropped.stream not in self._declared:
            raise LocalProtocolError(f"DROPPED before STREAM of {dropped.stream}")
        return encode(dropped)

    def report(self, status: Status) -> bytes:
        """The frame with this bridge's state."""
        self._require_ready()
        return encode(status)

    def ask(self, request: Request) -> bytes:
        """The frame that asks what the server has of this bridge: ``accounts``, ``digests``."""
        self._require_ready()
        return encode(request)

    def under_way(self, stream: str) -> IntervalSet:
        """What of this stream was sent here and is not accounted for."""
        return self.window.holds(stream) if self.window else IntervalSet()

    def _ready(self) -> Window:
        self._require_ready()
        assert self.window is not None, "AUTHENTICATED brought it"
        return self.window

    def _accounted(self, message: Acknowledged | Rejected, now_ms: int) -> None:
        if self.window is None:
            return
        before = self.window.in_flight
        self.window.accounted(message.stream, message.ranges, now_ms)
        self.useful = self.useful or self.window.in_flight < before
