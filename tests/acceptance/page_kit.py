"""What tests of the page share: a browser, virtual straps, a real bridge and a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright, expect
from pydantic import JsonValue

from strapline_bridge.config import BridgeConfig, OutboxSection, ServerSection
from strapline_bridge.daemon import Bridge
from strapline_bridge.decoders import DECODERS
from strapline_bridge.uplink import SignedTokens
from strapline_bridge.wearables import WearablesFile
from strapline_client.service import WebSocketService
from strapline_protocol.asking import HistoryPage
from strapline_protocol.opening import Role
from strapline_server import Server, ServerConfig
from strapline_simulator import Profile, simulation
from strapline_simulator.strap import VirtualStrap

BROWSER = "/usr/bin/chromium"
QUIET = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
HEART_RATE = "00002a37-0000-1000-8000-00805f9b34fb"
STEPS = "00030001-78fc-48fe-8e23-433b3a1942d0"
HOUR_S = 3_600
ROUND_MS = 100
ROUNDS = 300


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=BROWSER, args=list(QUIET), chromium_sandbox=False
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def a_page(browser: Browser, **context: Any) -> AsyncIterator[Page]:
    """A page of its own profile; an error in its console fails the test."""
    profile = await browser.new_context(**context)
    page = await profile.new_page()
    # The page's own policy forbids the injected axe; the tests look at the page, not at axe.
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    try:
        yield page
    finally:
        await profile.close()
    assert faults == []


async def axe_violations(page: Page) -> list[tuple[str, str]]:
    """What axe finds on the page as it stands."""
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run()")
    return [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]]


@dataclass
class Line:
    """Straps, bridge and server on this machine; the server can be stopped and started."""

    folder: Path
    straps: Sequence[VirtualStrap]
    people: Sequence[tuple[str, str]]
    port: int = 0
    server: Server | None = None
    bridge: Bridge | None = field(default=None)

    def config(self) -> ServerConfig:
        return ServerConfig(state_folder=self.folder / "server", port=self.port)

    async def start_server(self) -> Server:
        self.server = await Server(self.config()).__aenter__()
        self.port = self.server.port
        return self.server

    async def stop_server(self) -> None:
        server, self.server = self.server, None
        if server is not None:
            await server.__aexit__(None, None, None)

    async def link(self, port: int | None = None) -> str:
        """A dashboard's link to all people, by way of another port than the server's if need be."""
        assert self.server is not None
        token = await self.server.admin.issue_token("page", Role.VIEWER, "all", HOUR_S)
        return f"http://127.0.0.1:{self.port if port is None else port}/#token={token}"

    async def stored(self, user: str, metric: str) -> list[tuple[int, int, float | None]]:
        """(wall ms, number, value) of each reading that the server holds, in order of time."""
        assert self.server is not None
        token = await self.server.admin.issue_token("reader", Role.VIEWER, "all", HOUR_S)
        found: list[tuple[int, int, float | None]] = []
        async with WebSocketService(f"ws://127.0.0.1:{self.port}/ws", token) as service:
            async for _ in service.updates():
                if service.users:
                    break
            params: dict[str, JsonValue] = {
                "user": user,
                "metric": metric,
                "fromMs": 0,
                "toMs": 2**43,
            }
            while True:
                page = await service.request("history", params)
                assert isinstance(page, HistoryPage)
                for series in page.series:
                    found += zip(series.at(), series.numbers(), series.value, strict=True)
                if page.next is None:
                    return sorted(found)
                params = {**params, "after": page.next}


#: A row of the line's table: the time of a reading, and its rate.
Row = tuple[str, float]


async def open_person(page: Page, name: str) -> None:
    """The page of one person, with the table of the line that it shows."""
    await page.get_by_role("button", name=name, exact=True).click()
    await page.get_by_text("As a table").click()


async def line_rows(page: Page) -> list[Row]:
    """Each reading that the open person's line shows, in order of time; gaps left out."""
    rows = await page.locator(".rows tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.children].map((one) => one.textContent))"
    )
    return [(cells[0], float(cells[1])) for cells in rows if len(cells) > 2]


async def readings_of(line: Line, user: str) -> list[Row]:
    """What the table is to say by the server's own history: pages in UTC."""
    return [
        (f"{datetime.fromtimestamp(at_ms / 1_000, UTC):%H:%M:%S}", value)
        for at_ms, _, value in await line.stored(user, "heart_rate")
        if value
    ]


async def until_rows(page: Page, wanted: Callable[[list[Row]], bool]) -> list[Row]:
    """The line's readings as soon as they are what is wanted, or as they are when time is up."""
    patient = page.locator(".rows tbody tr").first
    await expect(patient).to_be_attached()
    for _ in range(ROUNDS):
        if wanted(await line_rows(page)):
            break
        await page.wait_for_timeout(ROUND_MS)
    return await line_rows(page)


def sent_values(strap: VirtualStrap, characteristic: str) -> list[float | int | None]:
    """What the strap sent that certainly arrived, decoded, in order."""
    decode = DECODERS[characteristic].decode
    return [
        decode(entry.value).value for entry in strap.sent if entry.characteristic == characteristic
    ]


@asynccontextmanager
async def a_line(
    folder: Path, people: Sequence[tuple[str, str]], profiles: Sequence[Profile]
) -> AsyncIterator[Line]:
    """Straps driven by hand, each worn by one person, through a bridge to a server."""
    async with simulation(profiles, pace=None) as air:
        line = Line(folder, air.straps, people)
        server = await line.start_server()
        wearables = WearablesFile(folder / "bridge")
        for (user, name), strap in zip(people, air.straps, strict=True):
            await server.admin.add_user(user, name)
            wearables.change(
                lambda known, user=user, strap=strap: known.add(  # type: ignore[misc]
                    address=strap.address, user=user, name="Strap", added_at=0
                )[0]
            )
        users = [user for user, _ in people]
        await server.admin.grant("bridge", Role.BRIDGE, users)
        token = await server.admin.issue_token("bridge", Role.BRIDGE, users, HOUR_S)
        config = BridgeConfig(
            state_dir=folder / "bridge",
            server=ServerSection(url=f"ws://127.0.0.1:{line.port}/ws"),
            outbox=OutboxSection(),
        )
        tokens = SignedTokens(lambda _: token)
        async with Bridge(config, air.backend, tokens, version="test") as bridge:
            line.bridge = bridge
            try:
                for strap in air.straps:
                    await strap.wait_subscribed(HEART_RATE)
                yield line
            finally:
                await line.stop_server()
