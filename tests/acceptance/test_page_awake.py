"""A page that froze, lost its network or was left out: each reading on its line, exactly once.

What the line shows is read from its own table, and compared with the server's raw history.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from strapline_simulator.profiles import Profile
from tests.acceptance.foreign_client.relay import Relay, relay_to
from tests.acceptance.page_kit import (
    ROUND_MS,
    ROUNDS,
    Line,
    Row,
    a_browser,
    a_line,
    a_page,
    line_rows,
    open_person,
    readings_of,
    until_rows,
)

PERSON = ("maren-holt", "Maren Holt")
PROFILES = (Profile(name="Strap", steps=False),)


@dataclass
class Watched:
    """A page on one person's line, by way of a relay that can be cut."""

    page: Page
    line: Line
    relay: Relay
    browser: Browser
    stopped: list[int] = field(default_factory=list)

    async def tick(self, times: int) -> None:
        """As many readings; each moment's own."""
        for _ in range(times):
            await self.line.straps[0].tick()

    async def freeze(self) -> None:
        """The page's process stands still: no timer fires, no message is handled.

        Chromium freezes only hidden pages by itself, and a driven page is never hidden.
        """
        self.stopped = await renderers(self.browser)
        for process in self.stopped:
            os.kill(process, signal.SIGSTOP)

    async def awake(self) -> None:
        """Goes on, and is told so, as by a browser."""
        for process in self.stopped:
            os.kill(process, signal.SIGCONT)
        self.stopped = []
        await self.page.evaluate("document.dispatchEvent(new Event('resume'))")
        await self.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    async def held(self, ticks: int) -> list[Row]:
        """The server's own history, once all that the strap sent is in it."""
        for _ in range(ROUNDS):
            held = await readings_of(self.line, PERSON[0])
            if len(held) == ticks:
                return held
            await asyncio.sleep(ROUND_MS / 1_000)
        raise AssertionError(f"the server does not hold {ticks} readings")

    async def expect_whole(self, ticks: int) -> None:
        """Each of so many readings stands on the line, once, and nothing else does."""
        held = await self.held(ticks)
        shown = await until_rows(self.page, lambda rows: len(rows) >= ticks)
        assert Counter(shown) == Counter(held)
        assert [at for at, _ in shown] == [at for at, _ in held], "in order of time"


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[Watched]:
    async with (
        a_browser() as browser,
        a_line(folder, [PERSON], PROFILES) as line,
        relay_to(line.port) as relay,
        a_page(browser, timezone_id="UTC") as page,
    ):
        await page.goto(await line.link(relay.port))
        seen = Watched(page, line, relay, browser)
        await seen.tick(3)
        await open_person(page, PERSON[1])
        await seen.expect_whole(3)
        try:
            yield seen
        finally:
            for process in seen.stopped:
                os.kill(process, signal.SIGCONT)


async def renderers(browser: Browser) -> list[int]:
    """The processes of this browser's pages."""
    session = await browser.new_browser_cdp_session()
    told = await session.send("SystemInfo.getProcessInfo")
    await session.detach()
    return [one["id"] for one in told["processInfo"] if one["type"] == "renderer"]


async def connections(page: Page, relay: Relay, more_than: int) -> None:
    for _ in range(200):
        if relay.connections > more_than:
            return
        await page.wait_for_timeout(100)
    raise AssertionError("the page did not connect anew")


async def test_tab_that_was_frozen_while_readings_came(tmp_path: Path) -> None:
    async with watched(tmp_path) as seen:
        before = seen.relay.connections
        await seen.freeze()
        for _ in range(6):
            await seen.tick(2)
            await asyncio.sleep(0.5)  # readings of several seconds, as they come
        await seen.held(15)
        await seen.awake()
        await seen.expect_whole(15)
        # What waited in the browser was heard first: the connection still stands.
        assert seen.relay.connections == before
        await seen.tick(2)
        await seen.expect_whole(17)


async def test_tab_that_froze_and_lost_its_connection(tmp_path: Path) -> None:
    async with watched(tmp_path) as seen:
        await seen.freeze()
        await seen.tick(3)
        seen.relay.cut()
        await seen.tick(4)
        await seen.held(10)
        await seen.awake()
        await seen.expect_whole(10)
        await seen.tick(2)
        await seen.expect_whole(12)


async def test_network_that_was_cut(tmp_path: Path) -> None:
    async with watched(tmp_path) as seen:
        seen.relay.hold()
        seen.relay.cut()
        await expect(seen.page.get_by_role("button", name="Try now")).to_be_visible()
        await seen.tick(5)
        seen.relay.resume()
        await seen.expect_whole(8)
        await seen.tick(2)
        await seen.expect_whole(10)


async def test_changes_that_were_lost_on_the_way(tmp_path: Path) -> None:
    async with watched(tmp_path) as seen:
        seen.relay.lose = 1
        await seen.tick(3)
        await seen.held(6)
        assert seen.relay.lose == 0
        # The next one tells that something is missing before it.
        await seen.tick(1)
        await seen.expect_whole(7)


async def test_page_that_wakes_over_a_dead_connection_asks_at_once(tmp_path: Path) -> None:
    async with watched(tmp_path) as seen:
        # Whatever else connects is heard again.
        await seen.page.wait_for_load_state("networkidle")
        before = seen.relay.connections
        seen.relay.muted = True
        await seen.tick(4)
        # In doubt after three silent seconds; the server's own silence is 15 s and more.
        await seen.page.wait_for_timeout(3_500)
        await seen.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await connections(seen.page, seen.relay, before)
        await seen.expect_whole(7)


async def test_tab_that_was_discarded(tmp_path: Path) -> None:
    async with watched(tmp_path) as seen:
        await seen.tick(4)
        await seen.page.reload()
        # The person's page is open still, though no address names a person.
        await expect(seen.page.get_by_role("heading", level=1)).to_have_text(PERSON[1])
        assert PERSON[0] not in seen.page.url
        await seen.page.get_by_text("As a table").click()
        await seen.expect_whole(7)


async def test_page_from_the_cache_of_pages(tmp_path: Path) -> None:
    async with watched(tmp_path) as seen:
        await seen.page.goto(f"http://127.0.0.1:{seen.line.port}/favicon.svg")
        await seen.tick(4)
        await seen.page.go_back()
        await expect(seen.page.get_by_role("heading", level=1)).to_have_text(PERSON[1])
        table = seen.page.locator("details.rows")
        if await table.get_attribute("open") is None:
            await table.locator("summary").click()
        await seen.expect_whole(7)
        assert len(await line_rows(seen.page)) == 7
