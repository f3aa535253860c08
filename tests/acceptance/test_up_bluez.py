"""`strapline up` as a process on the platform's own Bluetooth stack, with a small BlueZ behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from strapline_bridge.decoders import battery, heart_rate
from strapline_client import Updates, WebSocketEventType, WebSocketService
from strapline_protocol.watching import HealthDataUpdate
from tests.acceptance.private_bus import private_bus
from tests.acceptance.processes import LINK, Program, environment, strapline
from tests.integration.fake_bluez import FakeBluez, until

ADDRESS = "C0:FF:EE:00:00:01"
#: As the small BlueZ calls it.
NAME = "strap"
SERVICES = {
    heart_rate.SERVICE: [heart_rate.CHARACTERISTIC],
    battery.SERVICE: [battery.CHARACTERISTIC],
}
UP = ["up", "--port", "0"]


@pytest.fixture
async def bluez(tmp_path: Path) -> AsyncIterator[tuple[FakeBluez, Mapping[str, str]]]:
    """A Bluetooth service, and the environment in which it is the machine's."""
    with private_bus(tmp_path) as address:
        fake = FakeBluez()
        await fake.start(address)
        yield fake, environment(tmp_path, DBUS_SYSTEM_BUS_ADDRESS=address)
        await fake.stop()


async def link_of(running: Program) -> tuple[str, str]:
    found = await asyncio.to_thread(running.wait_for, LINK)
    return f"ws://127.0.0.1:{found['port']}/ws", found["token"]


async def subscribed(service: WebSocketService) -> Updates:
    updates = service.updates()
    async for update in updates:
        if update.type is WebSocketEventType.SUBSCRIBED:
            return updates
    raise AssertionError("the service stopped")


async def next_rate(updates: Updates) -> tuple[str, float | None]:
    """Whose heart rate comes next, and which."""
    async for update in updates:
        message = update.message
        if isinstance(message, HealthDataUpdate) and message.metric == "heart_rate":
            assert update.state is not None
            return update.state.name, message.series.value[-1]
    raise AssertionError("the service stopped")


async def test_a_strap_named_once_is_remembered(
    bluez: tuple[FakeBluez, Mapping[str, str]], tmp_path: Path
) -> None:
    fake, env = bluez
    strap = fake.device(ADDRESS, SERVICES)
    named = ["--device", NAME.upper(), "--user", "Maren Holt"]
    for arguments, rate in ((named, 87), ([], 91)):
        with strapline([*UP, *arguments], env) as running:
            url, token = await link_of(running)
            async with WebSocketService(url, token) as viewer:
                updates = await subscribed(viewer)
                await until(lambda: strap.notifies(heart_rate.CHARACTERISTIC), 60)
                strap.notify(heart_rate.CHARACTERISTIC, bytes([0, rate]))
                assert await next_rate(updates) == ("Maren Holt", rate)
                assert viewer.session is not None
                assert not viewer.session.simulated
            status, took_s = await asyncio.to_thread(running.stop)
            assert status == 0
            assert "error" not in running.err
            assert "Traceback" not in running.err
            assert took_s < 5
            assert ADDRESS not in running.out
    await until(lambda: not strap.connected)
    assert (tmp_path / ".local/share/strapline/bridge/wearables.json").exists()


async def test_bluetooth_that_is_switched_off_is_told_with_the_way_out(
    bluez: tuple[FakeBluez, Mapping[str, str]],
) -> None:
    fake, env = bluez
    fake.power(on=False)
    with strapline([*UP, "--device", NAME, "--user", "Maren Holt"], env) as running:
        assert await asyncio.to_thread(running.wait) == 1
        assert "switched off" in running.err
        assert "bluetoothctl power on" in running.err


async def test_scan_shows_what_is_near(bluez: tuple[FakeBluez, Mapping[str, str]]) -> None:
    fake, env = bluez
    fake.device(ADDRESS, SERVICES)
    with strapline(["bridge", "scan", "--seconds", "2"], env) as running:
        assert await asyncio.to_thread(running.wait) == 0
        assert ADDRESS in running.out
        assert "heart rate, battery" in running.out
        assert "1 strap near." in running.out
