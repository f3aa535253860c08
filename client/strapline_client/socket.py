"""A WebSocket as a connection needs it; the only importer of the ``websockets`` library here."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.typing import Subprotocol

from strapline_client.errors import ClientError
from strapline_protocol.closing import CloseCode
from strapline_protocol.codec import LARGEST_ANSWER
from strapline_protocol.opening import SUBPROTOCOL

_MS_PER_S: Final = 1_000
_CONNECT_TIMEOUT_S: Final = 10
_CLOSE_TIMEOUT_S: Final = 2


class SocketEndedError(ClientError):
    """The connection is over.

    Attributes:
        code: the other end's close code; :attr:`CloseCode.LOST` where there was none.
        reason: the other end's words, or ours where it said nothing.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{reason} ({code})")
        self.code = code
        self.reason = reason


class Socket(Protocol):
    """One open connection."""

    async def receive(self, within_ms: int) -> str | bytes:
        """The next frame.

        Raises:
            SocketEndedError: none comes any more.
            TimeoutError: none came within that time.
        """
        ...

    async def send(self, frame: bytes) -> None:
        """Send a text frame. Raises SocketEndedError."""
        ...

    async def close(self, code: int, reason: str) -> None:
        """End in order; waits two seconds at most for the other end."""
        ...

    def abort(self) -> None:
        """End here and now."""
        ...


class _WebSocket:
    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def receive(self, within_ms: int) -> str | bytes:
        try:
            async with asyncio.timeout(within_ms / _MS_PER_S):
                return await self._connection.recv()
        except ConnectionClosed as closed:
            raise _ended(closed) from closed

    async def send(self, frame: bytes) -> None:
        try:
            await self._connection.send(frame, text=True)
        except ConnectionClosed as closed:
            raise _ended(closed) from closed

    async def close(self, code: int, reason: str) -> None:
        await self._connection.close(code, reason)

    def abort(self) -> None:
        self._connection.transport.abort()


def _ended(closed: ConnectionClosed) -> SocketEndedError:
    if closed.rcvd is None:
        return SocketEndedError(CloseCode.LOST, "the connection was lost")
    return SocketEndedError(closed.rcvd.code, closed.rcvd.reason)


async def dial(url: str, *, local: bool) -> Socket:
    """Open a connection. ``local``: the server is on this machine.

    Raises:
        SocketEndedError: the server is not reached, or is none of ours.
    """
    try:
        connection = await connect(
            url,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            # A proxy of the environment leads away from this machine.
            proxy=None if local else True,
            open_timeout=_CONNECT_TIMEOUT_S,
            close_timeout=_CLOSE_TIMEOUT_S,
            max_size=LARGEST_ANSWER,
            # The server's heartbeats tell whether it is there.
            ping_interval=None,
        )
    except (OSError, TimeoutError, InvalidHandshake, InvalidMessage) as error:
        why = f"the server cannot be reached: {error}"
        raise SocketEndedError(CloseCode.LOST, why) from error
    return _WebSocket(connection)
