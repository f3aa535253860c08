"""What a bridge asks its server in one connection: each answer finds its question."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Final, TypeVar

from strapline_bridge.uplink.errors import NotAnsweredError, NotConnectedError
from strapline_protocol.base import WireModel
from strapline_protocol.bridge_session import BridgeSession
from strapline_protocol.codec import result_of
from strapline_protocol.errors import MalformedMessageError
from strapline_protocol.opening import Error, ErrorCode, Request, Result

R = TypeVar("R", bound=WireModel)

#: Questions under way at one time; others wait for their turn.
_AT_ONCE: Final = 2
_WITHIN_S: Final = 60.0
_AGAIN: Final = "Try again once the bridge is connected"
_UPGRADE: Final = "Upgrade the server, so that it is of this bridge's version"


class Questions:
    """The questions of one connection.

    ``next_frame`` gives the next to be sent, ``take`` an answer that came; ``wake`` is called
    when there is one to be sent.
    """

    def __init__(
        self, session: BridgeSession, wake: Callable[[], None], within_s: float = _WITHIN_S
    ) -> None:
        self._session = session
        self._wake = wake
        self._within_s = within_s
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._numbers = count(1)
        self._due: deque[bytes] = deque()
        self._waiting: dict[str, asyncio.Future[Result]] = {}
        self._over = False

    async def ask(self, method: str, params: WireModel, kind: type[R]) -> R:
        """The server's answer.

        Raises:
            NotConnectedError: the connection ended before it came.
            NotAnsweredError: the server refused, was silent, or said something else.
        """
        async with self._turns:
            result = await self._answer(method, params)
        try:
            answer = result_of(method, result.result)
        except MalformedMessageError as error:
            raise NotAnsweredError(
                f"what the server answers to {method} is not in this protocol ({error})", _UPGRADE
            ) from None
        assert isinstance(answer, kind), "the registry of methods says so"
        return answer

    async def _answer(self, method: str, params: WireModel) -> Result:
        if self._over:
            raise _ended()
        name = f"b{next(self._numbers)}"
        content = params.model_dump(mode="json", by_alias=True)
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting[name] = future
        self._due.append(self._session.ask(Request(request=name, method=method, params=content)))
        self._wake()
        try:
            async with asyncio.timeout(self._within_s):
                return await future
        except TimeoutError:
            raise NotAnsweredError(
                f"the server has not answered {method} within {self._within_s:g} s",
                "Look at how it goes with `strapline server stats`, and try again",
            ) from None
        finally:
            del self._waiting[name]

    def next_frame(self) -> bytes | None:
        """The next question to be sent."""
        return self._due.popleft() if self._due else None

    def take(self, message: Result | Error) -> bool:
        """An answer came. Whether it was to a question of these."""
        future = self._waiting.get(message.request or "")
        if future is None or future.done():
            return future is not None
        if isinstance(message, Result):
            future.set_result(message)
        else:
            future.set_exception(_refused(message))
        return True

    def end(self) -> None:
        """The connection is over: nobody answers any more."""
        self._over = True
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(_ended())


def _ended() -> NotConnectedError:
    return NotConnectedError("the connection to the server ended before it answered", _AGAIN)


def _refused(error: Error) -> NotAnsweredError:
    if error.code == ErrorCode.UNKNOWN_METHOD:
        return NotAnsweredError("the server cannot be asked this", _UPGRADE, error.code)
    return NotAnsweredError(
        f"the server does not answer: {error.message or error.code}",
        "Look at how it goes with `strapline server stats`, and try again",
        error.code,
    )
