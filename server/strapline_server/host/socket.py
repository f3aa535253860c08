"""An ASGI WebSocket as a carrier: the same dialogue, behind a host application's server.

What is sent waits in a queue of its own, which one task empties: `send` of the ASGI server
returns when there is room again. Over the bound of that queue the connection is congested, and
the dialogue keeps only the newest for it. Pings and the end of a silent peer are the ASGI server's
business, as it alone sees them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Final

from strapline_protocol.base import WireModel
from strapline_protocol.closing import CloseCode, reason_text
from strapline_protocol.codec import LARGEST_FIRST_MESSAGE, encode
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
from strapline_server.host.asgi import Receive, Send
from strapline_server.hub import payload_at
from strapline_server.wheel import NOWHERE

_LOG = logging.getLogger(__name__)
#: Where of the bound on what is unsent it is written to again, as asyncio's transports do.
_ENOUGH_ROOM: Final = 4
_LONGEST_CHARACTER: Final = 4


class AsgiSocket:
    """One WebSocket, which is accepted before :meth:`run`, and counted by the host around it."""

    __slots__ = (
        "_allowance",
        "_closing",
        "_cut",
        "_deadline_ms",
        "_dialogue",
        "_holds",
        "_host",
        "_largest",
        "_more",
        "_readable",
        "_receive",
        "_send",
        "_stuck_since_ms",
        "_task",
        "_unsent",
        "_unsent_bytes",
        "address",
        "authenticated",
        "congested",
        "wheel_slot",
        "wrote_ms",
    )

    def __init__(self, host: Host, receive: Receive, send: Send, address: str) -> None:
        self._host = host
        self._receive = receive
        self._send = send
        self._task: asyncio.Task[object] | None = None
        self._dialogue: Dialogue | None = None
        #: Ready frames, which many connections share, and where in each the payload begins.
        self._unsent: deque[tuple[int, bytes]] = deque()
        self._unsent_bytes = 0
        self._more = asyncio.Event()
        self._readable = asyncio.Event()
        self._readable.set()
        self._holds = NO_HOLD
        self._closing: tuple[int, str] | None = None
        self._cut = False
        self._stuck_since_ms: int | None = None
        self._deadline_ms: int | None = None
        self._largest = LARGEST_FIRST_MESSAGE
        self.wrote_ms = host.now_ms()
        self._allowance = Allowance(1, self.wrote_ms)
        self.wheel_slot = NOWHERE
        self.address = address
        self.authenticated = False
        self.congested = False

    async def run(self) -> None:
        """Converse until the connection is gone."""
        self._task = asyncio.current_task()
        writer = asyncio.create_task(self._write_all())
        try:
            try:
                self._begin()
                await self._read_all()
            finally:
                self._end()
                writer.cancel()
                await asyncio.wait({writer})
            if self._cut:
                # What was cut is told here and nowhere later.
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            # Only our own cut ends here; what else cancels is the host application's.
            if not self._cut or (task is not None and task.uncancel() > 0):
                raise

    # What the dialogue calls

    @property
    def open(self) -> bool:
        """Whether messages can be sent."""
        return self._closing is None and self._task is not None

    def send(self, message: WireModel) -> None:
        """Send one message; nothing happens on a connection that is closing."""
        if self.open:
            self.send_text(encode(message))

    def send_text(self, payload: bytes) -> None:
        """Send one encoded message; nothing happens on a connection that is closing."""
        self._put(0, payload, self._host.now_ms())

    def write(self, frame: bytes, now_ms: int) -> None:
        """Send what one ready frame holds."""
        self._put(payload_at(frame), frame, now_ms)

    def close(self, code: CloseCode, reason: str, retry_after_ms: int = 0) -> None:
        """Say why after all that is unsent, and wait for the other end to close for a while."""
        if not self.open:
            return
        self._closing = int(code), reason_text(reason, retry_after_ms)
        self._deadline_ms = self._host.now_ms() + CLOSE_MS
        self._host.wheel.wake_at(self, self._deadline_ms)
        self._readable.set()
        self._more.set()

    def abort(self) -> None:
        """Cut the connection at once."""
        if not self._cut and self._task is not None:
            self._cut = True
            self._task.cancel()
            self._task = None

    def admit(self, messages_per_s: int) -> None:
        """The other end is known: it may send longer and more messages from now on."""
        self.authenticated = True
        self._host.admitted(self)
        self._allowance = Allowance(messages_per_s, self._host.now_ms())
        self._largest = self._host.message_bytes

    def hold(self, why: Hold) -> None:
        """Read nothing more until this is released."""
        self._holds |= why
        if self._closing is None:
            self._readable.clear()

    def release(self, why: Hold) -> None:
        """This is no reason any more."""
        self._holds &= ~why
        if not self._holds:
            self._readable.set()

    # What the wheel calls

    def wake(self, now_ms: int) -> int | None:
        """Look at all deadlines."""
        if self._task is None or self._dialogue is None:
            return None
        if self._deadline_ms is not None and now_ms >= self._deadline_ms:
            self.abort()
            return None
        if self._closing is not None:
            return self._deadline_ms
        if self._stuck_since_ms is not None and now_ms - self._stuck_since_ms > STUCK_MS:
            self._host.counters.stuck_closed += 1
            self.abort()
            return None
        due_ms = self._dialogue.wake(now_ms)
        if due_ms is None:
            return self._deadline_ms
        return min(due_ms, now_ms + self._host.heartbeat_ms)

    # Inside

    async def _read_all(self) -> None:
        while True:
            await self._readable.wait()
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                return
            if not self.open or self._dialogue is None:
                continue
            text = event.get("text")
            if text is None:
                self._host.counters.protocol_violations += 1
                self.close(CloseCode.PROTOCOL_VIOLATION, "binary frames have no meaning here")
            elif self._may_come(text):
                self._dialogue.receive(text)

    def _may_come(self, text: str) -> bool:
        if not self._allowance.take(self._host.now_ms()):
            self._host.counters.rate_limited += 1
            over = f"over {self._allowance.per_s} messages/s"
            self.close(CloseCode.RATE_LIMITED, over, RETRY_AFTER_MS)
            return False
        if len(text) * _LONGEST_CHARACTER > self._largest and len(text.encode()) > self._largest:
            self._host.counters.protocol_violations += 1
            self.close(CloseCode.TOO_BIG, f"over {self._largest} bytes")
            return False
        return True

    def _put(self, offset: int, data: bytes, now_ms: int) -> None:
        if not self.open:
            return
        self._unsent.append((offset, data))
        self._unsent_bytes += len(data)
        self.wrote_ms = now_ms
        self._more.set()
        if not self.congested and self._unsent_bytes > self._host.buffer_bytes:
            self.congested = True
            self._stuck_since_ms = now_ms
            # One that does not read is not heard either, so that answers cannot pile up.
            self.hold(Hold.UNSENT)

    async def _write_all(self) -> None:
        try:
            while self._closing is None:
                await self._more.wait()
                self._more.clear()
                await self._write_unsent()
            code, reason = self._closing
            await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except Exception as error:  # noqa: BLE001  # whatever a server raises of a lost connection
            # ASGI lets it raise here; the connection's end comes by `receive` too, or never.
            _LOG.debug("a connection took no more: %s", type(error).__name__)
            self.abort()

    async def _write_unsent(self) -> None:
        while self._unsent:
            offset, data = self._unsent.popleft()
            text = str(memoryview(data)[offset:], "utf-8")
            await self._send({"type": "websocket.send", "text": text})
            self._unsent_bytes -= len(data)
            if self.congested and self._unsent_bytes * _ENOUGH_ROOM <= self._host.buffer_bytes:
                self.congested = False
                self._stuck_since_ms = None
                self.release(Hold.UNSENT)
                if self._dialogue is not None:
                    self._dialogue.room()

    def _begin(self) -> None:
        self._dialogue = self._host.converse(self)
        due_ms = self._dialogue.wake(self._host.now_ms())
        if due_ms is not None:
            self._host.wheel.wake_at(self, due_ms)

    def _end(self) -> None:
        self._task = None
        self._host.wheel.remove(self)
        self._unsent.clear()
        dialogue, self._dialogue = self._dialogue, None
        if dialogue is not None:
            dialogue.lost()
