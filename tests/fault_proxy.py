"""A TCP link that misbehaves: slow, narrow, cut, reset, half open, silent, chopped, out of order.

It stands between two real programs and passes their bytes on. Each direction has its own faults;
whole connections can be held, so that a later one arrives first. The sleeps here are the fault.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

_CHUNK: Final = 16_384
#: What is under way in one direction, besides the kernel's own buffers.
_MOST_UNDER_WAY: Final = 8
_SMALLEST_BUFFER: Final = 4_096


def _opened() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(slots=True)
class Direction:
    """What happens to the bytes of one direction, of all connections. May be changed at any time.

    Attributes:
        latency_s: how long after it came a byte goes on.
        bytes_per_s: no more than so many; None: as many as come.
        split_bytes: nothing goes on in larger pieces, each a segment of its own; 0: as it came.
        gather_s: what comes within this time goes on in one piece.
        silent: nothing goes on and nothing is read any more, but the connection stands: a cable
            that was pulled out. What is under way goes on where that ends, unless it is cut.
        passed: bytes that went on.
    """

    latency_s: float = 0.0
    bytes_per_s: int | None = None
    split_bytes: int = 0
    gather_s: float = 0.0
    passed: int = 0
    _audible: asyncio.Event = field(default_factory=_opened)

    @property
    def silent(self) -> bool:
        """Whether nothing goes on."""
        return not self._audible.is_set()

    @silent.setter
    def silent(self, silent: bool) -> None:
        if silent:
            self._audible.clear()
        else:
            self._audible.set()

    async def audible(self) -> None:
        """Wait until bytes go on."""
        await self._audible.wait()


class Link:
    """One connection through the proxy."""

    def __init__(self, near: asyncio.StreamWriter) -> None:
        self._near = near
        self._far: asyncio.StreamWriter | None = None
        self.left: asyncio.StreamWriter | None = None
        self.tasks: list[asyncio.Task[None]] = []

    def joined(self, far: asyncio.StreamWriter) -> None:
        """The other side stands."""
        self._far = far

    def cut(self) -> None:
        """End it in order on both sides, in the middle of whatever is under way (FIN)."""
        self._stop()
        for writer in self._writers():
            writer.close()

    def reset(self) -> None:
        """End it without order on both sides (RST): what is under way is lost."""
        self._stop()
        for writer in self._writers():
            _reset(writer)

    def half_open(self, *, near_stays: bool = True) -> None:
        """Reset one side and leave the other as it is: it is never told."""
        self._stop()
        gone, self.left = (self._far, self._near) if near_stays else (self._near, self._far)
        if gone is not None:
            _reset(gone)

    def _stop(self) -> None:
        for task in self.tasks:
            task.cancel()

    def _writers(self) -> list[asyncio.StreamWriter]:
        return [writer for writer in (self._near, self._far) if writer is not None]


class FaultProxy:
    """Passes connections on to a port of this machine.

    Attributes:
        port: where it listens.
        up: what happens on the way to the server.
        down: on the way back.
        links: the connections that stand, oldest first.
        connections: how many there have been.
    """

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.up = Direction()
        self.down = Direction()
        self.links: list[Link] = []
        self.connections = 0
        self.target_port = target_port
        self._gate = _opened()
        self._held: list[asyncio.Event] = []
        self._came = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._left: list[asyncio.StreamWriter] = []

    def hold(self) -> None:
        """Who connects from now on seems connected, and reaches nobody until :meth:`let_go`."""
        self._gate = asyncio.Event()
        self._held.append(self._gate)

    def pass_newcomers(self) -> None:
        """Who connects from now on goes on at once, before those that are held."""
        self._gate = _opened()

    def let_go(self) -> None:
        """Those that are held go on, and whoever connects."""
        for gate in self._held:
            gate.set()
        self._held.clear()
        self.pass_newcomers()

    def cut(self) -> None:
        """End all connections in order."""
        for link in list(self.links):
            link.cut()

    def reset(self) -> None:
        """End all connections without order."""
        for link in list(self.links):
            link.reset()

    async def connected(self, count: int) -> None:
        """Wait until so many connections have come since the beginning."""
        async with self._came:
            await self._came.wait_for(lambda: self.connections >= count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        link = Link(writer)
        self.links.append(link)
        gate = self._gate
        async with self._came:
            self.connections += 1
            self._came.notify_all()
        try:
            await gate.wait()
            await self._join(link, reader, writer)
        except OSError:
            _reset(writer)  # there is no server now
        except asyncio.CancelledError:
            # By `end`, which waits; asyncio's streams take a cancelled connection for a fault.
            _reset(writer)
        finally:
            self._tasks.discard(task)
            self.links.remove(link)
            if link.left is not None:
                self._left.append(link.left)

    async def _join(
        self, link: Link, near: asyncio.StreamReader, near_writer: asyncio.StreamWriter
    ) -> None:
        far, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        for writer in (near_writer, far_writer):
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.joined(far_writer)
        link.tasks = [
            asyncio.create_task(_carry(near, far_writer, self.up)),
            asyncio.create_task(_carry(far, near_writer, self.down)),
        ]
        await asyncio.gather(*link.tasks, return_exceptions=True)
        if not any(task.cancelled() for task in link.tasks):
            near_writer.close()
            far_writer.close()

    async def end(self) -> None:
        """Reset all and wait for what goes on here."""
        self.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._left:
            _reset(writer)


@asynccontextmanager
async def fault_proxy(
    target_port: int, *, small_buffers: bool = False
) -> AsyncIterator[FaultProxy]:
    """A proxy on a free port.

    Args:
        target_port: of the server on this machine.
        small_buffers: the kernel holds next to nothing, so that a slow reader is felt at once.
    """
    proxy = FaultProxy(target_port)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if small_buffers:
        # Set before listening, so that each accepted connection has it (tcp(7)).
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALLEST_BUFFER)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SMALLEST_BUFFER)
    listener.bind(("127.0.0.1", 0))
    limit = _SMALLEST_BUFFER if small_buffers else 2 * _CHUNK
    server = await asyncio.start_server(proxy.serve, sock=listener, limit=limit)
    proxy.port = listener.getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.end()


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Direction
) -> None:
    """One direction of one connection, with what lies between its ends."""
    line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_MOST_UNDER_WAY)
    taking = asyncio.create_task(_take(reader, line, way))
    try:
        await _give(line, writer, way)
    except ConnectionError:
        # One end is gone: the other is told as TCP would tell it.
        _reset(writer)
        raise
    finally:
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)


async def _take(
    reader: asyncio.StreamReader, line: asyncio.Queue[tuple[float, bytes]], way: Direction
) -> None:
    loop = asyncio.get_running_loop()
    data = b"?"
    while data:
        await way.audible()
        # Little at a time where it is slow: else it comes in bursts.
        most = _CHUNK if way.bytes_per_s is None else max(1, min(_CHUNK, way.bytes_per_s // 50))
        try:
            data = await reader.read(most)
        except ConnectionError:
            data = b""
        await line.put((loop.time(), data))


async def _give(
    line: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter, way: Direction
) -> None:
    loop = asyncio.get_running_loop()
    free_at_s = loop.time()
    over = False
    while not over:
        came_s, data = await line.get()
        over = not data
        if way.gather_s and not over:
            await asyncio.sleep(way.gather_s)
            while not line.empty() and not over:
                _, more = line.get_nowait()
                data, over = data + more, not more
        free_at_s = max(free_at_s, came_s + way.latency_s)
        if way.bytes_per_s is not None:
            free_at_s = max(free_at_s, loop.time()) + len(data) / way.bytes_per_s
        await asyncio.sleep(max(0.0, free_at_s - loop.time()))
        await way.audible()
        await _write(writer, data, way)
    if writer.can_write_eof():
        with suppress(OSError):
            writer.write_eof()


async def _write(writer: asyncio.StreamWriter, data: bytes, way: Direction) -> None:
    most = way.split_bytes or len(data) or 1
    for start in range(0, len(data), most):
        writer.write(data[start : start + most])
        await writer.drain()
        if way.split_bytes:
            # A segment of its own, since the kernel has nothing yet to join it with.
            await asyncio.sleep(0)
    way.passed += len(data)


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST instead of FIN (tcp(7), SO_LINGER of 0 s)."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
