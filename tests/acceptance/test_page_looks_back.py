"""A person's own page: what is behind the line, sessions and marks, against the server's history.

With STRAPLINE_SCREENSHOTS set to a folder, each look is saved there.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from strapline_protocol.opening import Role
from strapline_protocol.publishing import Lane
from strapline_server import Server
from strapline_server.clock import wall_ms
from tests.acceptance.page_kit import HOUR_S, a_browser, a_page, axe_violations, line_rows
from tests.integration.server_kit import Peer, Run, joined, serving

USER, NAME = "tomas-reyes", "Tomás Reyes"
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
BACK_HOURS = 50
#: A reading each so often in the past, and each second of the last minutes.
SPARSE_MS = 10_000
DENSE_MS = 1_000
DENSE_MINUTES = 12
#: Nothing was measured in this stretch, an hour and a half before now.
GAP_MS = (100 * MINUTE_MS, 80 * MINUTE_MS)
WITHIN_MS = 20_000
LOOKS = {
    "person-laptop-light": (1440, 900, "light"),
    "person-laptop-dark": (1440, 900, "dark"),
    "person-tablet-light": (820, 1180, "light"),
    "person-phone-dark": (390, 844, "dark"),
    "person-narrowest-light": (320, 640, "light"),
    "person-tv-dark": (1920, 1080, "dark"),
}


def bpm_at(ago_ms: int) -> int:
    """What was measured so long ago: a slow wave, and a quicker one."""
    return 90 + (ago_ms // MINUTE_MS) % 30 + (ago_ms // SPARSE_MS) % 5


@dataclass
class Past:
    """A server that holds two days of one person, and a bridge that can add to it."""

    server: Server
    bridge: Peer
    run: Run
    began_ms: int
    #: (ago, bpm) of each heart rate, the oldest first.
    readings: list[tuple[int, int]]

    async def link(self, *, may_mark: bool = True) -> str:
        token = await self.server.admin.issue_token(
            "page", Role.VIEWER, [USER], HOUR_S, may_mark=may_mark
        )
        return f"http://127.0.0.1:{self.server.port}/#token={token}"

    async def publish(self, agos: list[int], metric: str = "heart_rate") -> None:
        elapsed = [BACK_HOURS * HOUR_MS - ago for ago in agos]
        for start in range(0, len(agos), 2_000):
            part = slice(start, start + 2_000)
            values: list[float | None] = [bpm_at(ago) for ago in agos[part]]
            series = self.run.series(values, elapsed[part], metric)
            await self.run.publish(self.bridge, series, lane=Lane.BACKLOG)

    async def walk(self) -> None:
        """A hundred steps in each quarter of an hour."""
        agos = list(range(BACK_HOURS * HOUR_MS, 0, -15 * MINUTE_MS))
        totals: list[float | None] = [1_000 + 100 * index for index in range(len(agos))]
        elapsed = [BACK_HOURS * HOUR_MS - ago for ago in agos]
        series = self.run.series(totals, elapsed, "steps", counter=("one", 1_000))
        await self.run.publish(self.bridge, series, lane=Lane.BACKLOG)


@asynccontextmanager
async def two_days(folder: Path) -> AsyncIterator[Past]:
    async with serving(folder) as server:
        await server.admin.add_user(USER, NAME, zone="UTC")
        token = await server.admin.issue_token("bridge", Role.BRIDGE, [USER], HOUR_S)
        async with joined(server, token) as bridge:
            began_ms = wall_ms() - BACK_HOURS * HOUR_MS
            run = Run(began_ms, user=USER)
            await run.declare(bridge)
            first, last = GAP_MS
            sparse = range(BACK_HOURS * HOUR_MS, DENSE_MINUTES * MINUTE_MS, -SPARSE_MS)
            agos = [ago for ago in sparse if not last < ago < first]
            agos += range(DENSE_MINUTES * MINUTE_MS, 0, -DENSE_MS)
            past = Past(server, bridge, run, began_ms, [(ago, bpm_at(ago)) for ago in agos])
            await past.publish(agos)
            await past.walk()
            yield past


@asynccontextmanager
async def the_page(folder: Path, browser: Browser, look: str) -> AsyncIterator[tuple[Page, Past]]:
    width, height, theme = LOOKS[look]
    context = {
        "viewport": {"width": width, "height": height},
        "color_scheme": theme,
        "timezone_id": "UTC",
    }
    async with two_days(folder) as past, a_page(browser, **context) as page:
        await page.goto(await past.link())
        await page.get_by_role("button", name=NAME, exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
        yield page, past


async def show(page: Page, span: str) -> None:
    await page.get_by_role("button", name=span, exact=True).click()
    await expect(page.get_by_role("button", name=span, exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    figures = page.locator(".look-back .figs")
    await expect(figures.get_by_text("being fetched")).to_have_count(0, timeout=WITHIN_MS)
    await expect(figures.get_by_text(re.compile("of [1-9]"))).to_be_visible(timeout=WITHIN_MS)


async def figure(page: Page, name: str) -> str:
    found = page.locator(".look-back .figs div", has_text=name).locator("dd")
    return str(await found.evaluate("one => one.firstChild.textContent")).strip()


@pytest.mark.parametrize("look", LOOKS)
async def test_each_look_is_drawn_and_accessible(look: str, tmp_path: Path) -> None:
    async with a_browser() as browser, the_page(tmp_path, browser, look) as (page, _):
        folder = os.environ.get("STRAPLINE_SCREENSHOTS")
        for span in ("5 min", "Day", "Month"):
            await show(page, span)
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= LOOKS[look][0]
            assert await axe_violations(page) == []
            if folder:
                name = f"{look}-{span.replace(' ', '')}.png"
                await page.screenshot(path=Path(folder, name), full_page=True)


async def test_minutes_of_a_day_are_those_of_the_server(tmp_path: Path) -> None:
    async with (
        a_browser() as browser,
        the_page(tmp_path, browser, "person-laptop-light") as (page, past),
    ):
        await show(page, "Day")
        rates = [bpm for ago, bpm in past.readings if ago < 24 * HOUR_MS]
        assert int(await figure(page, "Lowest")) == min(rates)
        assert int(await figure(page, "Highest")) == max(rates)
        await expect(page.locator(".drawn .gap")).to_have_count(1)
        sheet = page.get_by_role("img", name=re.compile("^Tomás Reyes, heart rate")).first
        await expect(sheet).to_have_accessible_name(re.compile(r"(19|20) min missing from \d\d:"))
        await page.get_by_text("As a table").click()
        await expect(page.locator(".rows tbody tr").first).to_be_attached()
        assert len(await line_rows(page)) > 24 * 60 - 30


async def test_five_minutes_that_are_past_are_every_reading(tmp_path: Path) -> None:
    async with (
        a_browser() as browser,
        the_page(tmp_path, browser, "person-laptop-light") as (page, _),
    ):
        await show(page, "5 min")
        await page.get_by_role("button", name="Earlier").click()
        await expect(page.locator("#line")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d to "))
        await page.get_by_text("As a table").click()
        await expect(page.locator(".rows tbody tr")).to_have_count(300, timeout=WITHIN_MS)
        await page.get_by_role("button", name="Now").click()
        await expect(page.locator("#line")).to_have_text("Last five minutes")
        # By keyboard, from a button of the sheet: a quarter back.
        await page.keyboard.press("ArrowLeft")
        await expect(page.locator("#line")).to_have_text(re.compile(" to "))
        await page.keyboard.press("End")
        await expect(page.locator("#line")).to_have_text("Last five minutes")


async def test_line_is_dragged_into_the_past(tmp_path: Path) -> None:
    async with (
        a_browser() as browser,
        the_page(tmp_path, browser, "person-laptop-light") as (page, _),
    ):
        await show(page, "30 min")
        box = await page.locator(".drawn").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        await page.mouse.move(x, y)
        await page.mouse.down()
        await page.mouse.move(x + box["width"] / 3, y, steps=4)
        await page.mouse.up()
        await expect(page.locator("#line")).to_have_text(re.compile(" to "))
        slider = page.get_by_role("slider", name="Time shown")
        before = int(await slider.get_attribute("aria-valuenow") or 0)
        assert before == pytest.approx(24 * 60 - 10, abs=2)
        await slider.focus()
        await page.keyboard.press("PageUp")
        await expect(slider).to_have_attribute("aria-valuenow", str(before - 60))


async def test_past_that_is_filled_in_is_fetched_where_it_is_shown(tmp_path: Path) -> None:
    async with (
        a_browser() as browser,
        the_page(tmp_path, browser, "person-laptop-light") as (page, past),
    ):
        await show(page, "Day")
        await expect(page.locator(".drawn .gap")).to_have_count(1)
        first, last = GAP_MS
        await past.publish(list(range(first - SPARSE_MS, last, -SPARSE_MS)))
        await expect(page.locator(".drawn .gap")).to_have_count(0, timeout=WITHIN_MS)
        # While it is fetched it is neither a gap nor measured.
        missing = page.locator(".look-back .figs div", has_text="Missing")
        await expect(missing.get_by_text("no gap")).to_be_visible(timeout=WITHIN_MS)
        assert await figure(page, "Missing") == "none"


async def test_steps_of_hours_and_days(tmp_path: Path) -> None:
    async with (
        a_browser() as browser,
        the_page(tmp_path, browser, "person-laptop-light") as (page, _),
    ):
        hours = page.get_by_role("img", name=re.compile("^Steps by hour"))
        await expect(hours).to_have_accessible_name(re.compile(r"\d\d:00 \d+"), timeout=WITHIN_MS)
        days = page.get_by_role("img", name=re.compile("^Steps by day"))
        await expect(days).to_have_accessible_name(re.compile(r"[1-9][\d,]* so far"))
        await expect(days.locator(".part")).to_have_count(1)
        ranges = page.get_by_role("region", name="Heart rate by day")
        await expect(ranges.get_by_text("Today so far")).to_be_visible()
        await expect(ranges.get_by_text(re.compile(r"^\d+ to \d+"))).not_to_have_count(0)


async def test_mark_and_session_from_the_page(tmp_path: Path) -> None:
    async with (
        a_browser() as browser,
        the_page(tmp_path, browser, "person-laptop-light") as (page, _),
    ):
        await page.get_by_role("button", name="Start session").click()
        await page.get_by_label("Name of the session").fill("Intervals")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="End session")).to_be_visible()
        await expect(page.get_by_text(re.compile("^Intervals, just begun"))).to_be_visible()
        await page.get_by_role("heading", level=1).focus()
        await page.keyboard.press("m")
        await page.keyboard.type("Lap 1")
        await page.keyboard.press("Enter")
        noted = page.get_by_role("list", name="Sessions and marks")
        await expect(noted.get_by_text(re.compile("Mark “Lap 1” at"))).to_be_visible()
        await expect(noted.get_by_text(re.compile("^Intervals, since"))).to_be_visible()
        await expect(page.locator(".drawn .tick")).to_have_count(1)
        assert await axe_violations(page) == []
        await page.get_by_role("button", name="End session").click()
        await expect(page.get_by_role("button", name="Start session")).to_be_visible()


async def test_who_may_not_mark_sees_no_way_to(tmp_path: Path) -> None:
    async with a_browser() as browser, two_days(tmp_path) as past, a_page(browser) as page:
        await page.goto(await past.link(may_mark=False))
        await page.get_by_role("button", name=NAME, exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
        await page.keyboard.press("m")
        await expect(page.get_by_role("textbox")).to_have_count(0)
        await expect(page.get_by_role("button", name="Mark")).to_have_count(0)
        # Back is the browser's own.
        await page.go_back()
        await expect(page.get_by_role("article", name=NAME)).to_be_visible()
