"""A person's page outlives its server being away, asks with restraint, and keeps to their zone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Page, expect

from strapline_protocol.opening import Role
from strapline_protocol.publishing import Lane
from strapline_server.clock import wall_ms
from tests.acceptance.foreign_client.relay import Relay, relay_to
from tests.acceptance.page_kit import HOUR_S, a_browser, a_page
from tests.acceptance.test_page_looks_back import (
    BACK_HOURS,
    DENSE_MS,
    HOUR_MS,
    NAME,
    USER,
    WITHIN_MS,
    Past,
    show,
    two_days,
)
from tests.integration.server_kit import Run, joined, serving

#: Longer than a page waits between its tries at first, so that it has failed a few times.
AWAY_S = 12
#: The longest that a page backs off, and some.
BACK_WITHIN_MS = 60_000
#: Keys that a held key repeats, and how often.
REPEATS, REPEAT_MS = 120, 33


@asynccontextmanager
async def behind_a_relay(folder: Path, browser: Browser) -> AsyncIterator[tuple[Page, Past, Relay]]:
    async with (
        two_days(folder) as past,
        relay_to(past.server.port) as relay,
        a_page(browser, timezone_id="UTC") as page,
    ):
        link = await past.link()
        await page.goto(link.replace(f":{past.server.port}/", f":{relay.port}/"))
        await page.get_by_role("button", name=NAME, exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
        yield page, past, relay


@pytest.mark.parametrize(("span", "at_least"), [("5 min", 290), ("30 min", 835)])
async def test_persons_page_outlives_its_server_and_fills_its_line(
    span: str, at_least: int, tmp_path: Path
) -> None:
    async with a_browser() as browser, behind_a_relay(tmp_path, browser) as (page, past, relay):
        await show(page, span)
        relay.hold()
        relay.cut()
        clock = page.locator("time.clock")
        for _ in range(AWAY_S):
            # A page that is frozen shows the same second for ever.
            before = await clock.inner_text()
            await expect(clock).not_to_have_text(before, timeout=WITHIN_MS)
        relay.resume()
        now_ms = wall_ms() - past.began_ms - BACK_HOURS * HOUR_MS
        await past.publish(list(range(0, -now_ms, -DENSE_MS)))
        await expect(page.locator(".person")).to_have_attribute(
            "data-state", re.compile("fresh|ageing"), timeout=BACK_WITHIN_MS
        )
        counts = "|".join(str(count) for count in range(at_least, at_least + 100))
        figures = page.locator(".look-back .figs")
        await expect(figures.get_by_text(re.compile(f"of ({counts}) readings"))).to_be_visible(
            timeout=WITHIN_MS
        )


@pytest.mark.parametrize("span", ["5 min", "Week"])
async def test_held_key_asks_where_it_comes_to_rest(span: str, tmp_path: Path) -> None:
    async with a_browser() as browser, behind_a_relay(tmp_path, browser) as (page, _, _):
        connected: list[str] = []
        page.on("websocket", lambda socket: connected.append(socket.url))
        await show(page, span)
        await page.evaluate(
            """() => {
              const send = WebSocket.prototype.send;
              window.asked = 0;
              WebSocket.prototype.send = function (text) {
                window.asked += 1;
                send.call(this, text);
              };
            }"""
        )
        line = page.locator("#line")
        live = await line.inner_text()
        for _ in range(REPEATS):
            await page.keyboard.down("ArrowLeft")
            await page.wait_for_timeout(REPEAT_MS)
        await page.keyboard.up("ArrowLeft")
        await expect(line).not_to_have_text(live)
        await page.get_by_role("button", name="Now").click()
        await show(page, span)
        # With what is asked each few seconds for the running ends of day and week.
        assert await page.evaluate("window.asked") < REPEATS / 3
        assert connected == []


@pytest.mark.parametrize(
    ("screen", "zone"), [("Europe/Berlin", "UTC"), ("UTC", "Asia/Kolkata")], ids=str
)
async def test_days_and_hours_are_the_persons_on_a_screen_elsewhere(
    screen: str, zone: str, tmp_path: Path
) -> None:
    """Steps at a minute after the beginning of each day of the week, more each day."""
    today = datetime.now(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    began = [today - timedelta(days=back) for back in range(6, -1, -1)]
    began_ms = [int(one.timestamp() * 1_000) for one in began]
    async with (
        a_browser() as browser,
        serving(tmp_path) as server,
        a_page(browser, timezone_id=screen) as page,
    ):
        await server.admin.add_user(USER, NAME, zone=zone)
        token = await server.admin.issue_token("bridge", Role.BRIDGE, [USER], HOUR_S)
        async with joined(server, token) as bridge:
            run = Run(began_ms[0], user=USER)
            await run.declare(bridge)
            totals = [sum(range(1, day + 1)) * 1_000.0 for day in range(1, 8)]
            elapsed = [at - began_ms[0] for at in began_ms]
            series = run.series(totals, elapsed, "steps", counter=("one", 0))
            await run.publish(bridge, series, lane=Lane.BACKLOG)
            viewer = await server.admin.issue_token("page", Role.VIEWER, [USER], HOUR_S)
            await page.goto(f"http://127.0.0.1:{server.port}/#token={viewer}")
            await page.get_by_role("button", name=NAME, exact=True).click()
            days = [f"{one.strftime('%a')} {one.day} {one.strftime('%b')}" for one in began]
            words = [f"{name} {index + 1},000" for index, name in enumerate(days)]
            await expect(
                page.get_by_role("img", name=re.compile("^Steps by day"))
            ).to_have_accessible_name(
                re.compile(f"^Steps by day: {', '.join(words)} so far"), timeout=WITHIN_MS
            )
            await expect(
                page.get_by_role("img", name=re.compile("^Steps by hour"))
            ).to_have_accessible_name(re.compile("^Steps by hour: 00:00 7,000"), timeout=WITHIN_MS)
