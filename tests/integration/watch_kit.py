"""The screen of `strapline watch` before a real server, read as text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from strapline.watch.app import WatchApp
from strapline.watch.feed import Feed
from strapline.watch.ink import Look
from strapline_client import WebSocketService
from strapline_client.clock import monotonic_ms
from strapline_client.ports import Ports

PATIENCE_S = 20.0


class Clock:
    """The own monotonic clock, which a test may put forward."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def now_ms(self) -> int:
        return monotonic_ms() + self.ahead_ms


class Looking:
    """Somebody before the screen."""

    def __init__(self, app: WatchApp, pilot: Pilot[None], clock: Clock) -> None:
        self.app = app
        self.pilot = pilot
        self.clock = clock

    def rows(self) -> list[str]:
        """What is on the screen."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    async def sees(self, *words: str) -> list[str]:
        """Wait until all of these are on the screen; its rows then."""
        return await self._until(lambda shown: all(word in shown for word in words), words)

    async def sees_no(self, *words: str) -> list[str]:
        """Wait until none of these is."""
        return await self._until(lambda shown: not any(word in shown for word in words), words)

    async def _until(self, condition: Callable[[str], bool], words: tuple[str, ...]) -> list[str]:
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            self.app.draw()
            await self.pilot.pause()
            rows = self.rows()
            if condition("\n".join(rows)):
                return rows
            assert time.monotonic() < deadline_s, f"{words}:\n" + "\n".join(rows)
            await asyncio.sleep(0.02)

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        await self.pilot.press(*keys)


@asynccontextmanager
async def looking(
    url: str, token: str, size: tuple[int, int] = (100, 32)
) -> AsyncIterator[Looking]:
    """The screen, connected to this server."""
    clock = Clock()
    async with WebSocketService(url, token, ports=Ports(now_ms=clock.now_ms)) as service:
        feed = Feed(service)
        following = asyncio.create_task(feed.run())
        app = WatchApp(feed, Look())
        try:
            async with app.run_test(size=size) as pilot:
                yield Looking(app, pilot, clock)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
