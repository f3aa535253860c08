"""The service across connections: resuming, gaps, stopping, and who is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from strapline_client import (
    ConnectionState,
    ConnectionStatus,
    HistoryPage,
    NotConnectedError,
    Reason,
    StoppedError,
    Update,
    WebSocketEventType,
    WebSocketService,
)
from strapline_client.state import States
from strapline_protocol.closing import CloseCode
from strapline_protocol.codec import encode, encode_result
from strapline_protocol.opening import (
    Authenticated,
    ClockState,
    GoingAway,
    Hello,
    Role,
    TokenExpiring,
)
from strapline_protocol.watching import (
    HealthDataUpdate,
    HeartRateData,
    LastValue,
    Over,
    Subscribed,
    SubscriptionChanged,
    UserSnapshot,
)
from tests.unit.client.played import FakeSocket, World, settle
from tests.unit.client.scripted import Peer, scripted
from tests.unit.client.test_state import snapshot
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


# ------------------------------------------------------------------------- connecting and leaving


async def opened(*sockets: FakeSocket, snapshot: dict[str, UserSnapshot]) -> None:
    """HELLO to SUBSCRIBED, on each."""
    for socket in sockets:
        hello = Hello(store="s", epoch="e", server_time=1_000, clock_state=ClockState.SYNCHRONISED)
        granted = Authenticated(
            session="s",
            principal="p",
            role=Role.VIEWER,
            users=[],
            expires_at=2**40,
            heartbeat_ms=15_000,
            reconnect_spread_ms=0,
        )
        for message in (hello, granted):
            socket.say(encode(message).decode())
            await settle()
        answer = Subscribed(
            request=socket.sent[-1]["request"], snapshot=snapshot, server_time=1_000
        )
        socket.say(encode(answer).decode())
        await settle()


def made(world: World, **options: Any) -> WebSocketService:
    return WebSocketService("ws://127.0.0.1/ws", "t", ports=world.ports, **options)


async def test_it_leaves_and_comes_back_and_resumes() -> None:
    world = World()
    service = made(world)
    assert service.status is ConnectionStatus.DISCONNECTED
    service.connect()
    service.connect()
    await settle()
    await opened(world.sockets[0], snapshot={"maren": snapshot("Maren", {}, position=7)})
    updates = service.updates()
    await service.disconnect()
    await service.disconnect()
    assert (service.status, world.sockets[0].over) == (ConnectionStatus.DISCONNECTED, True)
    assert list(service.users) == ["maren"]
    service.connect()
    await settle()
    await opened(world.sockets[1], snapshot={"maren": snapshot("Maren", {}, position=7)})
    assert world.sockets[1].sent[1]["since"] == {"maren": ["e", 7]}
    await service.stop()
    states = [one.message async for one in updates if isinstance(one.message, ConnectionState)]
    assert [state.status for state in states] == [
        ConnectionStatus.DISCONNECTED,
        ConnectionStatus.CONNECTING,
        ConnectionStatus.CONNECTED,
        ConnectionStatus.DISCONNECTED,
    ]
    assert len(world.sockets) == 2


async def test_reconnect_tries_now_and_after_a_stop_too() -> None:
    world = World()
    async with made(world) as service:
        await settle()
        world.sockets[0].end(4403, "withdrawn")
        await settle()
        updates = service.updates()
        with pytest.raises(StoppedError):
            await anext(updates)
        service.connect()
        await settle()
        assert (service.status, len(world.sockets)) == (ConnectionStatus.STOPPED, 1)
        service.reconnect()
        await settle()
        world.sockets[1].end(1006, "lost")
        await settle()
        assert service.retry_in_ms() == 250
        service.reconnect()
        await settle()
        assert len(world.sockets) == 3
        await opened(world.sockets[2], snapshot={})
        service.reconnect()
        await settle()
        assert len(world.sockets) == 3


async def test_who_may_not_try_again_says_so() -> None:
    world = World()
    async with made(world, auto_reconnect=False) as service:
        updates = service.updates()
        await settle()
        world.sockets[0].end(1006, "the cable")
        with pytest.raises(NotConnectedError, match="the cable"):
            async for _ in updates:
                pass
        assert service.status is ConnectionStatus.DISCONNECTED
        assert service.connection.why is Reason.SERVER_AWAY


async def test_a_new_token_counts_at_once_and_another_choice_at_the_next_connection() -> None:
    world = World()
    async with made(world, users=["maren", "ilse"]) as service:
        await settle()
        both = {"maren": snapshot("Maren", {}), "ilse": snapshot("Ilse", {})}
        await opened(world.sockets[0], snapshot=both)
        service.configure(users=["maren"], min_interval_ms=500)
        await settle()
        assert len(world.sockets) == 1
        service.configure(token="other")
        await settle()
        assert world.sockets[0].over
        await opened(world.sockets[1], snapshot={"maren": both["maren"]})
        opening, asked = world.sockets[1].sent
        assert opening["token"] == "other"
        assert (asked["users"], asked["minIntervalMs"]) == (["maren"], 500)
        assert list(service.users) == ["maren"]
        # Whoever was left out begins anew, since nothing of them is held any more.
        service.configure(users=["maren", "ilse"], token="third")
        await settle()
        await opened(world.sockets[2], snapshot=both)
        assert list(world.sockets[2].sent[1]["since"]) == ["maren"]
        with pytest.raises(ValueError, match="unencrypted"):
            service.configure(url="ws://example.org/ws")


async def test_ages_and_what_is_current_are_counted_by_the_servers_clock() -> None:
    world = World()
    async with made(world) as service:
        assert service.server_now_ms() is None
        await settle()
        rate = HeartRateData(
            current=72,
            last=LastValue(value=72, at_ms=400),
            average=None,
            min=None,
            max=None,
            over=Over.DAY,
            day_ends_ms=2**40,
            fresh_for_ms=5_000,
            on_change=False,
        )
        await opened(world.sockets[0], snapshot={"maren": snapshot("M", {"heart_rate": rate})})
        assert service.age_ms("maren", "heart_rate") == 600
        assert service.current("maren", "heart_rate") == 72
        await world.time.passes(4_500)
        assert (service.server_now_ms(), service.silence_ms()) == (5_500, 4_500)
        assert service.age_ms("maren", "heart_rate") == 5_100
        assert service.current("maren", "heart_rate") is None
        assert service.age_ms("maren", "steps") is None
        assert service.current("nobody", "steps") is None
        latest = service.latest(WebSocketEventType.HEALTH_DATA_UPDATE, "maren")
        assert latest is not None
        assert latest.health is not None
        assert latest.health.heart_rate is not None
        assert latest.health.heart_rate.current == 72


async def test_history_waits_for_a_session_and_goes_on_over_a_lost_one() -> None:
    world = World()
    async with made(world) as service:

        async def read() -> list[HistoryPage]:
            asked = service.history("maren", "steps", 0, 9, resolution="hour")
            return [page async for page in asked]

        reading = asyncio.create_task(read())
        await settle()
        await opened(world.sockets[0], snapshot={})
        assert world.sockets[0].sent[-1]["params"]["resolution"] == "hour"
        world.sockets[0].end(1006, "the cable")
        await settle()
        await world.time.passes(250)
        await opened(world.sockets[1], snapshot={})
        asked = world.sockets[1].sent[-1]
        page = HistoryPage(user="maren", metric="steps", series=[], position=("e", 1))
        world.sockets[1].say(encode_result(asked["request"], page).decode())
        assert await reading == [page]
        with pytest.raises(ValueError, match="fromMs"):
            service.history("maren", "steps", -1, 9)


async def test_history_of_a_service_that_is_over_says_why() -> None:
    world = World()
    service = made(world)
    with pytest.raises(NotConnectedError, match="call connect"):
        await anext(aiter(service.history("maren", "steps", 0, 9)))
    async with service:
        await settle()
        asking = asyncio.ensure_future(anext(aiter(service.history("maren", "steps", 0, 9))))
        await settle()
        world.sockets[0].end(4403, "withdrawn")
        with pytest.raises(StoppedError, match="withdrawn"):
            await asking
    with pytest.raises(StoppedError, match="withdrawn"):
        await anext(aiter(service.history("maren", "steps", 0, 9)))


async def test_a_slow_token_function_holds_up_no_reading() -> None:
    world = World()
    gate = asyncio.Event()
    calls = 0

    async def token() -> str:
        nonlocal calls
        calls += 1
        if calls > 1:
            await gate.wait()
        return f"t{calls}"

    service = WebSocketService("ws://127.0.0.1/ws", token, ports=world.ports)
    async with service:
        await settle()
        socket = world.sockets[0]
        await opened(socket, snapshot={"maren": snapshot("Maren", {})})
        socket.say(encode(TokenExpiring(expires_at=9)).decode())
        socket.say(encode(numbered(2, 1)).decode())
        await settle()
        assert service.users["maren"].health.steps is not None
        gate.set()
        await settle()
        assert socket.sent[-1] == {"type": "REFRESH", "token": "t2"}
