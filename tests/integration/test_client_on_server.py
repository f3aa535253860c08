"""The Python client against the real server, with a real bridge and a virtual strap behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from strapline.choosing import Choice
from strapline.folder import DataFolder
from strapline.joined import Place, bridge_beside, remember, serving
from strapline_bridge.decoders import heart_rate
from strapline_client import (
    StoppedError,
    Updates,
    WebSocketEventType,
    WebSocketService,
)
from strapline_protocol.asking import HistoryPage
from strapline_protocol.watching import HealthDataUpdate, HeartRateData
from strapline_server import Server
from strapline_simulator import chest_strap, simulation
from strapline_simulator.strap import VirtualStrap

FAR_AWAY_MS = 2**45


class Line:
    """One strap, a bridge, and a server that can be stopped and started on its port."""

    def __init__(self, folder: Path) -> None:
        self.place = Place(DataFolder(folder), 0)
        self.server: Server | None = None
        self.token = ""
        self._serving = AsyncExitStack()

    async def start_server(self) -> Server:
        server = self.server = await self._serving.enter_async_context(serving(self.place))
        self.place = Place(self.place.folder, server.port)
        return server

    async def stop_server(self) -> None:
        await self._serving.aclose()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.place.port}/ws"


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[tuple[Line, VirtualStrap]]:
    here = Line(tmp_path)
    with here.place.folder.held():
        async with simulation([chest_strap("Strap")], pace=None) as air:
            strap = air.straps[0]
            server = await here.start_server()
            await remember(server.admin, here.place.folder, [Choice(strap.address, "Ilse Brandt")])
            here.token = await server.admin.issue_token("viewer-test", "viewer", "all", 3_600)
            async with await bridge_beside(server, here.place, air.backend):
                await strap.wait_subscribed(heart_rate.CHARACTERISTIC)
                yield here, strap
            await here.stop_server()


async def rates(updates: Updates, count: int) -> list[float | None]:
    """The next heart rates, in the order in which they came."""
    came: list[float | None] = []
    async for update in updates:
        message = update.message
        if isinstance(message, HealthDataUpdate) and message.metric == "heart_rate":
            came += message.series.value
            if len(came) >= count:
                break
    return came


async def subscribed(updates: Updates) -> None:
    async for update in updates:
        if update.type is WebSocketEventType.SUBSCRIBED:
            return


async def test_it_follows_through_a_restart_of_the_server(line: tuple[Line, VirtualStrap]) -> None:
    here, strap = line
    async with WebSocketService(here.url, here.token) as viewer:
        updates = viewer.updates()
        await subscribed(updates)
        await strap.notify_heart_rate(70)
        assert await rates(updates, 1) == [70]
        await here.stop_server()
        for bpm in (71, 72, 73):
            await strap.notify_heart_rate(bpm)
        await here.start_server()
        assert sorted(await rates(updates, 3), key=str) == [71, 72, 73]
        assert viewer.connections == 2
        await strap.notify_heart_rate(74)
        assert await rates(updates, 1) == [74]
        state = viewer.users["ilse-brandt"].metrics["heart_rate"]
        assert isinstance(state, HeartRateData)
        assert (state.current, state.min, state.max) == (74, 70, 74)


async def test_it_asks_for_history(line: tuple[Line, VirtualStrap]) -> None:
    here, strap = line
    async with WebSocketService(here.url, here.token) as viewer:
        updates = viewer.updates()
        await subscribed(updates)
        for bpm in (70, 71, 72):
            await strap.notify_heart_rate(bpm, rr_ms=[800])
        await rates(updates, 3)
        page = await viewer.request(
            "history",
            {"user": "ilse-brandt", "metric": "heart_rate", "fromMs": 0, "toMs": FAR_AWAY_MS},
        )
    assert isinstance(page, HistoryPage)
    assert [value for series in page.series for value in series.value] == [70, 71, 72]
    assert page.next is None


async def test_a_late_viewer_has_the_state_at_once(line: tuple[Line, VirtualStrap]) -> None:
    here, strap = line
    async with WebSocketService(here.url, here.token) as early:
        updates = early.updates()
        await subscribed(updates)
        await strap.notify_heart_rate(70)
        await rates(updates, 1)
    async with WebSocketService(here.url, here.token) as late:
        await subscribed(late.updates())
        state = late.users["ilse-brandt"]
    assert state.name == "Ilse Brandt"
    rate = state.metrics["heart_rate"]
    assert isinstance(rate, HeartRateData)
    assert rate.last is not None
    assert rate.last.value == 70


async def test_a_viewer_whose_rights_are_taken_stops(line: tuple[Line, VirtualStrap]) -> None:
    here, _ = line
    async with WebSocketService(here.url, here.token) as viewer:
        updates = viewer.updates()
        await subscribed(updates)
        assert here.server is not None
        await here.server.admin.revoke("viewer-test")
        with pytest.raises(StoppedError):
            async for _ in updates:
                pass
