"""What carries a dialogue's messages: the surface that every transport has, and its bounds.

The standalone server's transport is a :class:`~strapline_server.connection.Connection` on a TCP
socket; in a host application it is an ASGI WebSocket. All that is said above is the same code.
"""

from __future__ import annotations

from enum import Flag, auto
from typing import Final, Protocol

from websockets.http11 import Request, Response

from strapline_protocol.base import WireModel
from strapline_protocol.closing import CloseCode
from strapline_server.counters import Counters
from strapline_server.wheel import Wheel

#: Within which the other end is to finish a close, or a plain response is to be read.
CLOSE_MS: Final = 5_000
#: A reader that took nothing for so long is gone.
STUCK_MS: Final = 120_000
#: For how long one that is turned away is to stay away.
RETRY_AFTER_MS: Final = 10_000
#: Messages that may come at once, in seconds of the rate.
_BURST_S: Final = 10


class Hold(Flag):
    """Why nothing is read from this connection at the moment."""

    WORK = auto()
    WINDOW = auto()
    UNSENT = auto()


NO_HOLD: Final = Hold(0)


class Allowance:
    """How many messages may come: so many a second, saved up for a while."""

    __slots__ = ("_at_ms", "_left", "per_s")

    def __init__(self, per_s: int, now_ms: int) -> None:
        self.per_s = per_s
        self._left = float(per_s * _BURST_S)
        self._at_ms = now_ms

    def take(self, now_ms: int) -> bool:
        """Whether one more may come now, which is then taken."""
        earned = (now_ms - self._at_ms) * self.per_s / 1000
        self._left = min(self._left + earned, float(self.per_s * _BURST_S))
        self._at_ms = now_ms
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Carrier(Protocol):
    """One connection, as the server and the dialogue on it see it.

    Attributes:
        wheel_slot: the wheel's own.
    """

    wheel_slot: int

    @property
    def address(self) -> str:
        """Where the other end is, for the bounds of one address."""

    @property
    def authenticated(self) -> bool:
        """Whether the other end is known."""

    @property
    def congested(self) -> bool:
        """Whether so much is unsent that only the newest is to be kept for it."""

    @property
    def open(self) -> bool:
        """Whether messages can be sent."""

    @property
    def wrote_ms(self) -> int:
        """When something was last sent, on the monotonic clock."""

    def send(self, message: WireModel) -> None:
        """Send one message; nothing happens on a connection that is closing."""

    def send_text(self, payload: bytes) -> None:
        """Send one encoded message; nothing happens on a connection that is closing."""

    def write(self, frame: bytes, now_ms: int) -> None:
        """Send one ready frame that many connections share."""

    def close(self, code: CloseCode, reason: str, retry_after_ms: int = 0) -> None:
        """Say why, and wait for the other end to close for a while."""

    def abort(self) -> None:
        """Cut the connection at once."""

    def admit(self, messages_per_s: int) -> None:
        """The other end is known: it may send longer and more messages from now on."""

    def hold(self, why: Hold) -> None:
        """Read nothing more until this is released."""

    def release(self, why: Hold) -> None:
        """This is no reason any more."""

    def wake(self, now_ms: int) -> int | None:
        """Look at all deadlines; when next, None for never."""


class Dialogue(Protocol):
    """What the connection tells the one that speaks the protocol on it."""

    def receive(self, frame: str) -> None:
        """One text frame came."""

    def wake(self, now_ms: int) -> int | None:
        """Do what is due; when next, None once it has ended."""

    def room(self) -> None:
        """What was unsent is sent."""

    def lost(self) -> None:
        """The connection is gone."""


class Host(Protocol):
    """What a connection needs of the server."""

    wheel: Wheel
    counters: Counters
    allowed_origins: tuple[str, ...]
    message_bytes: int
    buffer_bytes: int
    heartbeat_ms: int

    def now_ms(self) -> int:
        """The monotonic clock."""

    def opened(self, connection: Carrier) -> bool:
        """A connection came; whether there is room for it."""

    def admitted(self, connection: Carrier) -> None:
        """It has authenticated."""

    def closed(self, connection: Carrier) -> None:
        """It went."""

    def respond(self, request: Request) -> Response:
        """The answer to a plain request."""

    def converse(self, connection: Carrier) -> Dialogue:
        """Begin a dialogue on an open socket."""
