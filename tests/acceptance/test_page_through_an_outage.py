"""The page shows what the straps send, says when the server is away, and catches up."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from strapline_simulator.profiles import Profile
from strapline_simulator.strap import VirtualStrap
from tests.acceptance.page_kit import (
    HEART_RATE,
    STEPS,
    Line,
    a_browser,
    a_line,
    a_page,
    axe_violations,
    sent_values,
)

PEOPLE = (("maren-holt", "Maren Holt"), ("tomas-reyes", "Tomás Reyes"))
PROFILES = tuple(
    Profile(
        name=f"Strap {number}",
        steps=True,
        walk_seed=number,
        steps_so_far=1_000 * number,
        beats_offset_s=number * 300.0,
    )
    for number in (1, 2)
)
AWAY = re.compile("server is away", re.IGNORECASE)
OUTAGE_S = 20
#: The bridge and the page come back when their backing off lets them.
WITHIN_MS = 60_000


def channel(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=name)


async def expect_rate(page: Page, name: str, bpm: float | None) -> None:
    await expect(channel(page, name).locator(".rate data")).to_have_attribute("value", str(bpm))


def steps_of(strap: VirtualStrap) -> str:
    """The steps taken since the bridge first saw this strap, as the page writes them."""
    total = [strap.profile.steps_so_far, *sent_values(strap, STEPS)][-1]
    assert total is not None
    return f"{int(total) - strap.profile.steps_so_far:,}"


def steps_shown(page: Page, name: str) -> Locator:
    return channel(page, name).locator("dt", has_text="Steps so far").locator("xpath=../dd")


async def tick_all(line: Line, times: int) -> None:
    """The recording plays on: a reading each second of it, as fast as it goes."""
    for _ in range(times):
        for strap in line.straps:
            await strap.tick()


async def test_page_shows_exactly_what_each_strap_sent(tmp_path: Path) -> None:
    async with (
        a_browser() as browser,
        a_line(tmp_path, PEOPLE, PROFILES) as line,
        a_page(browser) as page,
    ):
        await page.goto(await line.link())
        await expect(page).to_have_url(re.compile("^[^#]*$"))
        for rounds in range(5):
            await tick_all(line, 3)
            for (_, name), strap in zip(PEOPLE, line.straps, strict=True):
                await expect_rate(page, name, sent_values(strap, HEART_RATE)[-1])
                assert len(sent_values(strap, HEART_RATE)) == 3 * (rounds + 1)
        for (_, name), strap in zip(PEOPLE, line.straps, strict=True):
            assert sent_values(strap, STEPS), "the replay has walked"
            await expect(steps_shown(page, name)).to_have_text(steps_of(strap))
        assert await axe_violations(page) == []


async def test_server_away_is_said_and_every_reading_arrives_once(tmp_path: Path) -> None:
    async with (
        a_browser() as browser,
        a_line(tmp_path, PEOPLE, PROFILES) as line,
        a_page(browser) as page,
    ):
        await page.goto(await line.link())
        await tick_all(line, 2)
        for (_, name), strap in zip(PEOPLE, line.straps, strict=True):
            await expect_rate(page, name, sent_values(strap, HEART_RATE)[-1])

        await line.stop_server()
        await expect(page.get_by_text(AWAY).first).to_be_visible()
        await through_the_outage(line, page)

        await line.start_server()
        for _, name in PEOPLE:
            figure = channel(page, name).get_by_role("img", name=re.compile("filled in"))
            await expect(figure).to_be_visible(timeout=WITHIN_MS)
        await tick_all(line, 1)
        for (user, name), strap in zip(PEOPLE, line.straps, strict=True):
            sent = sent_values(strap, HEART_RATE)
            await expect_rate(page, name, sent[-1])
            held = await line.stored(user, "heart_rate")
            assert [value for *_, value in held] == sent
            walked = sent_values(strap, STEPS)
            totals = await line.stored(user, "steps")
            # The bridge reads the total once when it connects, and counts from there.
            assert [value for *_, value in totals] == [strap.profile.steps_so_far, *walked]
            await expect(steps_shown(page, name)).to_have_text(steps_of(strap))
            numbers = [number for _, number, _ in held + totals]
            assert len(set(numbers)) == len(numbers)
        assert await axe_violations(page) == []


async def through_the_outage(line: Line, page: Page) -> None:
    """Twenty seconds of readings, one each second by the page's clock, that nobody can see."""
    clock = page.locator("time.clock")
    for _ in range(OUTAGE_S):
        before = await clock.inner_text()
        await tick_all(line, 1)
        await expect(clock).not_to_have_text(before, timeout=WITHIN_MS)
    for _, name in PEOPLE:
        person = channel(page, name)
        await expect(person).to_have_attribute("data-state", "stale")
        await expect(person.locator(".rate data")).to_have_attribute("value", "")
        await expect(person.locator(".was")).to_be_visible()
