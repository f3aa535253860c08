"""A connection for questions alone, while no service runs: nothing is published over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from strapline_bridge.clock import BootClock
from strapline_bridge.uplink.asking import Questions
from strapline_bridge.uplink.connection import Connection, Endpoint
from strapline_bridge.uplink.errors import NotConnectedError
from strapline_bridge.uplink.tokens import TokenSource
from strapline_protocol.bridge_session import BridgeSession
from strapline_protocol.messages import ServerMessage
from strapline_protocol.opening import Authenticated, Client, Error, Hello, Result

_CONNECT_WITHIN_S: Final = 20.0


class _Asker:
    """What drives a connection in which only questions are asked."""

    def __init__(self, session: BridgeSession, wake: Callable[[], None]) -> None:
        self.questions = Questions(session, wake)
        self._wake = wake
        self._first: list[bytes] = []

    def say(self, frame: bytes) -> None:
        self._first.append(frame)
        self._wake()

    def take(self, message: ServerMessage) -> None:
        if isinstance(message, (Result, Error)):
            self.questions.take(message)

    async def next_frame(self) -> bytes | None:
        return self._first.pop(0) if self._first else self.questions.next_frame()


@asynccontextmanager
async def questions_alone(
    url: str, tokens: TokenSource, client: Client, boot_clock: BootClock
) -> AsyncIterator[Questions]:
    """Connect as this bridge, to ask and to say nothing else.

    A server takes a second connection of one bridge for its successor: the outbox must be held
    by whoever uses this.

    Raises:
        NotConnectedError: the server cannot be reached, or does not let this bridge in.
    """
    stands: asyncio.Future[Questions] = asyncio.get_running_loop().create_future()
    asked: list[_Asker] = []

    def converse(
        session: BridgeSession, hello: Hello, authenticated: Authenticated, wake: Callable[[], None]
    ) -> _Asker:
        asked.append(_Asker(session, wake))
        return asked[-1]

    def connected() -> None:
        if not stands.done():
            stands.set_result(asked[-1].questions)

    def done() -> None:
        asked[-1].questions.end()

    connection = Connection(
        Endpoint(
            url=url,
            tokens=tokens,
            client=client,
            boot_clock=boot_clock,
            converse=converse,
            greeted=lambda greeting: None,
            connected=connected,
            done=done,
        )
    )
    running = asyncio.create_task(connection.run(), name="questions")
    either: list[asyncio.Future[Any]] = [running, stands]
    try:
        await asyncio.wait(either, timeout=_CONNECT_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
        if not stands.done():
            raise _not_connected(running.result().reason if running.done() else "no answer")
        yield stands.result()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        stands.cancel()


def _not_connected(why: str) -> NotConnectedError:
    return NotConnectedError(
        why.removesuffix(".") or "the server closed the connection",
        "Put that right, or look at what is here alone with --offline",
    )
