"""A service that leaves: nothing of it stays, whatever was asked of it right before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from strapline_client import (
    ConnectionStatus,
    NotConnectedError,
    WebSocketEventType,
    WebSocketService,
)
from strapline_client.socket import SocketEndedError
from strapline_protocol.codec import encode
from strapline_protocol.opening import ClockState, Hello
from strapline_protocol.watching import SubscriptionChanged
from tests.unit.client.played import FakeSocket, World, settle
from tests.unit.client.test_service import made, numbered, opened
from tests.unit.client.test_state import snapshot


def viewers() -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "strapline viewer"]


@pytest.mark.parametrize(
    "before",
    [
        WebSocketService.reconnect,
        lambda service: service.configure(token="other"),
        lambda service: (service.reconnect(), service.reconnect()),
    ],
    ids=["reconnect", "configure", "twice"],
)
@pytest.mark.parametrize("stands", [True, False])
async def test_no_connection_outlives_a_stop(
    before: Callable[[WebSocketService], object], *, stands: bool
) -> None:
    world = World()
    service = made(world)
    service.connect()
    await settle()
    if stands:
        await opened(world.sockets[0], snapshot={"maren": snapshot("Maren", {})})
    else:
        world.sockets[0].end(1006, "lost")
        await settle()
    before(service)
    await service.stop()
    assert viewers() == []
    dialled = len(world.sockets)
    await world.time.passes(600_000)
    assert len(world.sockets) == dialled
    assert all(socket.over for socket in world.sockets)
    assert service.status is ConnectionStatus.DISCONNECTED


class Slow(FakeSocket):
    """Its other end takes its time to close."""

    def __init__(self, world: World) -> None:
        super().__init__(world.time)
        self.closing = asyncio.Event()
        self.may_close = asyncio.Event()
        self.left_in_order = False

    async def close(self, code: int, reason: str) -> None:
        self.closing.set()
        await self.may_close.wait()
        self.left_in_order = True


class SlowWorld(World):
    async def _dial(self, url: str, *, local: bool) -> FakeSocket:
        self.sockets.append(Slow(self) if not self.sockets else FakeSocket(self.time))
        return self.sockets[-1]


async def test_while_it_leaves_nothing_is_asked_and_the_next_connection_waits() -> None:
    world = SlowWorld()
    service = made(world)
    service.connect()
    await settle()
    await opened(world.sockets[0], snapshot={"maren": snapshot("Maren", {})})
    slow = world.sockets[0]
    assert isinstance(slow, Slow)
    leaving = asyncio.create_task(service.disconnect())
    await settle()
    assert slow.closing.is_set()
    assert str(service.status) == "disconnected"
    asked = len(slow.sent)
    with pytest.raises(NotConnectedError, match="nobody asked"):
        await anext(service.history("maren", "heart_rate", 0, 9))
    service.connect()
    service.reconnect()
    await settle()
    assert (len(slow.sent), len(world.sockets)) == (asked, 1)
    slow.may_close.set()
    await leaving
    await settle()
    assert slow.left_in_order
    await opened(world.sockets[1], snapshot={"maren": snapshot("Maren", {})})
    assert service.status is ConnectionStatus.CONNECTED
    await service.stop()


class Deaf(FakeSocket):
    """What is sent finds that it has ended, which is not heard before the test says so."""

    ended = False

    async def send(self, frame: bytes) -> None:
        if self.ended:
            raise SocketEndedError(1006, "lost")
        await super().send(frame)


class DeafWorld(World):
    async def _dial(self, url: str, *, local: bool) -> FakeSocket:
        self.sockets.append(Deaf(self.time))
        return self.sockets[-1]


async def test_what_a_lost_socket_did_not_take_waits_for_the_next() -> None:
    world = DeafWorld()
    async with made(world) as service:
        await settle()
        first = world.sockets[0]
        assert isinstance(first, Deaf)
        await opened(first, snapshot={})
        first.ended = True
        for number in range(3):
            service.send("FUTURE", {"n": number})
        await settle()
        assert (service.counters.waiting, service.counters.dropped) == (3, 0)
        first.end(1006, "lost")
        await settle()
        await world.time.passes(1_000)
        second = world.sockets[1]
        await opened(second, snapshot={})
        await settle()
        assert [one["n"] for one in second.sent if one["type"] == "FUTURE"] == [0, 1, 2]
        assert service.counters.waiting == 0


async def test_a_question_that_a_lost_socket_does_not_take_keeps_nobody_from_their_turn() -> None:
    world = DeafWorld()
    async with made(world) as service:
        await settle()
        first = world.sockets[0]
        assert isinstance(first, Deaf)
        await opened(first, snapshot={})
        first.ended = True
        reading = asyncio.ensure_future(anext(service.history("maren", "heart_rate", 0, 9)))
        await settle()
        first.end(1006, "lost")
        await settle()
        assert service.status is ConnectionStatus.RECONNECTING
        reading.cancel()


async def test_nothing_is_asked_in_a_connection_that_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = SlowWorld()
    async with made(world) as service:
        await settle()
        await opened(world.sockets[0], snapshot={})
        slow = world.sockets[0]
        assert isinstance(slow, Slow)
        again = Hello(store="s", epoch="e", server_time=1, clock_state=ClockState.SYNCHRONISED)
        slow.say(encode(again).decode())
        await settle()
        assert slow.closing.is_set()
        asked: list[object] = []
        monkeypatch.setattr(service._link.connection, "request", asked.append)
        reading = asyncio.ensure_future(anext(service.history("maren", "heart_rate", 0, 9)))
        await settle()
        assert not reading.done()
        assert asked == []
        slow.may_close.set()
        reading.cancel()


async def test_users_are_looked_through_only_when_some_may_have_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    async with made(world) as service:
        await settle()
        looked: list[object] = []
        monkeypatch.setattr(service._teller, "keep_only", looked.append)
        await opened(world.sockets[0], snapshot={"maren": snapshot("Maren", {}, position=3)})
        assert len(looked) == 1
        world.sockets[0].say(encode(numbered(4, 3)).decode())
        await settle()
        latest = service.latest(WebSocketEventType.HEALTH_DATA_UPDATE, "maren")
        assert latest is not None
        assert latest.message == numbered(4, 3)
        assert len(looked) == 1
        gone = SubscriptionChanged(added=[], removed=["maren"])
        world.sockets[0].say(encode(gone).decode())
        await settle()
        assert len(looked) == 2
