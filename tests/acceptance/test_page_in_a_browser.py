"""The page in a real browser: its lines, its themes and sizes, its keyboard, its token, its policy.

With STRAPLINE_SCREENSHOTS set to a folder, each look is saved there.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from strapline_simulator.profiles import Profile
from tests.acceptance.page_kit import (
    HEART_RATE,
    Line,
    a_browser,
    a_line,
    a_page,
    axe_violations,
    sent_values,
)

PEOPLE = (
    ("maren-holt", "Maren Holt"),
    ("tomas-reyes", "Tomás Reyes"),
    ("wilhelmina", "Wilhelmina-Charlotte Alexandrine von Hohenberg-Österreich"),
)
PROFILES = tuple(
    Profile(name=f"Strap {number}", steps=False, beats_offset_s=number * 300.0)
    for number in range(len(PEOPLE))
)
LOOKS = {
    "laptop-light": (1440, 900, "light"),
    "laptop-dark": (1440, 900, "dark"),
    "tablet-light": (820, 1180, "light"),
    "phone-dark": (390, 844, "dark"),
    "narrowest-light": (320, 640, "light"),
    "small-laptop-light": (1366, 768, "light"),
    "tv-dark": (1920, 1080, "dark"),
    "large-tv-dark": (3840, 2160, "dark"),
}
WITHOUT_SCROLLING = ("laptop-light", "small-laptop-light", "tv-dark", "large-tv-dark")
READABLE_PX = 56
PATIENCE_S = 20.0
WITHIN_MS = 20_000
DRAWN = """() => [...document.querySelectorAll('canvas')].map((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value, index) => index % 4 === 3 && value > 0);
})"""


@asynccontextmanager
async def the_page(folder: Path, browser: Browser, look: str) -> AsyncIterator[tuple[Page, Line]]:
    """Three people with a few readings each, on a page of this look."""
    width, height, theme = LOOKS[look]
    async with a_line(folder, PEOPLE, PROFILES) as line:
        context = {"viewport": {"width": width, "height": height}, "color_scheme": theme}
        async with a_page(browser, **context) as page:
            await page.goto(await line.link())
            await tick(line, 4)
            await expect_rates(page, line)
            yield page, line


async def tick(line: Line, times: int) -> None:
    for _ in range(times):
        for strap in line.straps:
            await strap.tick()


async def expect_rates(page: Page, line: Line) -> None:
    for (_, name), strap in zip(PEOPLE, line.straps, strict=True):
        figure = page.get_by_role("article", name=name).locator(".rate data")
        await expect(figure).to_have_attribute("value", str(sent_values(strap, HEART_RATE)[-1]))


async def until_drawn(page: Page) -> None:
    """Wait for a trace on each sheet; `wait_for_function` polls by eval, which the page forbids."""
    async with asyncio.timeout(PATIENCE_S):
        while await page.evaluate(DRAWN) != [True] * len(PEOPLE):
            await page.wait_for_timeout(50)


@pytest.mark.parametrize("look", LOOKS)
async def test_each_look_is_drawn_and_accessible(look: str, tmp_path: Path) -> None:
    async with a_browser() as browser, the_page(tmp_path, browser, look) as (page, _):
        await until_drawn(page)
        width = LOOKS[look][0]
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await axe_violations(page) == []
        folder = os.environ.get("STRAPLINE_SCREENSHOTS")
        if folder:
            await page.screenshot(path=Path(folder, f"{look}.png"), full_page=True)


@pytest.mark.parametrize("look", WITHOUT_SCROLLING)
async def test_three_people_stand_on_the_screen_whole(look: str, tmp_path: Path) -> None:
    async with a_browser() as browser, the_page(tmp_path, browser, look) as (page, _):
        assert await page.evaluate("document.documentElement.scrollHeight") <= LOOKS[look][1]
        assert await font_px(page, ".rate data") >= READABLE_PX


@pytest.mark.parametrize("look", WITHOUT_SCROLLING)
async def test_word_of_an_absent_server_pushes_nobody_off_the_screen(
    look: str, tmp_path: Path
) -> None:
    async with a_browser() as browser, the_page(tmp_path, browser, look) as (page, line):
        await line.stop_server()
        await expect(page.get_by_role("button", name="Try now")).to_be_visible()
        # The figures have left: what they were, and since when, takes more room than their age.
        await expect(page.locator(".was")).to_have_count(len(PEOPLE), timeout=WITHIN_MS)
        assert await page.evaluate("document.documentElement.scrollHeight") <= LOOKS[look][1]


async def test_everything_grows_with_a_large_screen(tmp_path: Path) -> None:
    async with a_browser() as browser, the_page(tmp_path, browser, "tv-dark") as (page, _):
        texts = (".rate data", ".legend", ".who h2", ".bar .what")
        usual = [await font_px(page, text) for text in texts]
        # Readable across the room: the legend too.
        assert usual[1] >= 16
        await page.set_viewport_size({"width": 3840, "height": 2160})
        grown = [await font_px(page, text) for text in texts]
        assert grown == [pytest.approx(2 * size, rel=0.02) for size in usual]


async def font_px(page: Page, selector: str) -> float:
    size = await page.locator(selector).first.evaluate("one => getComputedStyle(one).fontSize")
    return float(size.removesuffix("px"))


@pytest.mark.parametrize("width", [320, 390])
async def test_page_without_its_link_stands_within_its_margins(width: int, tmp_path: Path) -> None:
    async with (
        a_browser() as browser,
        a_line(tmp_path, PEOPLE, PROFILES) as line,
        a_page(browser, viewport={"width": width, "height": 640}) as page,
    ):
        await page.goto((await line.link()).partition("#")[0])
        await expect(page.get_by_text("strapline demo", exact=True)).to_be_visible()
        for selector in ("h1", ".foot .hops", ".link-form"):
            box = await page.locator(selector).bounding_box()
            assert box is not None
            assert box["x"] >= 16
            assert box["x"] + box["width"] <= width - 16
        link = page.get_by_label("Paste the link")
        await link.fill("http://mistyped")
        await expect(link).to_have_attribute("type", "password")
        await page.get_by_label("Show it").check()
        await expect(link).to_have_attribute("type", "text")
        assert await axe_violations(page) == []


async def test_way_of_the_readings_closes_as_the_focus_goes_on(tmp_path: Path) -> None:
    async with a_browser() as browser, the_page(tmp_path, browser, "laptop-light") as (page, _):
        way = page.get_by_role("region", name="How readings reach you")
        badge = page.get_by_role("button", name=re.compile("^Connection:"))
        await badge.click()
        sync = way.get_by_role("button", name="Sync now")
        await sync.click()
        await expect(way.get_by_role("button", name="Asking…")).to_be_visible()
        await expect(way.get_by_role("button", name="1 bridge asked")).to_be_visible()
        await page.keyboard.press("Tab")
        await expect(way).to_be_hidden()
        await badge.click()
        await page.get_by_role("heading", level=1).evaluate("() => document.activeElement.blur()")
        await page.keyboard.press("Escape")
        await expect(way).to_be_hidden()


async def test_way_of_the_readings_opens_by_keyboard(tmp_path: Path) -> None:
    async with a_browser() as browser, the_page(tmp_path, browser, "phone-dark") as (page, _):
        badge = page.get_by_role("button", name=re.compile("^Connection:"))
        await page.keyboard.press("Tab")
        await expect(badge).to_be_focused()
        box = await badge.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        await page.keyboard.press("Enter")
        way = page.get_by_role("region", name="How readings reach you")
        await expect(way.get_by_text("Bridge", exact=True).first).to_be_visible()
        assert await axe_violations(page) == []
        await page.keyboard.press("Escape")
        await expect(way).to_be_hidden()
        await expect(badge).to_be_focused()


async def test_token_leaves_the_address_and_a_reload_still_works(tmp_path: Path) -> None:
    async with a_browser() as browser, the_page(tmp_path, browser, "laptop-light") as (page, line):
        assert "token" not in page.url
        assert "token" not in await page.evaluate("JSON.stringify(history.state) + location.href")
        await page.reload()
        await expect_rates(page, line)
        assert await page.evaluate("localStorage.length") == 0


async def test_policy_of_the_server_forbids_nothing_that_the_page_does(tmp_path: Path) -> None:
    async with a_browser() as browser, the_page(tmp_path, browser, "laptop-light") as (page, _):
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        await page.reload()
        await until_drawn(page)
        assert [text for text in said if "Content Security Policy" in text] == []


async def test_silent_strap_leaves_a_dash_and_what_it_was(tmp_path: Path) -> None:
    async with a_browser() as browser, the_page(tmp_path, browser, "laptop-light") as (page, line):
        _, name = PEOPLE[0]
        last = sent_values(line.straps[0], HEART_RATE)[-1]
        channel = page.get_by_role("article", name=name)
        fill = channel.locator(".strap i")
        assert await fill.evaluate("one => one.getAnimations().length") == 1
        await expect(channel.locator(".rate data")).to_have_attribute("value", "", timeout=10_000)
        await expect(channel.locator(".was")).to_have_text(re.compile(rf"^{last} at \d\d:\d\d$"))
        await expect(channel.locator(".nowdot")).to_have_count(0)


async def test_reduced_motion_moves_nothing(tmp_path: Path) -> None:
    async with (
        a_browser() as browser,
        a_line(tmp_path, PEOPLE, PROFILES) as line,
        a_page(browser, reduced_motion="reduce") as page,
    ):
        await page.goto(await line.link())
        await tick(line, 2)
        await expect_rates(page, line)
        # The strap steps by whole seconds; nothing else has a duration.
        easings = await page.evaluate(
            "document.getAnimations().map((one) => one.effect.getTiming().easing)"
        )
        assert easings
        assert all(easing.startswith("steps(") for easing in easings)
