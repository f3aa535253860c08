"""What a bridge asks about its own streams is answered beside what it sends, one by one.

Nothing that it publishes waits for an answer, and however much it asks at once, one question at
a time is read.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from strapline_protocol.asking import AccountsParams, DigestsParams
from strapline_protocol.base import WireModel
from strapline_protocol.codec import decode_params, encode_result
from strapline_protocol.errors import MalformedMessageError, UnknownTypeError
from strapline_protocol.messages import METHODS
from strapline_protocol.opening import Error, ErrorCode, Request, Role
from strapline_protocol.server_session import ServerSession
from strapline_server.carrier import Carrier
from strapline_server.dialogue import Context
from strapline_server.errors import StoreError

#: The same for a stream of another bridge and one that there is not.
_NOT_GRANTED: Final = "not granted"


class Answers:
    """One bridge's questions. How many wait is bounded by its session.

    Args:
        context: the server's parts.
        connection: where the answers go.
        session: counts the requests that are in flight.
        sub: the bridge.
    """

    __slots__ = ("_answering", "_connection", "_context", "_session", "_sub", "_waiting")

    def __init__(
        self, context: Context, connection: Carrier, session: ServerSession, sub: str
    ) -> None:
        self._context = context
        self._connection = connection
        self._session = session
        self._sub = sub
        self._waiting: deque[Request] = deque()
        self._answering = False

    def ask(self, request: Request) -> None:
        """Put a question in line."""
        self._waiting.append(request)
        if not self._answering:
            self._answering = True
            self._context.spawn(self._answer_all())

    def lost(self) -> None:
        """Nobody waits any more."""
        self._waiting.clear()

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                await self._answer(self._waiting.popleft())
        finally:
            self._answering = False

    async def _answer(self, request: Request) -> None:
        try:
            result = await self._result(request)
            if isinstance(result, ErrorCode):
                self._error(request, result, f"{request.method} is not for this role")
            elif result is None:
                self._error(request, ErrorCode.NOT_GRANTED, _NOT_GRANTED)
            else:
                self._connection.send_text(encode_result(request.request, result))
        except UnknownTypeError:
            self._error(request, ErrorCode.UNKNOWN_METHOD, f"no method {request.method}")
        except (MalformedMessageError, ValueError) as error:
            self._error(request, ErrorCode.BAD_REQUEST, str(error))
        except StoreError:
            self._error(request, ErrorCode.FAILED, "the database cannot be read now")
        finally:
            self._session.answered()

    async def _result(self, request: Request) -> WireModel | ErrorCode | None:
        """The answer; None where the stream is not its own, a code where that is no bridge's."""
        method = METHODS.get(request.method)
        if method is not None and method.role is not Role.BRIDGE:
            return ErrorCode.NOT_ALLOWED
        params = decode_params(request)
        store = self._context.store
        match params:
            case AccountsParams():
                return await store.accounts(self._sub, params)
            case DigestsParams():
                return await store.digests(self._sub, params)
        raise UnknownTypeError(request.method)

    def _error(self, request: Request, code: ErrorCode, message: str) -> None:
        denied = code in {ErrorCode.NOT_ALLOWED, ErrorCode.NOT_GRANTED}
        self._context.counters.requests_denied += denied
        self._connection.send(Error(request=request.request, code=code, message=message[:1000]))
