"""The whole bridge: virtual straps, radio, outbox, uplink, and a server of the test's own."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from bleak import BleakScanner
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason

from strapline_bridge.clock import SystemBootClock
from strapline_bridge.config import BridgeConfig, OutboxSection, ServerSection
from strapline_bridge.daemon import OUTBOX_NAME, Bridge
from strapline_bridge.outbox import OutboxHeldError
from strapline_bridge.radio import RadioBackend, Timing
from strapline_bridge.radio.backend import Detected
from strapline_bridge.uplink import SignedTokens
from strapline_bridge.wearables import Wearables, WearablesFile
from strapline_protocol.errors import LocalProtocolError
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.publishing import (
    Acknowledged,
    DeviceState,
    Readings,
    Status,
    Stream,
    Sync,
)
from strapline_simulator import Conditions, Profile, chest_strap, simulation, uuids
from strapline_simulator.assembly import Simulation
from strapline_simulator.strap import VirtualStrap
from tests.integration.bridge_kit import Committed, Receiver, an_outbox, until

_TIMING = Timing(window_s=5, backoff_first_s=0.01, backoff_most_s=0.05)
_BRISK = Conditions(advertising_interval_ms=20)
RATE = uuids.HEART_RATE_MEASUREMENT
_STRAP = Profile(
    name="Acme HR 7E2A9B12",
    manufacturer="Acme Instruments",
    model="AI-9000",
    serial_number="SN-7E2A9B12",
)


class _NoBluetooth(RadioBackend):
    def make_scanner(self, detected: Detected) -> BleakScanner:
        raise BleakBluetoothNotAvailableError("none", BleakBluetoothNotAvailableReason.NO_BLUETOOTH)


def a_config(state_dir: Path, server: Receiver) -> BridgeConfig:
    return BridgeConfig(
        state_dir=state_dir,
        server=ServerSection(url=server.url, token_file=state_dir / "token"),
        outbox=OutboxSection(max_mib=16),
    )


def choose(state_dir: Path, strap: VirtualStrap, user: str, name: str) -> Wearables:
    def add(wearables: Wearables) -> Wearables:
        changed, _ = wearables.add(address=strap.address, user=user, name=name, added_at=1)
        return changed

    return WearablesFile(state_dir).change(add)


def a_bridge(state_dir: Path, running: Simulation, server: Receiver, *heard: Committed) -> Bridge:
    return Bridge(
        a_config(state_dir, server),
        running.backend,
        SignedTokens(lambda server_time_ms: "a-token"),
        version="0",
        observers=heard,
        timing=_TIMING,
        boot_clock=SystemBootClock(),
    )


@asynccontextmanager
async def one_strap(profile: Profile = _STRAP) -> AsyncIterator[tuple[Simulation, VirtualStrap]]:
    async with simulation([profile], pace=None, conditions=_BRISK) as running:
        yield running, running.straps[0]


def rates(server: Receiver) -> list[float | None]:
    return [
        value
        for message in server.of(Readings)
        for one in message.series
        if one.metric == "heart_rate"
        for value in one.value
    ]


def device_state(server: Receiver) -> DeviceState | None:
    statuses = server.of(Status)
    return statuses[-1].devices[0].state if statuses and statuses[-1].devices else None


async def test_each_notification_becomes_an_acknowledged_reading(tmp_path: Path) -> None:
    stored = Committed()
    async with Receiver().serving() as server, one_strap() as (running, strap):
        choose(tmp_path, strap, "anna", "Anna's strap")
        async with a_bridge(tmp_path, running, server, stored) as bridge:
            await strap.wait_subscribed(RATE)
            for rate in range(60, 90):
                assert await strap.notify_heart_rate(rate)
            await server.until(lambda: rates(server) == list(range(60, 90)))
            await server.until(lambda: device_state(server) is DeviceState.CONNECTED)
            status = await bridge.status()
            assert status.devices[0].name == "Anna's strap"
            assert status.outbox.counters.readings >= 30
        assert server.held == stored.content
        ended = server.of(Stream)[-1].ended
        assert ended is not None
        assert ended.clean


async def test_what_a_strap_says_of_its_make_is_told_and_no_more(tmp_path: Path) -> None:
    def about() -> dict[str, str]:
        statuses = server.of(Status)
        told = statuses[-1].devices[0].about if statuses and statuses[-1].devices else None
        return told.model_dump(exclude_none=True) if told else {}

    async with Receiver().serving() as server, one_strap() as (running, strap):
        choose(tmp_path, strap, "anna", "strap")
        async with a_bridge(tmp_path, running, server):
            await server.until(lambda: len(about()) == 3)
        assert about() == {"model": "AI-9000", "firmware": "1.0.0", "body_location": "chest"}


async def test_a_strap_off_the_body_is_told_as_not_worn(tmp_path: Path) -> None:
    async with (
        Receiver().serving() as server,
        one_strap(chest_strap("Strap 1")) as (running, strap),
    ):
        choose(tmp_path, strap, "anna", "strap")
        async with a_bridge(tmp_path, running, server):
            await strap.wait_subscribed(RATE)
            await strap.take_off()
            await strap.notify_heart_rate(61)
            await server.until(lambda: device_state(server) is DeviceState.NOT_WORN)
            await strap.put_on()
            await strap.notify_heart_rate(62)
            await server.until(lambda: device_state(server) is DeviceState.CONNECTED)
            await strap.leave()
            await server.until(lambda: device_state(server) is DeviceState.SEARCHING)


async def test_nothing_that_names_the_device_leaves(tmp_path: Path) -> None:
    async with Receiver().serving() as server, one_strap() as (running, strap):
        choose(tmp_path, strap, "anna", "Anna's strap")
        async with a_bridge(tmp_path, running, server):
            await strap.wait_subscribed(RATE)
            await strap.set_battery(50)
            await strap.notify_heart_rate(61)
            await server.until(lambda: bool(rates(server)))
            await server.say(Sync(request="r1"))
            await server.until(lambda: any(one.request == "r1" for one in server.of(Status)))
        told = "\n".join(server.frames).lower()
        address = strap.address.lower()
        for secret in (
            address,
            address.replace(":", "-"),
            address.replace(":", ""),
            "7e2a9b12",
            "acme",
        ):
            assert secret not in told
        assert "anna's strap" in told


async def test_wearables_come_and_go_while_it_runs(tmp_path: Path) -> None:
    async with (
        Receiver().serving() as server,
        one_strap() as (running, strap),
        a_bridge(tmp_path, running, server) as bridge,
    ):
        await bridge.use(choose(tmp_path, strap, "anna", "one"))
        await strap.wait_subscribed(RATE)
        await strap.notify_heart_rate(61)
        await server.until(lambda: 61 in rates(server))
        device = bridge.wearables.wearables[0].device
        await bridge.use(bridge.wearables.give_to(device, "bo"))
        await strap.notify_heart_rate(62)
        await server.until(lambda: 62 in rates(server))
        users = {
            value: one.user
            for message in server.of(Readings)
            for one in message.series
            for value in one.value
            if one.metric == "heart_rate"
        }
        assert (users[61], users[62]) == ("anna", "bo")
        await bridge.use(bridge.wearables.remove(device))
        await strap.wait_disconnected()


@pytest.mark.parametrize("written", [False, True], ids=["no-file", "an-empty-list"])
async def test_without_wearables_it_names_the_file_and_what_is_wrong_with_bluetooth(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, written: bool
) -> None:
    if written:
        WearablesFile(tmp_path).change(lambda none: none)
    bridge = Bridge(
        a_config(tmp_path, Receiver(port=1)), _NoBluetooth(), SignedTokens(lambda _: ""), version=""
    )
    async with bridge:
        warning = caplog.records[0].getMessage()
        assert f"no wearable stands in {tmp_path}/wearables.json" in warning
        assert "`strapline up`" in warning
        await until(lambda: "no Bluetooth adapter was found. Plug in" in caplog.text)
        assert "Traceback" not in caplog.text


async def test_sending_in_the_open_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for url, warned in (("ws://127.0.0.1:1/ws", False), ("ws://192.0.2.1/ws", True)):
        caplog.clear()
        section = ServerSection(url=url, allow_insecure=True)
        config = BridgeConfig(state_dir=tmp_path, server=section)
        async with Bridge(config, _NoBluetooth(), SignedTokens(lambda _: ""), version=""):
            pass
        assert ("everyone on the way can read along" in caplog.text) == warned


async def test_a_state_folder_that_is_missing_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "state"
    async with one_strap() as (running, _), a_bridge(folder, running, Receiver(port=1)):
        assert (folder / OUTBOX_NAME).exists()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_stopping_waits_for_an_acknowledgement_that_is_under_way(tmp_path: Path) -> None:
    late: asyncio.Task[None] | None = None

    async def answer_late() -> None:
        await server.until(lambda: server.of(Stream)[-1].ended is not None)
        await asyncio.sleep(0.3)  # so late that nobody has it who does not wait
        stream = server.of(Stream)[-1]
        ranges = IntervalSet(
            span for sent in server.of(Readings) for one in sent.series for span in one.ranges()
        )
        await server.say(Acknowledged(stream=stream.stream, ranges=ranges.ranges()))

    async with Receiver(acknowledges=False).serving() as server, one_strap() as (running, strap):
        choose(tmp_path, strap, "anna", "one")
        async with a_bridge(tmp_path, running, server) as bridge:
            await strap.wait_subscribed(RATE)
            await strap.notify_heart_rate(61)
            await server.until(lambda: 61 in rates(server))
            assert bridge.outbox.status().pending
            late = asyncio.create_task(answer_late())
        await late
    async with an_outbox(tmp_path / OUTBOX_NAME) as outbox:
        assert outbox.status().pending == 0


async def test_a_second_bridge_names_the_first_and_stops(tmp_path: Path) -> None:
    async with Receiver().serving() as server, one_strap() as (running, _):
        async with a_bridge(tmp_path, running, server):
            with pytest.raises(OutboxHeldError, match=r"held by another bridge \(pid \d+ on "):
                async with a_bridge(tmp_path, running, server):
                    pass
        assert (tmp_path / OUTBOX_NAME).exists()


async def test_it_stops_within_five_seconds_without_a_server(tmp_path: Path) -> None:
    server = Receiver(port=1)
    async with one_strap() as (running, strap):
        choose(tmp_path, strap, "anna", "one")
        stored = Committed()
        async with a_bridge(tmp_path, running, server, stored) as bridge:
            await strap.wait_subscribed(RATE)
            await strap.notify_heart_rate(61)
            async with asyncio.timeout(20):
                while not any('"value": [61]' in one for one in stored.content.values()):
                    await bridge.outbox.flush()
            began_s = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began_s < 5


async def test_used_before_it_is_started_it_says_so(tmp_path: Path) -> None:
    async with one_strap() as (running, _):
        bridge = a_bridge(tmp_path, running, Receiver(port=1))
        with pytest.raises(LocalProtocolError):
            await bridge.status()
