"""Questions that wait for their answer: numbered, bounded, given up when the connection goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from pydantic import JsonValue, ValidationError

from strapline_client.errors import NotConnectedError, RequestRefusedError
from strapline_protocol.base import WireModel
from strapline_protocol.codec import faults_of, result_of
from strapline_protocol.errors import LocalProtocolError, RemoteProtocolError
from strapline_protocol.messages import METHODS
from strapline_protocol.opening import Error, ErrorCode, Request, Result

#: Under way and waiting for their turn together.
QUESTIONS_BOUND: Final = 64


class Questions:
    """Those of one connection. At most as many are under way as the server allows."""

    def __init__(self) -> None:
        self._asked: dict[str, tuple[str, asyncio.Future[WireModel]]] = {}
        self._room = asyncio.Semaphore(1)
        self._count = 0

    def allow(self, at_once: int) -> None:
        """So many may be under way."""
        for _ in range(at_once - 1):
            self._room.release()

    @asynccontextmanager
    async def turn(self, method: str) -> AsyncIterator[None]:
        """Wait for one's turn.

        Raises:
            LocalProtocolError: there is no such method in this version.
            RequestRefusedError: too many wait already.
        """
        if method not in METHODS:
            raise LocalProtocolError(f"no method {method!r} in this version")
        if self._count >= QUESTIONS_BOUND:
            raise RequestRefusedError(
                ErrorCode.TOO_MANY, f"more than {QUESTIONS_BOUND} questions are waiting; ask later"
            )
        self._count += 1
        try:
            async with self._room:
                yield
        finally:
            self._count -= 1

    @staticmethod
    def question(number: str, method: str, params: Mapping[str, JsonValue]) -> Request:
        """The message. Raises LocalProtocolError where ``params`` cannot be said."""
        try:
            return Request(request=number, method=method, params=dict(params))
        except ValidationError as error:
            raise LocalProtocolError(f"{method} is not asked: {faults_of(error)}") from None

    @contextmanager
    def asked(self, number: str, method: str) -> Iterator[asyncio.Future[WireModel]]:
        """The answer to come."""
        answer: asyncio.Future[WireModel] = asyncio.get_running_loop().create_future()
        self._asked[number] = (method, answer)
        try:
            yield answer
        finally:
            self._asked.pop(number, None)

    def answered(self, message: Result) -> None:
        """One is answered; whoever asked may be gone."""
        method, answer = self._asked.get(message.request, ("", None))
        if answer is None or answer.done():
            return
        try:
            answer.set_result(result_of(method, message.result))
        except RemoteProtocolError as error:
            answer.set_exception(error)

    def refused(self, message: Error) -> bool:
        """One is refused; False where it is none of these."""
        _, answer = self._asked.get(message.request or "", ("", None))
        if answer is None:
            return False
        if not answer.done():
            answer.set_exception(RequestRefusedError(message.code, message.message))
        return True

    def leave(self) -> None:
        """The connection is over: nothing is answered any more."""
        for method, answer in self._asked.values():
            if not answer.done():
                answer.set_exception(
                    NotConnectedError(f"the connection ended before {method} was answered")
                )
