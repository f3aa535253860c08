"""The service across connections: resuming, gaps, stopping, and who is told."""

from __future__ import annotations

import asyncio

import pytest
from websockets.exceptions import ConnectionClosed

from strapline_client import (
    ConnectionStatus,
    NotConnectedError,
    StoppedError,
    Update,
    WebSocketEventType,
    WebSocketService,
)
from strapline_client.state import States
from strapline_protocol.closing import CloseCode
from strapline_protocol.opening import GoingAway
from strapline_protocol.watching import HealthDataUpdate, SubscriptionChanged
from tests.unit.client.scripted import Peer, scripted
from tests.unit.client.test_state import update as change


def numbered(n: int, previous: int) -> HealthDataUpdate:
    return change("maren", n).model_copy(update={"position": ("e", n), "previous": ("e", previous)})


async def take(service: WebSocketService, count: int) -> list[int]:
    """The positions of the next ``count`` changes."""
    taken: list[int] = []
    async for update in service.updates():
        if isinstance(update.message, HealthDataUpdate):
            taken.append(update.message.position[1])
            if len(taken) == count:
                break
    return taken


async def test_it_resumes_from_where_it_stood() -> None:
    async def first(peer: Peer) -> None:
        await peer.open()
        await peer.subscribe(3)
        await peer.say(numbered(4, 3))
        await peer.close(CloseCode.RESTART, "an upgrade")

    async def second(peer: Peer) -> None:
        await peer.open()
        asked = await peer.subscribe(5, reset=False)
        assert asked.since == {"maren": ("e", 4)}
        # A repeat of what is held, then what is new.
        await peer.say(numbered(4, 3), numbered(5, 4))
        await peer.until_left()

    async with scripted(first, second) as server, WebSocketService(server.url, "t") as service:
        assert await take(service, 2) == [4, 5]
        assert service.connections == 2


async def test_a_missing_change_is_asked_for_in_the_same_connection() -> None:
    async def play(peer: Peer) -> None:
        await peer.open()
        await peer.subscribe(3)
        await peer.say(numbered(4, 3), numbered(6, 5))
        asked = await peer.subscribe(6, reset=False)
        assert asked.since == {"maren": ("e", 4)}
        await peer.say(numbered(5, 4), numbered(6, 5))
        await peer.until_left()

    async with scripted(play) as server, WebSocketService(server.url, "t") as service:
        assert await take(service, 3) == [4, 5, 6]
        assert service.connections == 1


async def test_a_user_that_is_granted_later_is_asked_for() -> None:
    async def play(peer: Peer) -> None:
        await peer.open()
        await peer.subscribe(3)
        await peer.say(SubscriptionChanged(added=["tomas"], removed=[]))
        asked = await peer.subscribe(3, reset=False)
        assert asked.users is None
        await peer.say(numbered(4, 3))
        await peer.until_left()

    async with scripted(play) as server, WebSocketService(server.url, "t") as service:
        assert await take(service, 1) == [4]


async def test_a_user_that_is_taken_away_is_not_asked_about() -> None:
    async def play(peer: Peer) -> None:
        await peer.open()
        await peer.subscribe(3)
        await peer.say(SubscriptionChanged(added=[], removed=["tomas"]), numbered(4, 3))
        with pytest.raises(ConnectionClosed):
            await peer.hear()

    async with scripted(play) as server, WebSocketService(server.url, "t") as service:
        assert await take(service, 1) == [4]


async def test_what_nobody_thought_of_ends_every_iteration_with_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a fault of this package")

    monkeypatch.setattr(States, "apply", broken)

    async def play(peer: Peer) -> None:
        await peer.open()
        await peer.subscribe(3)
        await peer.until_left()

    async with scripted(play) as server, WebSocketService(server.url, "t") as service:
        with pytest.raises(ZeroDivisionError, match="a fault of this package"):
            async with asyncio.timeout(10):
                await take(service, 1)
        assert service.status is ConnectionStatus.STOPPED
        with pytest.raises(ZeroDivisionError):
            async with asyncio.timeout(10):
                await take(service, 1)
    assert "the service failed" in caplog.text


async def test_going_away_gives_the_moment_to_come_back() -> None:
    async def leaving(peer: Peer) -> None:
        await peer.open(spread_ms=3_600_000)
        await peer.subscribe(3)
        await peer.say(GoingAway(reconnect_after_ms=1))
        await peer.close(CloseCode.RESTART)

    async def back(peer: Peer) -> None:
        await peer.open()
        await peer.subscribe(3, reset=False)
        await peer.say(numbered(4, 3))
        await peer.until_left()

    async with scripted(leaving, back) as server, WebSocketService(server.url, "t") as service:
        assert await take(service, 1) == [4]


async def test_a_revoked_viewer_stops_and_says_so() -> None:
    async def play(peer: Peer) -> None:
        await peer.open()
        await peer.close(CloseCode.NOT_ALLOWED, "the link was withdrawn")

    async with scripted(play) as server, WebSocketService(server.url, "t") as service:
        updates = service.updates()
        with pytest.raises(StoppedError, match="the link was withdrawn"):
            async for _ in updates:
                pass
        assert service.status is ConnectionStatus.STOPPED
        assert server.played == 1


async def test_listeners_are_told_of_their_kind_until_taken_off() -> None:
    told: list[Update] = []

    def fails(_: Update) -> None:
        raise RuntimeError("a program's mistake")

    async def play(peer: Peer) -> None:
        await peer.open()
        await peer.subscribe(3)
        await peer.say(numbered(4, 3), numbered(5, 4), numbered(6, 5))
        await peer.until_left()

    async with scripted(play) as server:
        service = WebSocketService(server.url, "t")

        def once(update: Update) -> None:
            told.append(update)
            remove()

        service.add_event_listener(WebSocketEventType.HEALTH_DATA_UPDATE, fails)
        remove = service.add_event_listener(WebSocketEventType.HEALTH_DATA_UPDATE, once)
        async with service:
            assert await take(service, 3) == [4, 5, 6]
    assert [(update.user, update.type) for update in told] == [
        ("maren", WebSocketEventType.HEALTH_DATA_UPDATE)
    ]


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    async with scripted() as server:
        url = server.url
    async with WebSocketService(url, "t") as service:
        failures = 0
        async for update in service.updates():
            if "cannot be reached" in str(update.message):
                failures += 1
            if failures == 2:
                break
        with pytest.raises(NotConnectedError):
            await service.request("sync", {})


async def test_a_token_function_that_fails_once_is_asked_again() -> None:
    calls = 0

    async def token() -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OSError("the keyring is locked")
        return "t"

    async def play(peer: Peer) -> None:
        await peer.open()
        await peer.subscribe(3)
        await peer.say(numbered(4, 3))
        await peer.until_left()

    async with scripted(play) as server, WebSocketService(server.url, token) as service:
        assert await take(service, 1) == [4]


async def test_stopping_ends_every_iteration() -> None:
    async def play(peer: Peer) -> None:
        await peer.open()
        await peer.subscribe(3)
        await peer.until_left()

    async with scripted(play) as server:
        service = WebSocketService(server.url, "t")
        async with service:
            updates = service.updates()
            await anext(updates)
        kinds = [update.type async for update in updates]
        assert kinds[-1] is WebSocketEventType.CONNECTION_STATUS
        await service.stop()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1/ws", "not a WebSocket address"),
        ("ws:///ws", "not a WebSocket address"),
        ("wss://example.org/ws?token=x", "carries no token"),
        ("wss://example.org/ws#token=x", "carries no token"),
        ("wss://maren:pw@example.org/ws", "carries no token"),
        ("ws://example.org/ws", "unencrypted"),
    ],
)
def test_an_address_that_would_leak_is_refused(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        WebSocketService(url, "t")
    assert "pw" not in str(refused.value)
    assert "token=x" not in str(refused.value)


def test_plain_text_beyond_this_machine_has_to_be_allowed() -> None:
    WebSocketService("ws://192.168.1.20:8420/ws", "t", plain_text=True)
