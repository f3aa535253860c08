"""A page that is opened after an outage: each hole has its cause, and one that is filled is gone.

With STRAPLINE_SCREENSHOTS set to a folder, each look is saved there.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from strapline.simulated import PEOPLE
from strapline_client import WebSocketService
from strapline_protocol.opening import Role
from strapline_protocol.publishing import Acknowledged, Dropped, Ended, Lane, Stream
from strapline_server import Server
from strapline_server.clock import wall_ms
from tests.acceptance.page_kit import HOUR_S, a_browser, a_page, axe_violations
from tests.acceptance.processes import strapline
from tests.acceptance.test_up_killed_bridge import BRIDGE, Arrivals, Machine
from tests.integration.server_kit import Peer, Run, joined, serving

USER, NAME = "tomas-reyes", "Tomás Reyes"
WITHIN_MS = 20_000
#: In seconds before now: when the first run of the bridge began, was killed, and the next began.
BEGAN, KILLED, RESTARTED = 290, 190, 165
#: The others, each from the last reading before it to the first after it.
RADIO_LOST, DROPPED, COMING, NOT_WORN = (250, 220), (140, 105), (80, 60), (40, 25)
CAUSES = [
    "radio lost: strap heard, no link, 30 s",
    "bridge off: it crashed or lost power, 25 s",
    "readings dropped: the bridge\u2019s card was full, 35 s",
    "still coming: waiting on the bridge, 20 s",
    "not worn, 15 s",
]
#: Of three people, each with a heart rate and more: so many that their pace is known.
RATE_HZ, ENOUGH = 2.0, 120
OUTAGE_S = 8
LOOKS = {
    "laptop-light": (1440, 900, "light"),
    "laptop-dark": (1440, 900, "dark"),
    "phone-light": (390, 844, "light"),
    "phone-dark": (390, 844, "dark"),
    "narrowest-light": (320, 640, "light"),
    "wall-dark": (1920, 1080, "dark"),
}


def bpm_at(ago: int) -> float:
    """What was measured so many seconds ago: a slow wave, and a quicker one."""
    return 120 + abs((ago + 40) % 120 - 60) / 3 + (ago * 7 % 5)


def between(holes: Iterable[tuple[int, int]], first: int, last: int) -> list[int]:
    """Seconds ago of readings from ``first`` to ``last``, without what lies in a hole."""
    inside = [(begin, end) for begin, end in holes]
    return [
        ago
        for ago in range(first, last - 1, -1)
        if not any(end < ago < begin for begin, end in inside)
    ]


@dataclass
class Outage:
    """A server with five minutes of one person, and the bridge that goes on."""

    server: Server
    bridge: Peer
    run: Run
    began_ms: int
    #: Numbers of the run by how many seconds ago they were taken.
    numbers: dict[int, int] = field(default_factory=dict)

    def elapsed_ms(self, ago: int) -> int:
        return (RESTARTED - ago) * 1_000

    async def link(self) -> str:
        token = await self.server.admin.issue_token("page", Role.VIEWER, [USER], HOUR_S)
        return f"http://127.0.0.1:{self.server.port}/#token={token}"

    async def fill(self) -> None:
        """What was still coming comes."""
        agos = range(COMING[0] - 1, COMING[1], -1)
        series = self.run.series(
            [bpm_at(ago) for ago in agos],
            [self.elapsed_ms(ago) for ago in agos],
            first=self.numbers[agos[0]],
        )
        await self.run.publish(self.bridge, series, lane=Lane.BACKLOG)

    async def go_on(self) -> None:
        """A reading each second, as long as it is awaited."""
        ago = 0
        while True:
            ago -= 1
            await asyncio.sleep(max(0, self.began_ms / 1_000 - ago - wall_ms() / 1_000))
            series = self.run.series([bpm_at(ago)], [self.elapsed_ms(ago)])
            await self.run.publish(self.bridge, series)


async def note(bridge: Peer, run: Run, began: int, hole: tuple[int, int], *codes: str) -> None:
    """What the bridge noticed of a silence, as evidence."""
    cause, evidence = codes
    duration_ms = (hole[0] - hole[1]) * 1_000
    series = run.series(
        [None],
        [(began - hole[0]) * 1_000],
        "gap",
        durationMs=[duration_ms],
        cause=[cause],
        evidence=[evidence],
    )
    await run.publish(bridge, series, lane=Lane.BACKLOG)


async def until_killed(bridge: Peer, now_ms: int) -> None:
    """The first run: a radio that is lost for a while, and no farewell."""
    run = Run(now_ms - BEGAN * 1_000, user=USER)
    await run.declare(bridge)
    agos = between([RADIO_LOST], BEGAN, KILLED)
    elapsed = [(BEGAN - ago) * 1_000 for ago in agos]
    series = run.series([bpm_at(ago) for ago in agos], elapsed)
    await run.publish(bridge, series, lane=Lane.BACKLOG)
    await note(bridge, run, BEGAN, RADIO_LOST, "radioLost", "heard")
    ended = Ended(elapsed_ms=(BEGAN - KILLED) * 1_000, clean=False)
    zero = run.declaration().zero
    await bridge.say(Stream(stream=run.id, next_seq=run.next, zero=zero, ended=ended))
    await bridge.expect(Acknowledged)


async def since_restart(server: Server, bridge: Peer, now_ms: int) -> Outage:
    """The second run: some of its readings were dropped, and some have not come yet."""
    run = Run(now_ms - RESTARTED * 1_000, user=USER)
    outage = Outage(server, bridge, run, now_ms)
    agos = between([NOT_WORN], RESTARTED, 0)
    outage.numbers = {ago: number for number, ago in enumerate(agos)}
    dropped = [outage.numbers[ago] for ago in range(DROPPED[0] - 1, DROPPED[1], -1)]
    run.next = len(agos)
    await run.declare(bridge)
    for part in (
        between([], RESTARTED, DROPPED[0]),
        between([], DROPPED[1], COMING[0]),
        between([NOT_WORN], COMING[1], 0),
    ):
        elapsed = [outage.elapsed_ms(ago) for ago in part]
        values = [bpm_at(ago) for ago in part]
        series = run.series(values, elapsed, first=outage.numbers[part[0]])
        await run.publish(bridge, series, lane=Lane.BACKLOG)
    ranges = [(dropped[0], dropped[-1])]
    await bridge.say(Dropped(stream=run.id, ranges=ranges, reason="sizeBound"))
    await bridge.expect(Acknowledged)
    await note(bridge, run, RESTARTED, NOT_WORN, "notWorn", "contact")
    return outage


@asynccontextmanager
async def after_an_outage(folder: Path) -> AsyncIterator[Outage]:
    async with serving(folder) as server:
        await server.admin.add_user(USER, NAME, zone="UTC")
        token = await server.admin.issue_token("bridge", Role.BRIDGE, [USER], HOUR_S)
        async with joined(server, token) as bridge:
            now_ms = wall_ms()
            await until_killed(bridge, now_ms)
            outage = await since_restart(server, bridge, now_ms)
            going_on = asyncio.create_task(outage.go_on())
            try:
                yield outage
            finally:
                going_on.cancel()
                with suppress(asyncio.CancelledError):
                    await going_on


@asynccontextmanager
async def the_page(folder: Path, browser: Browser, look: str) -> AsyncIterator[tuple[Page, Outage]]:
    width, height, theme = LOOKS[look]
    context = {
        "viewport": {"width": width, "height": height},
        "color_scheme": theme,
        "timezone_id": "UTC",
    }
    async with after_an_outage(folder) as outage, a_page(browser, **context) as page:
        await page.goto(await outage.link())
        yield page, outage


def holes(within: Page | Locator) -> Locator:
    return within.get_by_role("list", name="Gaps").get_by_role("button")


async def expect_holes(within: Page | Locator, causes: list[str]) -> None:
    """Each hole of the sheet, by what it says when it is pointed at, the oldest first."""
    await expect(holes(within)).to_have_count(len(causes), timeout=WITHIN_MS)
    for index, cause in enumerate(causes):
        name = re.compile(f"^{re.escape(cause)}, from ")
        await expect(holes(within).nth(index)).to_have_accessible_name(name, timeout=WITHIN_MS)


async def open_person(page: Page) -> None:
    await page.get_by_role("button", name=NAME, exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(NAME)


async def test_page_opened_later_shows_each_hole_with_its_cause(tmp_path: Path) -> None:
    async with a_browser() as browser, the_page(tmp_path, browser, "laptop-light") as (page, out):
        channel = page.get_by_role("article", name=NAME)
        await expect_holes(channel, CAUSES)
        await open_person(page)
        await expect_holes(page, CAUSES)
        gaps = page.get_by_role(
            "region", name=re.compile("^4 gaps, 1 min 45 s: 35 s .* and 20 s still coming$")
        )
        await expect(gaps.get_by_role("listitem")).to_have_count(5)
        await expect(gaps.get_by_role("listitem").nth(2)).to_contain_text("34 readings")
        await page.get_by_text("As a table").click()
        rows = page.locator(".rows td[colspan]")
        await expect(rows).to_have_text([re.compile(f"^{re.escape(one)}") for one in CAUSES])

        await out.fill()
        left = [cause for cause in CAUSES if not cause.startswith("still coming")]
        await expect_holes(page, left)
        await expect(
            page.get_by_role("region", name=re.compile("^4 gaps, .*; 15 s not worn$"))
        ).to_be_visible()
        await page.get_by_role("button", name="All people").click()
        await expect_holes(channel, left)


async def test_cause_is_shown_where_it_is_pointed_at_or_reached_by_the_keyboard(
    tmp_path: Path,
) -> None:
    async with a_browser() as browser, the_page(tmp_path, browser, "phone-light") as (page, _):
        await open_person(page)
        await expect_holes(page, CAUSES)
        crashed = page.locator(".tip", has_text="it crashed or lost power")
        await expect(crashed).to_be_hidden()
        await holes(page).nth(1).hover()
        await expect(crashed).to_be_visible()
        await page.mouse.move(0, 0)
        await expect(crashed).to_be_hidden()
        await holes(page).nth(0).focus()
        await page.keyboard.press("Tab")
        await expect(crashed).to_be_visible()
        sheet = await page.locator(".drawn .sheet").bounding_box()
        words = await crashed.locator("span").bounding_box()
        assert sheet is not None
        assert words is not None
        assert sheet["x"] <= words["x"]
        assert words["x"] + words["width"] <= sheet["x"] + sheet["width"]


@pytest.mark.parametrize("look", LOOKS)
async def test_gaps_are_drawn_and_accessible(look: str, tmp_path: Path) -> None:
    folder = os.environ.get("STRAPLINE_SCREENSHOTS")
    async with a_browser() as browser, the_page(tmp_path, browser, look) as (page, _):
        for name in ("everyone", "5 min", "30 min", "Day"):
            if name == "5 min":
                await open_person(page)
            elif name != "everyone":
                await page.get_by_role("button", name=name, exact=True).click()
            if name != "Day":
                # A minute that has any reading has a mean: none of these holes is seen by the day.
                await expect(holes(page).first).to_be_attached(timeout=WITHIN_MS)
            if name != "everyone":
                await expect(page.get_by_role("region", name=re.compile("^4 gaps"))).to_be_visible(
                    timeout=WITHIN_MS
                )
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= LOOKS[look][0]
            assert await axe_violations(page) == []
            if folder:
                path = Path(folder, f"gaps-{look}-{name.replace(' ', '')}.png")
                await page.screenshot(path=path, full_page=True)


async def test_killed_bridge_is_named_on_a_page_that_did_not_see_it(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    await asyncio.to_thread(machine.set_up)
    viewer = await asyncio.to_thread(machine.command, "token", "--viewer", "Coach", "--all")
    came = Arrivals()
    with strapline(["server", "run", "--config", machine.server_config], machine.env) as server:
        ready = await asyncio.to_thread(server.wait_for, r"serving on port (\d+)")
        port = ready[1]
        machine.bridge_config.write_text(BRIDGE.format(folder=tmp_path, port=port))
        async with (
            a_browser() as browser,
            WebSocketService(f"ws://127.0.0.1:{port}/ws", viewer) as service,
        ):
            collecting = asyncio.create_task(came.collect(service.updates(100_000)))
            with machine.bridge(RATE_HZ) as bridge:
                await came.until(lambda: came.has(ENOUGH))
                await asyncio.to_thread(bridge.stop, signal.SIGKILL)
            # The outage itself, which nothing ends but time.
            await asyncio.sleep(OUTAGE_S)
            seen = len(came.readings)
            with machine.bridge(RATE_HZ):
                await came.until(lambda: came.has(seen + ENOUGH))
                async with a_page(browser) as page:
                    await page.goto(f"http://127.0.0.1:{port}/#token={viewer}")
                    for name in PEOPLE:
                        channel = page.get_by_role("article", name=name)
                        crashed = re.compile("^bridge off: it crashed or lost power, ")
                        await expect(channel.get_by_role("button", name=crashed)).to_be_visible(
                            timeout=WITHIN_MS
                        )
            collecting.cancel()
