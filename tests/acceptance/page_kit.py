"""What tests of the page share: a browser, virtual straps, a real bridge and a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright
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

    async def link(self) -> str:
        """A dashboard's link to all people."""
        assert self.server is not None
        token = await self.server.admin.issue_token("page", Role.VIEWER, "all", HOUR_S)
        return f"http://127.0.0.1:{self.port}/#token={token}"

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
