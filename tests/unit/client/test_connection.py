"""One session over one real socket: opening, questions, renewal, and each way to end."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import JsonValue

from strapline_client import NotConnectedError, RequestRefusedError, WebSocketService
from strapline_client.events import ConnectionStatus, WebSocketEventType
from strapline_protocol.asking import HistoryPage
from strapline_protocol.errors import MalformedMessageError
from strapline_protocol.opening import (
    Error,
    ErrorCode,
    Heartbeat,
    Refresh,
    Refreshed,
    Request,
    Result,
    TokenExpiring,
)
from strapline_protocol.watching import SyncAsked
from tests.unit.client.scripted import Peer, scripted

HISTORY: dict[str, JsonValue] = {"user": "maren", "metric": "heart_rate", "fromMs": 0, "toMs": 10}
PAGE: dict[str, JsonValue] = {
    "user": "maren",
    "metric": "heart_rate",
    "series": [],
    "position": ["e", 3],
}


async def subscribed(service: WebSocketService) -> None:
    async for update in service.updates():
        if update.type is WebSocketEventType.SUBSCRIBED:
            return


async def test_it_says_who_it_is_and_subscribes_to_all_that_is_granted() -> None:
    async def play(peer: Peer) -> None:
        opening = await peer.open()
        assert opening.token == "a-token"
        assert "heart_rate" in opening.client.metrics
        asked = await peer.subscribe(3)
        assert (asked.users, asked.metrics, asked.since) == (None, None, {})
        await peer.until_left()

    async with scripted(play) as server, WebSocketService(server.url, "a-token") as service:
        await subscribed(service)
        assert service.users["maren"].name == "Maren Holt"
        assert service.session is not None
        assert service.session.principal == "watcher"


async def test_a_question_is_answered_in_its_own_shape() -> None:
    async def play(peer: Peer) -> None:
        await peer.open()
        await peer.subscribe(3)
        question = await peer.hear()
        assert isinstance(question, Request)
        assert (question.method, question.params) == ("history", HISTORY)
        await peer.say(Result(request=question.request, result=PAGE))
        await peer.until_left()

    async with scripted(play) as server, WebSocketService(server.url, "t") as service:
        await subscribed(service)
        page = await service.request("history", HISTORY)
    assert isinstance(page, HistoryPage)
    assert page.position == ("e", 3)


async def test_a_refusal_an_odd_answer_and_a_loss_are_told_apart() -> None:
    async def play(peer: Peer) -> None:
        await peer.open()
        await peer.subscribe(3)
        first = await peer.hear()
        assert isinstance(first, Request)
        await peer.say(Error(request=first.request, code=ErrorCode.NOT_GRANTED, message="no"))
        second = await peer.hear()
        assert isinstance(second, Request)
        await peer.say(Result(request=second.request, result={"asked": "many"}))
        await peer.hear()
        await peer.lose()

    async with scripted(play) as server, WebSocketService(server.url, "t") as service:
        await subscribed(service)
        with pytest.raises(RequestRefusedError, match="no") as refused:
            await service.request("history", HISTORY)
        assert refused.value.code == "notGranted"
        with pytest.raises(MalformedMessageError, match="asked"):
            await service.request("sync", {})
        with pytest.raises(NotConnectedError, match="history"):
            await service.request("history", HISTORY)


async def test_no_more_questions_go_out_than_the_server_allows() -> None:
    heard: list[str] = []

    async def play(peer: Peer) -> None:
        await peer.open()
        await peer.subscribe(3)
        numbers = []
        for _ in range(2):
            question = await peer.hear()
            assert isinstance(question, Request)
            numbers.append(question.request)
        heard.extend(numbers)
        await peer.say(Result(request=numbers[0], result={"asked": 1}))
        third = await peer.hear()
        assert isinstance(third, Request)
        for number in (numbers[1], third.request):
            await peer.say(Result(request=number, result={"asked": 1}))
        await peer.until_left()

    async with scripted(play) as server, WebSocketService(server.url, "t") as service:
        await subscribed(service)
        await asyncio.gather(*(service.request("sync", {}) for _ in range(3)))
    assert len(heard) == 2


async def test_the_token_is_renewed_in_band_and_used_from_then_on() -> None:
    async def play(peer: Peer) -> None:
        await peer.open()
        await peer.subscribe(3)
        await peer.say(TokenExpiring(expires_at=5, token="newer"))
        renewed = await peer.hear()
        assert isinstance(renewed, Refresh)
        assert renewed.token == "newer"
        await peer.say(Refreshed(expires_at=9))
        await peer.lose()

    async def again(peer: Peer) -> None:
        opening = await peer.open()
        assert opening.token == "newer"
        await peer.subscribe(3, reset=False)
        await peer.until_left()

    async with scripted(play, again) as server, WebSocketService(server.url, "older") as service:
        updates = service.updates()
        async for update in updates:
            if update.type is WebSocketEventType.SUBSCRIBED and service.connections == 2:
                break


async def test_a_sync_is_asked_in_the_original_form() -> None:
    async def play(peer: Peer) -> None:
        await peer.open()
        await peer.subscribe(3)
        assert isinstance(await peer.hear(), SyncAsked)
        await peer.until_left()

    async with scripted(play) as server:
        async with WebSocketService(server.url, "t") as service:
            await service.sync()  # Nobody to ask yet: nothing happens.
            await subscribed(service)
            await service.sync()
        await server.done.wait()


async def test_a_silent_server_is_left_and_sought_again() -> None:
    async def silent(peer: Peer) -> None:
        await peer.open(heartbeat_ms=10)
        await peer.subscribe(3)
        await peer.until_left()

    async def beating(peer: Peer) -> None:
        await peer.open(heartbeat_ms=15_000)
        await peer.subscribe(3, reset=False)
        await peer.say(Heartbeat(server_time=2))
        await peer.until_left()

    async with (
        scripted(silent, beating) as server,
        WebSocketService(server.url, "t") as service,
    ):
        reasons = []
        async for update in service.updates():
            if update.type is WebSocketEventType.CONNECTION_STATUS:
                reasons.append(update.message)
            if update.type is WebSocketEventType.SUBSCRIBED and service.connections == 2:
                break
        assert "the server fell silent" in str(reasons)
        assert service.status is ConnectionStatus.CONNECTED
