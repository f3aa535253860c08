"""One connection: a small object between a transport and ``websockets``' sans-I/O protocol.

It has no task, queue or timer of its own. It turns bytes into text frames for its dialogue and
messages into bytes, and keeps the bounds: sizes, deadlines, message rate, what is unsent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, cast

from websockets.datastructures import MultipleValuesError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from strapline_protocol.base import WireModel
from strapline_protocol.closing import CloseCode, reason_text
from strapline_protocol.codec import LARGEST_FIRST_MESSAGE, encode
from strapline_protocol.opening import SUBPROTOCOL
from strapline_server.carrier import (
    CLOSE_MS,
    NO_HOLD,
    RETRY_AFTER_MS,
    STUCK_MS,
    Allowance,
    Dialogue,
    Hold,
    Host,
)
from strapline_server.http import (
    SOCKET_PATH,
    check_method,
    has_token,
    other_method,
    refuse,
    refuse_method,
    same_origin,
)
from strapline_server.wheel import NOWHERE

_LOG = logging.getLogger(__name__)
#: The library logs requests and frames at DEBUG, tokens among them: it never gets to.
_SILENT = logging.Logger("strapline_server.frames", logging.CRITICAL + 1)  # noqa: LOG001  # outside of the tree, so that no setting turns it on

HANDSHAKE_MS: Final = 5_000
_LARGEST_REQUEST: Final = 16_384
_MOST_FRAGMENTS: Final = 256
#: With the space behind it.
_LONGEST_METHOD: Final = 17


class Connection(asyncio.Protocol):
    """A TCP connection that becomes a WebSocket, or gets one plain response."""

    __slots__ = (
        "_allowance",
        "_deadline_ms",
        "_dialogue",
        "_fragments",
        "_head",
        "_heard_ms",
        "_holds",
        "_host",
        "_message",
        "_pinged_ms",
        "_protocol",
        "_received",
        "_stuck_since_ms",
        "_transport",
        "address",
        "authenticated",
        "congested",
        "wheel_slot",
        "wrote_ms",
    )

    def __init__(self, host: Host) -> None:
        self._host = host
        self._protocol = ServerProtocol(
            select_subprotocol=_select_subprotocol,
            max_size=LARGEST_FIRST_MESSAGE,
            logger=_SILENT,
        )
        self._transport: asyncio.Transport | None = None
        self._dialogue: Dialogue | None = None
        self._message: bytearray | None = None
        self._fragments = 0
        #: The beginning of the request, until its method is known.
        self._head: bytes | None = b""
        self._received = 0
        self._holds = NO_HOLD
        self._stuck_since_ms: int | None = None
        now_ms = host.now_ms()
        self._deadline_ms: int | None = now_ms + HANDSHAKE_MS
        self._heard_ms = self._pinged_ms = self.wrote_ms = now_ms
        self._allowance = Allowance(1, now_ms)
        self.wheel_slot = NOWHERE
        self.address = ""
        self.authenticated = False
        self.congested = False

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket, if there is room."""
        # A stream's, whichever loop made it; not every loop's inherits from asyncio.Transport.
        self._transport = stream = cast("asyncio.Transport", transport)
        peer = stream.get_extra_info("peername")
        self.address = str(peer[0]) if isinstance(peer, tuple) else ""
        stream.set_write_buffer_limits(high=self._host.buffer_bytes)
        if not self._host.opened(self):
            stream.abort()
            return
        self._host.wheel.wake_at(self, self._host.now_ms() + HANDSHAKE_MS)

    def data_received(self, data: bytes) -> None:
        """Parse what came and act on it."""
        self._heard_ms = self._host.now_ms()
        protocol = self._protocol
        if self._head is not None and self._is_refused(data):
            return
        protocol.receive_data(data)
        for event in protocol.events_received():
            if isinstance(event, Request):
                # What came behind a broken one may have ended it already.
                if not protocol.eof_sent:
                    self._request(event)
            elif isinstance(event, Frame):
                self._frame(event)
        if protocol.state is State.CONNECTING and not protocol.eof_sent:
            self._received += len(data)
            if self._received > _LARGEST_REQUEST:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The request is too long.")
        self._flush()

    def eof_received(self) -> bool:
        """The other end says no more."""
        self._protocol.receive_eof()
        self._flush()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone, for whatever reason."""
        self._host.wheel.remove(self)
        self._host.closed(self)
        self._transport = None
        self._message = None
        dialogue, self._dialogue = self._dialogue, None
        if dialogue is not None:
            dialogue.lost()

    def pause_writing(self) -> None:
        """The other end reads too slowly: from now on only the newest is kept for it."""
        self.congested = True
        self._stuck_since_ms = self._host.now_ms()
        # One that does not read is not heard either, so that answers cannot pile up.
        self.hold(Hold.UNSENT)

    def resume_writing(self) -> None:
        """It caught up."""
        self.congested = False
        self._stuck_since_ms = None
        self.release(Hold.UNSENT)
        if self._dialogue is not None:
            self._dialogue.room()

    # What the dialogue calls

    @property
    def open(self) -> bool:
        """Whether messages can be sent."""
        return self._transport is not None and self._protocol.state is State.OPEN

    def send(self, message: WireModel) -> None:
        """Send one message; nothing happens on a connection that is closing."""
        if self.open:
            self.send_text(encode(message))

    def send_text(self, payload: bytes) -> None:
        """Send one encoded message; nothing happens on a connection that is closing."""
        if self.open:
            self._protocol.send_text(payload)
            self.wrote_ms = self._host.now_ms()
            self._flush()

    def write(self, frame: bytes, now_ms: int) -> None:
        """Write one ready frame that many connections share."""
        if self._transport is not None and self._protocol.state is State.OPEN:
            self._transport.write(frame)
            self.wrote_ms = now_ms

    def close(self, code: CloseCode, reason: str, retry_after_ms: int = 0) -> None:
        """Say why, and wait for the other end to close for a while."""
        if not self.open:
            return
        self._protocol.send_close(int(code), reason_text(reason, retry_after_ms))
        self._end_soon()
        self._flush()

    def abort(self) -> None:
        """Cut the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def admit(self, messages_per_s: int) -> None:
        """The other end is known: it may send longer and more messages from now on."""
        self.authenticated = True
        self._host.admitted(self)
        self._allowance = Allowance(messages_per_s, self._host.now_ms())
        self._protocol.max_message_size = self._host.message_bytes

    def hold(self, why: Hold) -> None:
        """Read nothing more until this is released."""
        if not self._holds and self._transport is not None:
            self._transport.pause_reading()
        self._holds |= why

    def release(self, why: Hold) -> None:
        """This is no reason any more."""
        was, self._holds = self._holds, self._holds & ~why
        if was and not self._holds and self._transport is not None:
            # Its time without a word begins now: nothing of it was read.
            self._heard_ms = self._host.now_ms()
            self._transport.resume_reading()

    # What the wheel calls

    def wake(self, now_ms: int) -> int | None:
        """Look at all deadlines."""
        if self._transport is None:
            return None
        if self._deadline_ms is not None:
            if now_ms >= self._deadline_ms:
                self._transport.abort()
                return None
            if self._dialogue is None or not self.open:
                return self._deadline_ms
        if self._dialogue is None:
            return None
        if self._is_gone(now_ms):
            self._transport.abort()
            return None
        due_ms = self._dialogue.wake(now_ms)
        self._flush()
        if due_ms is None:
            return self._deadline_ms
        return min(due_ms, now_ms + self._host.heartbeat_ms)

    def _is_gone(self, now_ms: int) -> bool:
        """Whether it is silent, or takes nothing, for too long; asks it for a sign before."""
        if self._stuck_since_ms is not None:
            stuck = now_ms - self._stuck_since_ms > STUCK_MS
            self._host.counters.stuck_closed += stuck
            return stuck
        heartbeat_ms = self._host.heartbeat_ms
        if self._holds or now_ms - self._heard_ms < heartbeat_ms:
            return False
        if now_ms - self._heard_ms > heartbeat_ms * 5 // 2:
            self._host.counters.silent_closed += 1
            return True
        if now_ms - self._pinged_ms >= heartbeat_ms and self.open:
            self._pinged_ms = now_ms
            self._protocol.send_ping(b"")
        return False

    # Inside

    def _request(self, request: Request) -> None:
        response = self._answer(request)
        self._protocol.send_response(response)
        # The protocol's parser keeps the request for as long as the socket is open: 2 KiB each.
        request.headers.clear()
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._host.counters.http_responses += 1
            self._end_soon()
            return
        self._deadline_ms = None
        if self._protocol.subprotocol != SUBPROTOCOL:
            # Accepted first: a browser cannot read why a handshake was refused.
            self.close(CloseCode.NO_COMMON_VERSION, f"this server speaks {SUBPROTOCOL}")
            return
        self._flush()
        self._dialogue = self._host.converse(self)
        due_ms = self._dialogue.wake(self._host.now_ms())
        if due_ms is not None:
            self._host.wheel.wake_at(self, due_ms)

    def _answer(self, request: Request) -> Response:
        if has_token(request.path):
            return self._refused("A token never goes into an address. Send it in AUTHENTICATE.")
        if request.path.partition("?")[0] != SOCKET_PATH:
            return check_method(request) or self._host.respond(request)
        if "?" in request.path:
            return self._refused("The socket's address has no query.")
        try:
            origin, host = request.headers.get("Origin"), request.headers.get("Host", "")
        except MultipleValuesError:
            return self._refused("More than one Origin or Host.")
        if origin is not None and not same_origin(origin, host, self._host.allowed_origins):
            self._host.counters.handshakes_refused += 1
            return refuse(HTTPStatus.FORBIDDEN, "This page may not open a socket here.")
        return self._protocol.accept(request)

    def _refused(self, text: str) -> Response:
        self._host.counters.handshakes_refused += 1
        _LOG.info("request refused: %s", text)
        return refuse(HTTPStatus.BAD_REQUEST, text)

    def _is_refused(self, data: bytes) -> bool:
        """Whether the request has a method that is not for here, and was answered so.

        The library closes one that has a body without a word.
        """
        head = (self._head or b"") + data[:_LONGEST_METHOD]
        if not other_method(head):
            self._head = head if len(head) < _LONGEST_METHOD and b" " not in head else None
            return False
        self._head = None
        self._protocol.send_response(refuse_method())
        self._host.counters.http_responses += 1
        self._end_soon()
        self._flush()
        return True

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        self._host.counters.handshakes_refused += 1
        self._protocol.send_response(refuse(status, text))
        self._end_soon()

    def _frame(self, frame: Frame) -> None:
        if self._dialogue is None or not self._may_send(frame):
            return
        match frame.opcode:
            case Opcode.TEXT if frame.fin:
                self._text(bytes(frame.data))
            case Opcode.TEXT:
                self._message, self._fragments = bytearray(frame.data), 1
            case Opcode.CONT:
                self._fragment(frame)
            case Opcode.BINARY:
                self._violation("binary frames have no meaning here")

    def _fragment(self, frame: Frame) -> None:
        if self._message is None:
            return
        self._message += frame.data
        self._fragments += 1
        if self._fragments > _MOST_FRAGMENTS:
            self._message = None
            self.close(CloseCode.TOO_BIG, f"over {_MOST_FRAGMENTS} fragments")
        elif frame.fin:
            message, self._message = bytes(self._message), None
            self._text(message)

    def _text(self, message: bytes) -> None:
        try:
            text = message.decode()
        except UnicodeDecodeError:
            # RFC 6455 section 8.1. The library leaves it to whoever puts fragments together.
            self._host.counters.protocol_violations += 1
            self._protocol.fail(1007, "not UTF-8")
            return
        assert self._dialogue is not None, "frames come only into a dialogue"
        self._dialogue.receive(text)

    def _may_send(self, frame: Frame) -> bool:
        """Whether this frame is within the rate. Pings count; the rest of a message does not."""
        if not self.open:
            return False
        if frame.opcode is Opcode.CONT:
            return True
        if self._allowance.take(self._heard_ms):
            return True
        self._host.counters.rate_limited += 1
        over = f"over {self._allowance.per_s} messages/s"
        self.close(CloseCode.RATE_LIMITED, over, RETRY_AFTER_MS)
        return False

    def _violation(self, reason: str) -> None:
        self._host.counters.protocol_violations += 1
        self.close(CloseCode.PROTOCOL_VIOLATION, reason)

    def _end_soon(self) -> None:
        self._deadline_ms = self._host.now_ms() + CLOSE_MS
        self._host.wheel.wake_at(self, self._deadline_ms)

    def _flush(self) -> None:
        transport = self._transport
        for data in self._protocol.data_to_send():
            if transport is None or transport.is_closing():
                return
            if data:
                transport.write(data)
            else:
                # Half-closed, not closed: unread input would turn the close frame into a reset.
                transport.write_eof()
                self._end_soon()


def _select_subprotocol(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Ours, else the first: a browser that is to be told of its version must be accepted."""
    if SUBPROTOCOL in offered:
        return Subprotocol(SUBPROTOCOL)
    return offered[0] if offered else None
