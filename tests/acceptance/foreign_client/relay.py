"""A line between a viewer and a server, frame by frame, that can be cut, muted and made lossy."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

#: RFC 6455 section 5.2: lengths over 125 follow in two bytes, over 65,535 in eight.
_LONGER = {126: 2, 127: 8}


class Relay:
    """Passes TCP connections on to a port of this machine.

    Attributes:
        connections: how many there have been.
        lose: how many of the next changes for the viewer are lost on the way.
        muted: nothing is passed on to the viewer, and nobody is told.
    """

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.connections = 0
        self.lose = 0
        self.muted = False
        self._target_port = target_port
        self._open = asyncio.Event()
        self._open.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def hold(self) -> None:
        """Who connects from now on waits until :meth:`resume`."""
        self._open.clear()

    def resume(self) -> None:
        """Pass on again."""
        self._open.set()

    def cut(self) -> None:
        """Reset all connections: no close frame, not even an orderly end of TCP."""
        for writer in self._writers:
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One viewer's connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        self.connections += 1
        self.muted = False
        try:
            await self._open.wait()
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._target_port)
            self._writers.add(to_server)
            try:
                await asyncio.gather(_bytes(reader, to_server), self._frames(from_server, writer))
            finally:
                self._writers.discard(to_server)
                to_server.close()
        except OSError:
            pass  # cut, or there is no server now: the viewer shall see to it
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()

    async def end(self) -> None:
        """Cut all and wait for what goes on here."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _frames(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(head)
            if not head.startswith(b"HTTP/1.1 101"):
                await _bytes(reader, writer)
                return
            while True:
                frame = await reader.readexactly(2)
                length = frame[1] & 0x7F
                if length in _LONGER:
                    longer = await reader.readexactly(_LONGER[length])
                    frame += longer
                    length = int.from_bytes(longer, "big")
                frame += await reader.readexactly(length)
                if self.lose and b'"HEALTH_DATA_UPDATE"' in frame:
                    self.lose -= 1
                elif not self.muted:
                    writer.write(frame)
        except asyncio.IncompleteReadError:
            writer.close()


async def _bytes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def relay_to(target_port: int) -> AsyncIterator[Relay]:
    """A relay on a free port."""
    relay = Relay(target_port)
    async with await asyncio.start_server(relay.serve, "127.0.0.1", 0) as listener:
        relay.port = listener.sockets[0].getsockname()[1]
        yield relay
        listener.close()
        await relay.end()
