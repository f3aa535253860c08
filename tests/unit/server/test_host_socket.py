"""An ASGI socket: what waits is bounded, holds stop the reading, and every way out is an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.http11 import Request, Response

from strapline_protocol.closing import CloseCode
from strapline_protocol.codec import LARGEST_FIRST_MESSAGE
from strapline_protocol.opening import Heartbeat
from strapline_server.carrier import CLOSE_MS, STUCK_MS, Carrier, Dialogue, Hold
from strapline_server.counters import Counters
from strapline_server.host.asgi import Event
from strapline_server.host.socket import AsgiSocket
from strapline_server.hub import ready_frame
from strapline_server.wheel import Wheel

LEFT: Event = {"type": "websocket.disconnect", "code": 1006}


class House:
    """A server in which one socket is."""

    def __init__(self, talk: Talk) -> None:
        self.time_ms = 1_000
        self.wheel = Wheel(self.now_ms)
        self.counters = Counters()
        self.allowed_origins: tuple[str, ...] = ()
        self.message_bytes = 30_000
        self.buffer_bytes = 1_000
        self.heartbeat_ms = 15_000
        self.talk = talk
        self.admissions = 0

    def now_ms(self) -> int:
        return self.time_ms

    def opened(self, connection: Carrier) -> bool:
        raise AssertionError("whoever accepts it says so")

    def admitted(self, connection: Carrier) -> None:
        self.admissions += 1

    def closed(self, connection: Carrier) -> None:
        raise AssertionError("whoever accepts it says so")

    def respond(self, request: Request) -> Response:
        raise AssertionError("nothing plain comes here")

    def converse(self, connection: Carrier) -> Dialogue:
        return self.talk


class Talk:
    """A dialogue that remembers."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.rooms = self.losses = 0
        self.due_ms: int | None = 5_000

    def receive(self, frame: str) -> None:
        self.heard.append(frame)

    def wake(self, now_ms: int) -> int | None:
        return self.due_ms

    def room(self) -> None:
        self.rooms += 1

    def lost(self) -> None:
        self.losses += 1


class Scene:
    """A socket with a client that says and takes what the test lets it."""

    def __init__(self) -> None:
        self.talk = Talk()
        self.house = House(self.talk)
        self.said: asyncio.Queue[Event] = asyncio.Queue()
        self.got: list[Event] = []
        self.takes = asyncio.Event()
        self.takes.set()
        self.socket = AsgiSocket(self.house, self.said.get, self.send, "10.0.0.1")

    async def send(self, event: Event) -> None:
        await self.takes.wait()
        self.got.append(event)
        if event["type"] == "websocket.close":
            self.said.put_nowait(LEFT)

    def say(self, **event: Any) -> None:
        self.said.put_nowait({"type": "websocket.receive", **event})

    def is_congested(self) -> bool:
        return self.socket.congested

    @property
    def texts(self) -> list[str]:
        return [event["text"] for event in self.got if event["type"] == "websocket.send"]

    @property
    def closes(self) -> list[tuple[int, str]]:
        return [
            (event["code"], event["reason"])
            for event in self.got
            if event["type"] == "websocket.close"
        ]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def running(scene: Scene) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(scene.socket.run())
    await settle()
    try:
        yield task
    finally:
        scene.takes.set()
        scene.said.put_nowait(LEFT)
        async with asyncio.timeout(5):
            await asyncio.wait({task})


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_what_comes_is_heard_and_what_is_sent_goes_out_in_order(scene: Scene) -> None:
    async with running(scene) as task:
        assert scene.socket.open
        assert scene.socket.address == "10.0.0.1"
        scene.say(text="one")
        scene.say(text="two", bytes=None)
        scene.socket.send(Heartbeat(server_time=7))
        scene.socket.send_text("ä".encode())
        scene.socket.write(ready_frame("ö".encode() * 100), 4_242)
        assert scene.socket.wrote_ms == 4_242
        await settle()
        assert scene.talk.heard == ["one", "two"]
        assert scene.texts == ['{"type":"HEARTBEAT","serverTime":7}', "ä", "ö" * 100]
        scene.said.put_nowait(LEFT)
        await task
    assert scene.talk.losses == 1
    assert not scene.socket.open


async def test_before_it_runs_and_after_it_nothing_happens(scene: Scene) -> None:
    for _ in range(2):
        scene.socket.send_text(b"x")
        scene.socket.close(CloseCode.RESTART, "no")
        scene.socket.abort()
        assert scene.socket.wake(1_000_000) is None
        async with running(scene):
            pass
    assert scene.got == []


async def test_a_client_that_takes_nothing_costs_a_bound_and_goes_on_where_it_reads(
    scene: Scene,
) -> None:
    async with running(scene):
        scene.takes.clear()
        scene.socket.write(ready_frame(b"x" * 996), 1_000)
        assert not scene.is_congested()
        scene.socket.write(ready_frame(b"y"), 1_000)
        assert scene.is_congested()
        scene.say(text="not heard")
        scene.say(text="while it does not read")
        await settle()
        # One was on its way already.
        assert scene.talk.heard == ["not heard"]
        assert scene.talk.rooms == 0
        scene.takes.set()
        await settle()
        assert not scene.is_congested()
        assert scene.talk.rooms == 1
        assert scene.talk.heard == ["not heard", "while it does not read"]
        assert [len(text) for text in scene.texts] == [996, 1]


async def test_there_is_room_again_at_a_quarter_and_not_before(scene: Scene) -> None:
    async with running(scene):
        takes = asyncio.Semaphore(0)

        async def take_one(event: Event) -> None:
            await takes.acquire()
            scene.got.append(event)

        scene.socket._send = take_one
        for _ in range(5):
            scene.socket.write(ready_frame(b"x" * 246), 1_000)
        assert scene.is_congested()
        for left in (4, 3, 2):
            takes.release()
            await settle()
            assert scene.is_congested(), left
        takes.release()
        await settle()
        assert not scene.is_congested()
        takes.release()


async def test_what_is_held_is_not_read_until_every_reason_is_gone(scene: Scene) -> None:
    async with running(scene):
        scene.say(text="first")
        await settle()
        scene.socket.hold(Hold.WORK)
        scene.socket.hold(Hold.WINDOW)
        scene.say(text="second")
        scene.say(text="third")
        await settle()
        scene.socket.release(Hold.WORK)
        await settle()
        assert scene.talk.heard == ["first", "second"]
        scene.socket.release(Hold.WINDOW)
        await settle()
        assert scene.talk.heard == ["first", "second", "third"]


async def test_a_close_says_why_after_all_that_was_sent(scene: Scene) -> None:
    async with running(scene) as task:
        scene.takes.clear()
        scene.socket.send_text(b"last words")
        scene.socket.hold(Hold.WORK)
        scene.socket.close(CloseCode.RATE_LIMITED, "too much", 250)
        scene.socket.close(CloseCode.RESTART, "too late")
        scene.socket.send_text(b"too late")
        scene.say(text="too late")
        scene.takes.set()
        await task
    assert scene.texts == ["last words"]
    assert scene.closes == [(4429, "too much; retry after 250 ms")]
    assert scene.talk.heard == []
    assert scene.talk.losses == 1


async def test_a_close_that_the_other_end_does_not_take_is_cut(scene: Scene) -> None:
    async with running(scene) as task:
        scene.takes.clear()
        scene.socket.send_text(b"x")
        scene.socket.close(CloseCode.RESTART, "the server restarts")
        assert scene.socket.wake(1_000 + CLOSE_MS - 1) == 1_000 + CLOSE_MS
        assert not task.done()
        assert scene.socket.wake(1_000 + CLOSE_MS) is None
        await task
    assert scene.talk.losses == 1
    assert scene.closes == []


async def test_one_that_takes_nothing_for_minutes_is_cut(scene: Scene) -> None:
    async with running(scene) as task:
        scene.takes.clear()
        scene.socket.write(ready_frame(b"x" * 2_000), 1_000)
        assert scene.socket.wake(1_000 + STUCK_MS) == 5_000
        assert scene.house.counters.stuck_closed == 0
        assert scene.socket.wake(1_001 + STUCK_MS) is None
        await task
    assert scene.house.counters.stuck_closed == 1
    assert scene.talk.losses == 1


async def test_it_is_woken_when_the_dialogue_is_due_and_at_each_heartbeat(scene: Scene) -> None:
    async with running(scene):
        assert scene.socket.wake(2_000) == 5_000
        scene.talk.due_ms = 1_000_000
        assert scene.socket.wake(2_000) == 17_000
        scene.talk.due_ms = None
        assert scene.socket.wake(2_000) is None


async def test_bytes_are_a_violation(scene: Scene) -> None:
    async with running(scene):
        scene.say(bytes=b"x")
        await settle()
    assert scene.closes == [(4400, "binary frames have no meaning here")]
    assert scene.house.counters.protocol_violations == 1


@pytest.mark.parametrize("character", ["x", "ä", "€", "𝄞"])
async def test_what_is_too_long_is_refused_by_its_bytes(scene: Scene, character: str) -> None:
    async with running(scene):
        fits = LARGEST_FIRST_MESSAGE // len(character.encode())
        scene.say(text=character * fits)
        await settle()
        assert scene.talk.heard == [character * fits]
        scene.say(text=character * (fits + 1))
        await settle()
    assert scene.closes == [(1009, f"over {LARGEST_FIRST_MESSAGE} bytes")]


async def test_who_is_known_may_send_more_and_longer(scene: Scene) -> None:
    async with running(scene):
        scene.socket.admit(100)
        assert scene.socket.authenticated
        assert scene.house.admissions == 1
        scene.say(text="x" * 30_000)
        for _ in range(999):
            scene.say(text="x")
        async with asyncio.timeout(5):
            while len(scene.talk.heard) < 1_000:  # noqa: ASYNC110  # no event tells
                await asyncio.sleep(0)
        scene.say(text="x")
        await settle()
    assert scene.closes == [(4429, "over 100 messages/s; retry after 10000 ms")]
    assert scene.house.counters.rate_limited == 1


async def test_a_cut_ends_here_and_cancels_nobody_else(scene: Scene) -> None:
    async with running(scene) as task:
        scene.socket.abort()
        scene.socket.abort()
        await task
    assert task.cancelling() == 0
    assert scene.talk.losses == 1


async def test_a_cut_by_what_it_hears_itself_ends_here_too(scene: Scene) -> None:
    scene.talk.receive = lambda frame: scene.socket.abort()  # type: ignore[method-assign]  # a test's
    after: list[str] = []

    async def application() -> None:
        await scene.socket.run()
        await asyncio.sleep(0)
        after.append("the application goes on")

    scene.say(text="x")
    scene.said.put_nowait(LEFT)
    await asyncio.wait_for(application(), 5)
    assert after
    assert scene.talk.losses == 1


async def test_a_cancelled_application_is_cancelled(scene: Scene) -> None:
    async with running(scene) as task:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert scene.talk.losses == 1


async def test_cut_and_cancelled_at_once_is_cancelled(scene: Scene) -> None:
    async with running(scene) as task:
        scene.socket.abort()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert scene.talk.losses == 1


async def test_a_server_that_raises_because_the_client_left_is_an_end(scene: Scene) -> None:
    async def refuse(event: Event) -> None:
        raise OSError("the client is gone")

    async with running(scene) as task:
        scene.socket._send = refuse
        scene.socket.send_text(b"x")
        await task
    assert scene.talk.losses == 1


async def test_a_fault_of_the_dialogue_ends_this_connection_and_is_told(scene: Scene) -> None:
    def fail(frame: str) -> None:
        raise ValueError("a fault")

    scene.talk.receive = fail  # type: ignore[method-assign]  # a test's
    async with running(scene) as task:
        scene.say(text="x")
        with pytest.raises(ValueError, match="a fault"):
            await task
    assert scene.talk.losses == 1
