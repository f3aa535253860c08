"""bleak's scanner hears virtual straps as it would hear real ones."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest
from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from strapline_simulator import Profile, chest_strap, simulation, straps, uuids, watch
from strapline_simulator.assembly import Simulation
from tests.integration.simulator_kit import QUICK, find, is_heard, scanner_of


async def first_heard(
    sim: Simulation, mode: Literal["active", "passive"] = "active"
) -> AdvertisementData:
    async with BleakScanner(scanning_mode=mode, backend=sim.backend.scanner) as scanner:
        _, data = await anext(aiter(scanner.advertisement_data()))
    return data


async def test_an_advertisement_carries_services_name_and_rssi() -> None:
    profile = Profile(name="Strap Öl", steps=True, rssi_dbm=-83)
    async with simulation([profile], pace=None, conditions=QUICK) as sim:
        data = await first_heard(sim)
    assert data.local_name == "Strap Öl"
    assert data.service_uuids == [uuids.HEART_RATE_SERVICE, uuids.MOTION_SERVICE]
    assert data.rssi == -83
    assert data.tx_power is None


async def test_a_passive_scan_asks_for_no_name() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        data = await first_heard(sim, "passive")
    assert data.local_name is None
    assert data.service_uuids == [uuids.HEART_RATE_SERVICE]


async def test_the_address_is_random_static_and_can_be_chosen() -> None:
    profiles = [chest_strap("One"), Profile(name="Two", address="FA:00:00:00:00:02")]
    async with simulation(profiles, pace=None, conditions=QUICK) as sim:
        addresses = [(await find(sim, strap)).address for strap in sim.straps]
        assert addresses == [strap.address for strap in sim.straps]
    assert addresses == ["D0:5E:00:00:00:01", "FA:00:00:00:00:02"]


async def test_a_scan_by_service_hears_only_those_who_offer_it() -> None:
    profiles = [chest_strap("Strap"), Profile(name="Steps", heart_rate=False, steps=True)]
    async with simulation(profiles, pace=None, conditions=QUICK) as sim:
        heard = await BleakScanner.discover(
            0.1, service_uuids=[uuids.MOTION_SERVICE.upper()], backend=scanner_of(sim)
        )
    assert [device.name for device in heard] == ["Steps"]


async def test_sixteen_are_heard_at_once() -> None:
    everyone = {profile.name for profile in straps(16)}
    names: set[str | None] = set()
    complete = asyncio.Event()

    def on_detection(device: BLEDevice, _data: AdvertisementData) -> None:
        names.add(device.name)
        if names == everyone:
            complete.set()

    async with (
        simulation(straps(16), pace=None, conditions=QUICK) as sim,
        BleakScanner(on_detection, backend=sim.backend.scanner) as scanner,
    ):
        await complete.wait()
        assert len(scanner.discovered_devices) == 16


async def test_two_scanners_share_the_adapter() -> None:
    async with simulation([watch("W")], pace=None, conditions=QUICK) as sim:
        passive = BleakScanner(scanning_mode="passive", backend=sim.backend.scanner)
        await passive.start()
        assert sim.central.device.scanning_is_passive
        assert (await first_heard(sim)).local_name == "W"
        assert sim.central.device.scanning_is_passive  # the active one has gone
        device, _ = await anext(aiter(passive.advertisement_data()))
        assert device.address == sim.straps[0].address
        await passive.stop()
        assert not sim.central.device.is_scanning


async def test_starting_again_forgets_what_was_seen() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        scanner = BleakScanner(backend=sim.backend.scanner)
        await scanner.start()
        await anext(aiter(scanner.advertisement_data()))
        await scanner.stop()
        assert len(scanner.discovered_devices) == 1
        await sim.straps[0].sleep()
        await scanner.start()
        assert scanner.discovered_devices == []
        await scanner.stop()
        await scanner.stop()  # stopping twice is harmless


async def test_asleep_or_away_it_is_not_heard() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        assert await is_heard(sim, strap)
        await strap.sleep()
        assert not strap.is_awake
        assert not await is_heard(sim, strap)
        await strap.wake()
        assert await is_heard(sim, strap)
        await strap.leave()
        assert not await is_heard(sim, strap)
        await strap.come_back()
        assert await is_heard(sim, strap)


async def test_who_is_connected_does_not_advertise() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        device = await find(sim, strap)
        assert sim.backend.client is not None
        client = sim.backend.client(device, disconnected_callback=None, timeout=5)
        await client.connect(pair=False)
        assert not await is_heard(sim, strap)
        await client.disconnect()
        assert await is_heard(sim, strap)


async def test_an_address_that_was_bought_is_refused() -> None:
    profile = Profile(name="S", address="00:11:22:33:44:55")
    with pytest.raises(ValueError, match="00:11:22:33:44:55 is not a random static address"):
        async with simulation([profile], pace=None):
            pass
    assert asyncio.all_tasks() == {asyncio.current_task()}
