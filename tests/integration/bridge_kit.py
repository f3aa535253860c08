"""What tests of the bridge share: a small server of the test's own, readings, and waiting."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from strapline_bridge.intake import Arrived
from strapline_bridge.outbox import ClockMoment, Limits, Outbox, OutboxObserver, Run
from strapline_bridge.readings import Reading
from strapline_bridge.uplink import SignedTokens, Uplink
from strapline_protocol.base import WireModel
from strapline_protocol.closing import Backoff
from strapline_protocol.codec import decode_client, encode
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.opening import (
    SUBPROTOCOL,
    Authenticate,
    Authenticated,
    Client,
    ClockState,
    Hello,
    Role,
)
from strapline_protocol.opening import Limits as WireLimits
from strapline_protocol.publishing import (
    Acknowledged,
    ClockSource,
    ClockStatus,
    Dropped,
    Readings,
    Status,
    Stream,
)
from strapline_protocol.series import Series

DEVICE = "kP3xqv0bQmKXyYyA0nqT9w"
HOUR_MS = 3_600_000

Message = TypeVar("Message", bound=WireModel)

#: A reading's identity, and all that is said of it.
Content = dict[tuple[str, int], str]


def readings_of(stream: str, series: Iterable[Series]) -> Content:
    """Each reading of these series by its identity, as one comparable text."""
    found: Content = {}
    for one in series:
        for at, (number, elapsed) in enumerate(zip(one.numbers(), one.elapsed(), strict=True)):
            alone = one.take([at]).model_dump(mode="json", exclude={"seq", "elapsed_ms"})
            found[stream, number] = json.dumps([elapsed, alone], sort_keys=True)
    return found


class Refusal(Exception):  # noqa: N818  # what a receiver's reaction raises to end the connection
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Receiver:
    """A server that keeps what it is told, and can be told to misbehave.

    Attributes:
        acknowledges: answers READINGS and DROPPED.
        answers_streams: answers STREAM.
        silent: says nothing after AUTHENTICATED.
        react: called with each message before it is acted on; may raise to end the connection.
    """

    window: int = 8_000
    message_bytes: int = 256 * 1_024
    store: str = "store-1"
    epoch: str = "epoch-1"
    acknowledges: bool = True
    answers_streams: bool = True
    heartbeat_ms: int = 15_000
    react: Callable[[ServerConnection, WireModel], object] | None = None
    held: Content = field(default_factory=dict)
    accounted: dict[str, IntervalSet] = field(default_factory=lambda: defaultdict(IntervalSet))
    repeats: int = 0
    differing: list[tuple[str, int]] = field(default_factory=list)
    messages: list[WireModel] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    sockets: list[ServerConnection] = field(default_factory=list)
    unacknowledged: int = 0
    most_unacknowledged: int = 0
    connections: int = 0
    port: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def serving(self, receive_buffer: int | None = None) -> AsyncIterator[Receiver]:
        """Listen, at the same port as before if there was one."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer is not None:
            # Set before listening, so that each accepted connection has it (tcp(7)).
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        listener.bind(("127.0.0.1", self.port))
        server: Server = await serve(
            self.handle,
            sock=listener,
            max_queue=1,
            subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]  # a NewType of str
            compression=None,
            close_timeout=0.2,
        )
        self.port = next(iter(server.sockets)).getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    async def until(self, condition: Callable[[], bool], within_s: float = 20.0) -> None:
        """Wait until something heard makes this true."""
        async with asyncio.timeout(within_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def of(self, kind: type[Message]) -> list[Message]:
        return [message for message in self.messages if isinstance(message, kind)]

    def poke(self) -> None:
        self._changed.set()

    async def say(self, message: WireModel | str | bytes) -> None:
        """Say something in the newest connection, be it no message at all."""
        if isinstance(message, WireModel):
            message = encode(message).decode()
        await self.sockets[-1].send(message)

    async def end(self, code: int, reason: str = "") -> None:
        """Close the newest connection."""
        await self.sockets[-1].close(code, reason)

    async def handle(self, connection: ServerConnection) -> None:
        self.connections += 1
        self.sockets.append(connection)
        self.unacknowledged = 0
        try:
            await self._converse(connection)
        except ConnectionClosed:
            pass
        except Refusal as refusal:
            await connection.close(refusal.code)
        finally:
            self.poke()

    async def _converse(self, connection: ServerConnection) -> None:
        hello = Hello(
            store=self.store,
            epoch=self.epoch,
            server_time=time.time_ns() // 1_000_000,
            clock_state=ClockState.SYNCHRONISED,
        )
        await connection.send(encode(hello), text=True)
        async for frame in connection:
            assert isinstance(frame, str)
            self.frames.append(frame)
            message = decode_client(frame)
            self.messages.append(message)
            if self.react is not None:
                self.react(connection, message)
            for answer in self._answers(message):
                await connection.send(encode(answer), text=True)
            self.poke()

    def _answers(self, message: WireModel) -> Iterable[WireModel]:
        match message:
            case Authenticate():
                yield Authenticated(
                    session="s",
                    principal="bridge",
                    role=Role.BRIDGE,
                    users=["anna"],
                    expires_at=time.time_ns() // 1_000_000 + HOUR_MS,
                    heartbeat_ms=self.heartbeat_ms,
                    reconnect_spread_ms=50,
                    limits=WireLimits(
                        window_readings=self.window, message_bytes=self.message_bytes
                    ),
                )
            case Stream() if self.answers_streams:
                yield Acknowledged(
                    stream=message.stream,
                    ranges=self.accounted[message.stream].ranges(),
                    zero_version=message.zero.version,
                )
            case Readings():
                yield from self._take(message)
            case Dropped() if self.acknowledges:
                self.accounted[message.stream].update(message.ranges)
                yield Acknowledged(stream=message.stream, ranges=message.ranges)

    def _take(self, message: Readings) -> Iterable[WireModel]:
        ranges = [span for one in message.series for span in one.ranges()]
        self.unacknowledged += sum(map(len, message.series))
        self.most_unacknowledged = max(self.most_unacknowledged, self.unacknowledged)
        for identity, content in readings_of(message.stream, message.series).items():
            known = self.held.setdefault(identity, content)
            if known is not content:
                self.repeats += 1
                if known != content:
                    self.differing.append(identity)
        if self.acknowledges:
            self.accounted[message.stream].update(ranges)
            self.unacknowledged = 0
            yield Acknowledged(stream=message.stream, ranges=ranges)


class Committed(OutboxObserver):
    """All readings that an outbox has made durable."""

    def __init__(self) -> None:
        self.content: Content = {}
        self.acknowledged_numbers: dict[str, IntervalSet] = defaultdict(IntervalSet)

    def committed(self, rows):  # type: ignore[no-untyped-def]  # as OutboxObserver
        for row in rows:
            self.content.update(readings_of(row.stream, [row.series]))

    def acknowledged(self, stream: str, numbers: IntervalSet) -> None:
        self.acknowledged_numbers[stream].update(numbers)


def a_reading(
    rate: int = 60,
    *,
    device: str = DEVICE,
    user: str = "anna",
    boot_ns: int | None = None,
    metric: str = "heart_rate",
) -> Arrived:
    columns = {"rr": [1_000, 990], "contact": True} if metric == "heart_rate" else {}
    return Arrived(
        user=user,
        device=device,
        boot_ns=time.monotonic_ns() if boot_ns is None else boot_ns,
        reading=Reading(metric, rate, columns),
    )


def a_moment(source: ClockSource = ClockSource.SYSTEM, uncertainty_ms: int = 50) -> ClockMoment:
    return ClockMoment(time.monotonic_ns(), time.time_ns() // 1_000_000, uncertainty_ms, source)


@asynccontextmanager
async def an_outbox(
    path: Path,
    *observers: OutboxObserver,
    limits: Limits | None = None,
    boot_id: str = "boot",
    source: ClockSource = ClockSource.SYSTEM,
    **options: object,
) -> AsyncIterator[Outbox]:
    outbox = await Outbox.open(
        path,
        Run(boot_id, time.monotonic_ns()),
        partial(a_moment, source),
        limits=limits,
        observers=observers,
        **options,  # type: ignore[arg-type]  # the test's own
    )
    async with outbox:
        yield outbox


def an_uplink(outbox: Outbox, url: str, **options: object) -> Uplink:
    async def status(request: str | None) -> Status:
        return Status(
            devices=[],
            pending=outbox.status().pending,
            oldest_pending_ms=0,
            clock=ClockStatus(source=ClockSource.SYSTEM, uncertainty_ms=1),
            request=request,
        )

    usual: dict[str, Any] = {
        "tokens": SignedTokens(lambda server_time_ms: "token"),
        "status": status,
        "backoff": Backoff(base_ms=20, cap_ms=100),
    }
    return Uplink(
        outbox,
        url=url,
        client=Client(name="strapline-bridge", version="0"),
        boot_clock=_Boot(),
        **{**usual, **options},
    )


async def until(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    """A bounded poll, for what tells nobody that it changes."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  # see above
            await asyncio.sleep(0.01)


async def drained(uplink: Uplink, within_s: float = 20.0) -> None:
    """Wait until a server has accounted for everything; the uplink must be running."""
    async with asyncio.timeout(within_s):
        # It gives up where a connection ends; the next one is another chance.
        while not await uplink.drain(within_s):  # noqa: ASYNC110  # see above
            await asyncio.sleep(0.01)


class _Boot:
    def now_ns(self) -> int:
        return time.monotonic_ns()


@asynccontextmanager
async def running(uplink: Uplink) -> AsyncIterator[Uplink]:
    task = asyncio.create_task(uplink.run())
    try:
        yield uplink
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), task.exception()
