"""A server's desk: a Unix socket in its state folder, which tells its owner how it goes.

Plain HTTP, ``GET /stats`` alone, for whoever may open the socket: the server's own user. So
nothing of it can be asked over a network, and no token is needed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from strapline_protocol.codec import encode
from strapline_server.stats import Stats

_LOG = logging.getLogger(__name__)

NAME: Final = "stats.sock"
_OWNER_ONLY: Final = 0o600
#: sun_path of unix(7) holds 108 bytes with the zero at its end.
_LONGEST_PATH: Final = 107
_LONGEST_REQUEST: Final = 4_096
_MOST_VISITORS: Final = 8
_PATIENCE_S: Final = 5.0


class Desk:
    """Answers while it is open.

    Args:
        folder: the server's state folder.
        stats: what to tell.
    """

    def __init__(self, folder: Path, stats: Callable[[], Awaitable[Stats]]) -> None:
        self._folder = folder
        self._stats = stats
        self._server: asyncio.Server | None = None
        self._visitors: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen; where that cannot be, say so and go on: nobody's readings depend on it.

        The folder is this process's alone, so that a socket that is there is a dead one's.
        """
        try:
            listener = _bound(self._folder)
            self._server = await asyncio.start_unix_server(
                self._arrived, sock=listener, limit=_LONGEST_REQUEST
            )
        except OSError as error:
            _LOG.warning(
                "%s: cannot be made (%s), so `strapline server stats` will find no server. Let "
                "this user make sockets in that folder.",
                self._folder / NAME,
                error,
            )

    async def close(self) -> None:
        """Answer nobody any more."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for task in self._visitors:
            task.cancel()
        await asyncio.gather(*self._visitors, return_exceptions=True)
        with suppress(OSError):
            _remove(self._folder)

    def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._visitors) >= _MOST_VISITORS:
            writer.close()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._visitors.add(task)
        task.add_done_callback(self._visitors.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._answer(head))
                await writer.drain()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            # One that goes, dribbles or says too much is left alone.
            _LOG.debug("somebody at the desk asked for nothing")
        except Exception:  # noqa: BLE001  # logged; the server goes on
            _LOG.exception("the desk could not answer")
        finally:
            writer.close()

    async def _answer(self, head: bytes) -> bytes:
        if head.split(b"\r\n", 1)[0].split(b" ")[:2] != [b"GET", b"/stats"]:
            return _response("404 Not Found", "text/plain", b"There is GET /stats.\n")
        return _response("200 OK", "application/json", encode(await self._stats()))


def _remove(folder: Path) -> None:
    (folder / NAME).unlink(missing_ok=True)


def _bound(folder: Path) -> socket.socket:
    """The socket in this folder, in place of one that is there."""
    _remove(folder)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # The mode that it has when it is bound, so that nobody else has a moment.
        os.fchmod(listener.fileno(), _OWNER_ONLY)
        with _reachable(folder) as path:
            listener.bind(path)
    except OSError:
        listener.close()
        raise
    return listener


def _response(status: str, kind: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


async def ask_desk(folder: Path) -> Stats | None:
    """What the server of this state folder tells; None where none runs.

    Raises:
        OSError: the socket is there and not for this user, or nobody answers.
    """
    try:
        async with asyncio.timeout(_PATIENCE_S):
            with _reachable(folder) as path:
                reader, writer = await asyncio.open_unix_connection(path)
            try:
                writer.write(b"GET /stats HTTP/1.1\r\nHost: desk\r\n\r\n")
                told = await reader.read(-1)
            finally:
                writer.close()
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    head, _, body = told.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise OSError("the server has no answer")
    return Stats.model_validate_json(body)


@contextmanager
def _reachable(folder: Path) -> Iterator[str]:
    """A path to the socket that fits into an address, however long the folder's is."""
    path = str(folder / NAME)
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        yield path
        return
    # The kernel follows an open folder by its number (proc(5)).
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{NAME}"
    finally:
        os.close(handle)
