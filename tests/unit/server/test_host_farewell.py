"""The end of the process is heard before the server closes the sockets, and then passed on."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from strapline_server.host.farewell import farewell


class Server:
    """What an ASGI server does with a signal: it remembers it."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.order: list[str] = []

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.heard.append(number)
        self.order.append("server")

    async def say(self) -> None:
        self.order.append("goodbye")


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    before = {one: signal.signal(one, server) for one in (signal.SIGTERM, signal.SIGINT)}
    yield server
    for one, handler in before.items():
        signal.signal(one, handler)


def heard_by(number: signal.Signals) -> object:
    return signal.getsignal(number)


async def heard(server: Server, count: int) -> None:
    async with asyncio.timeout(5):
        while len(server.heard) < count:  # noqa: ASYNC110  # a signal has no event
            await asyncio.sleep(0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_goodbyes_go_out_first_and_the_server_hears_of_it_then(
    server: Server, number: signal.Signals
) -> None:
    with farewell(server.say):
        os.kill(os.getpid(), number)
        await heard(server, 1)
    assert server.order == ["goodbye", "server"]
    assert server.heard == [number]


async def test_a_second_signal_waits_for_nothing(server: Server) -> None:
    gone = asyncio.Event()

    async def say_for_long() -> None:
        server.order.append("goodbye")
        await gone.wait()

    with farewell(say_for_long):
        os.kill(os.getpid(), signal.SIGTERM)
        while not server.order:  # noqa: ASYNC110  # a signal has no event
            await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGINT)
        await heard(server, 1)
        assert server.heard == [signal.SIGINT]
        gone.set()
        await heard(server, 2)
    assert server.heard == [signal.SIGINT, signal.SIGTERM]


async def test_the_server_hears_of_it_whatever_becomes_of_the_goodbyes(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise ValueError("no")

    with farewell(fail):
        os.kill(os.getpid(), signal.SIGTERM)
        await heard(server, 1)
    assert "not all were told" in caplog.text


async def test_afterwards_all_is_as_before(server: Server) -> None:
    with farewell(server.say):
        assert heard_by(signal.SIGTERM) is not server
    assert heard_by(signal.SIGTERM) is server
    assert heard_by(signal.SIGINT) is server

    def other(number: int, frame: FrameType | None) -> None:
        """Somebody else's."""

    with farewell(server.say):
        signal.signal(signal.SIGTERM, other)
    assert heard_by(signal.SIGTERM) is other


async def test_what_nobody_hears_ends_the_process_as_ever(server: Server) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with farewell(server.say):
        assert heard_by(signal.SIGTERM) is signal.SIG_DFL


async def test_beside_the_main_thread_signals_are_left_alone(server: Server) -> None:
    def elsewhere() -> object:
        with farewell(server.say):
            return heard_by(signal.SIGTERM)

    assert await asyncio.to_thread(elsewhere) is server
