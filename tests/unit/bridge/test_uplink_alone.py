"""A connection for questions alone: who it is, and nothing that is published."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from strapline_bridge.clock import SystemBootClock
from strapline_bridge.uplink import NotConnectedError, SignedTokens, questions_alone
from strapline_protocol.asking import Accounts, AccountsParams
from strapline_protocol.codec import encode
from strapline_protocol.opening import Authenticate, Client, Request, Result
from tests.integration.bridge_kit import Receiver, Refusal

STREAM = "s" * 22
_NONE: dict[str, Any] = {key: [] for key in ("received", "rejected", "dropped", "erased")}


def _alone(url: str) -> Any:
    tokens = SignedTokens(lambda server_time_ms: "a-token")
    return questions_alone(url, tokens, Client(name="bridge", version="9"), SystemBootClock())


async def test_it_asks_as_the_bridge_and_says_nothing_else() -> None:
    said: list[asyncio.Task[None]] = []

    def react(connection: Any, message: object) -> None:
        if isinstance(message, Request):
            result = {"stream": STREAM, **_NONE, "readings": 7}
            answer = encode(Result(request=message.request, result=result)).decode()
            said.append(asyncio.create_task(connection.send(answer)))

    receiver = Receiver(react=react)
    async with receiver.serving() as server, _alone(server.url) as questions:
        accounts = await questions.ask("accounts", AccountsParams(stream=STREAM), Accounts)
        assert accounts.readings == 7
        assert [type(message) for message in server.messages] == [Authenticate, Request]


async def test_a_server_that_is_not_there_is_an_error_with_a_remedy() -> None:
    with pytest.raises(NotConnectedError, match=r"cannot be reached.*--offline"):
        async with _alone("ws://127.0.0.1:9"):
            pass


async def test_a_server_that_refuses_this_bridge_is_an_error() -> None:
    def refuse(connection: object, message: object) -> None:
        raise Refusal(4401)

    async with Receiver(react=refuse).serving() as server:
        with pytest.raises(NotConnectedError, match="--offline"):
            async with _alone(server.url):
                pass


async def test_the_end_of_the_connection_is_the_end_of_asking() -> None:
    async with Receiver().serving() as server, _alone(server.url) as questions:
        asked = asyncio.create_task(
            questions.ask("accounts", AccountsParams(stream=STREAM), Accounts)
        )
        await server.until(lambda: bool(server.of(Request)))
        await server.end(1001)
        with pytest.raises(NotConnectedError, match="ended before"):
            await asked
