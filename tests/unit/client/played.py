"""A service on a network and a clock that a test moves by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from strapline_client.ports import Ports
from strapline_client.socket import SocketEndedError

Said = dict[str, Any]
#: Enough for whatever a message sets off to come to rest: nothing here waits for anything real.
_TURNS = 40


async def settle() -> None:
    """Until all that can go on has gone on."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


class Time:
    """A monotonic clock, and who waits on it."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    async def sleep(self, duration_ms: int) -> None:
        await self.at(self.now_ms + duration_ms)

    def at(self, moment_ms: int) -> asyncio.Future[None]:
        """Done at that moment."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((moment_ms, future))
        return future

    async def passes(self, duration_ms: int) -> None:
        """Let so much time pass, moment by moment."""
        end_ms = self.now_ms + duration_ms
        while due := [one for one in self._waiting if one[0] <= end_ms and not one[1].done()]:
            moment_ms, future = min(due, key=lambda one: one[0])
            self.now_ms = max(self.now_ms, moment_ms)
            future.set_result(None)
            await settle()
        self.now_ms = end_ms


class FakeSocket:
    """The server's end is the test."""

    def __init__(self, time: Time) -> None:
        self._time = time
        self._frames: asyncio.Queue[str | SocketEndedError] = asyncio.Queue()
        self.sent: list[Said] = []
        self.over = False

    async def receive(self, within_ms: int) -> str | bytes:
        frame = asyncio.ensure_future(self._frames.get())
        late = self._time.at(self._time.now_ms + within_ms)
        either: set[asyncio.Future[Any]] = {frame, late}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            late.cancel()
        if not frame.done():
            frame.cancel()
            with suppress(asyncio.CancelledError):
                await frame
            raise TimeoutError
        said = frame.result()
        if isinstance(said, SocketEndedError):
            raise said
        return said

    async def send(self, frame: bytes) -> None:
        self.sent.append(json.loads(frame))

    async def close(self, code: int, reason: str) -> None:
        self.over = True

    def abort(self) -> None:
        self.over = True

    def say(self, frame: str) -> None:
        self._frames.put_nowait(frame)

    def end(self, code: int, reason: str) -> None:
        self._frames.put_nowait(SocketEndedError(code, reason))


class World:
    """Time, chance and all sockets that were opened."""

    def __init__(self) -> None:
        self.time = Time()
        self.random = 0.5
        self.sockets: list[FakeSocket] = []

    @property
    def ports(self) -> Ports:
        return Ports(
            dial=self._dial,
            sleep=self.time.sleep,
            random=lambda: self.random,
            now_ms=lambda: self.time.now_ms,
        )

    async def _dial(self, url: str, *, local: bool) -> FakeSocket:
        self.sockets.append(FakeSocket(self.time))
        return self.sockets[-1]


def sent_requests(sockets: list[FakeSocket]) -> Iterator[str]:
    """The ids of all questions and subscriptions, newest first."""
    for socket in reversed(sockets):
        for frame in reversed(socket.sent):
            if "request" in frame:
                yield frame["request"]


def completed(said: Mapping[str, Any], messages: Mapping[str, Said], request: str) -> Said:
    """A vector's message in full."""
    whole = {**messages.get(said.get("like", ""), {}), **said}
    whole.pop("like", None)
    if whole.get("request") == "*":
        whole["request"] = request
    return whole
