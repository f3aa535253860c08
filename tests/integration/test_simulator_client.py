"""bleak's client connects, reads, writes and subscribes, and notices when the link goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from bleak import BleakClient
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bleak_retry_connector import BleakClientWithServiceCache, establish_connection
from bumble import hci
from bumble.hci import Address

from strapline_simulator import Conditions, Profile, simulation, straps, uuids
from strapline_simulator.strap import VirtualStrap
from tests.integration.simulator_kit import (
    QUICK,
    Heard,
    client_for,
    find,
    listening,
    turns,
    until_gone,
)

RATE = uuids.HEART_RATE_MEASUREMENT


@asynccontextmanager
async def connected(
    profile: Profile | None = None, conditions: Conditions = QUICK
) -> AsyncIterator[tuple[VirtualStrap, BleakClient]]:
    """One strap, and a client that is connected to it."""
    profiles = straps(1) if profile is None else [profile]
    async with (
        simulation(profiles, pace=None, conditions=conditions) as sim,
        await client_for(sim, sim.straps[0]) as client,
    ):
        yield sim.straps[0], client


async def test_discovery_finds_what_a_strap_offers() -> None:
    async with connected(Profile(name="S", steps=True)) as (_, client):
        offered = {
            characteristic.uuid: sorted(characteristic.properties)
            for service in client.services
            for characteristic in service.characteristics
        }
        descriptors = client.services.get_characteristic(RATE)
        assert client.mtu_size == 517
        assert client.name == "S"
    assert descriptors is not None
    assert [d.uuid for d in descriptors.descriptors] == ["00002902-0000-1000-8000-00805f9b34fb"]
    assert descriptors.max_write_without_response_size == 20  # the link has gone
    wanted = {
        RATE: ["notify"],
        uuids.BODY_SENSOR_LOCATION: ["read"],
        uuids.HEART_RATE_CONTROL_POINT: ["write"],
        uuids.BATTERY_LEVEL: ["notify", "read"],
        uuids.STEP_COUNT: ["notify", "read"],
        uuids.MANUFACTURER_NAME: ["read"],
        uuids.MODEL_NUMBER: ["read"],
        uuids.SERIAL_NUMBER: ["read"],
    }
    assert wanted.items() <= offered.items()


async def test_only_the_services_asked_for_are_discovered() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        device = await find(sim, sim.straps[0])
        async with BleakClient(device, services=["180F"], backend=sim.backend.client) as client:
            assert [service.uuid for service in client.services] == [uuids.BATTERY_SERVICE]


async def test_reads() -> None:
    profile = Profile(name="S", steps=True, steps_so_far=70_000, serial_number="S/N 1")
    async with connected(profile) as (strap, client):
        assert await client.read_gatt_char(uuids.BODY_SENSOR_LOCATION) == b"\x01"
        assert await client.read_gatt_char(uuids.BATTERY_LEVEL) == b"\x64"
        assert (await client.read_gatt_char(uuids.STEP_COUNT)).hex() == "70110100"
        assert await client.read_gatt_char(uuids.MANUFACTURER_NAME) == b"Virtual Wearables"
        assert await client.read_gatt_char(uuids.SERIAL_NUMBER) == b"S/N 1"
        await strap.set_battery(5)
        cached = await client.read_gatt_char(uuids.BATTERY_LEVEL, use_cached=True)
        assert cached == b"\x64"
        assert await client.read_gatt_char(uuids.BATTERY_LEVEL) == b"\x05"


async def test_what_is_not_offered_is_refused() -> None:
    async with connected() as (_, client):
        with pytest.raises(BleakGATTProtocolError) as refused:
            await client.read_gatt_char(RATE)
        assert refused.value.code == 0x02
        with pytest.raises(BleakGATTProtocolError) as refused:
            await client.write_gatt_char(uuids.BODY_SENSOR_LOCATION, b"\x02", response=True)
        assert refused.value.code == 0x03
        assert await client.read_gatt_char(uuids.BODY_SENSOR_LOCATION) == b"\x01"
        with pytest.raises(BleakError, match="does not notify"):
            await client.start_notify(uuids.BODY_SENSOR_LOCATION, Heard())


async def test_the_control_point_resets_energy_and_knows_nothing_else() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (client, heard):
            await strap.tick(600)
            for _ in range(9):
                await strap.tick(0)
            before = heard.values[-1][1]
            await client.write_gatt_char(uuids.HEART_RATE_CONTROL_POINT, b"\x01", response=True)
            for _ in range(10):
                await strap.tick(0)
            after = heard.values[-1][1]
            with pytest.raises(BleakGATTProtocolError) as refused:
                await client.write_gatt_char(uuids.HEART_RATE_CONTROL_POINT, b"\x02", response=True)
            assert refused.value.code == 0x80
    assert before[0] & 0x08
    assert int.from_bytes(before[2:4], "little") > 0
    assert after[2:4] == b"\x00\x00"


async def test_descriptors_can_be_read_and_the_subscription_shows() -> None:
    async with connected() as (_, client):
        await client.start_notify(RATE, Heard())
        characteristic = client.services.get_characteristic(RATE)
        assert characteristic is not None
        (configuration,) = characteristic.descriptors
        assert await client.read_gatt_descriptor(configuration.handle) == b"\x01\x00"


async def test_connecting_by_address_looks_for_the_device_first() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with BleakClient(strap.address, backend=sim.backend.client) as client:
            assert client.address == strap.address
            assert strap.is_connected
        nobody = BleakClient("FF:00:00:00:00:00", timeout=0.1, backend=sim.backend.client)
        with pytest.raises(BleakDeviceNotFoundError):
            await nobody.connect()
        with pytest.raises(BleakDeviceNotFoundError):
            await nobody.unpair()


async def test_connecting_to_who_is_away_times_out_and_leaves_nothing_pending() -> None:
    async with simulation(straps(2), pace=None, conditions=QUICK) as sim:
        away, near = sim.straps
        client = await client_for(sim, away)
        await away.leave()
        with pytest.raises(TimeoutError):
            await client.connect(timeout=0.1)
        assert not client.is_connected
        async with await client_for(sim, near):
            assert near.is_connected
        await away.come_back()
        await client.connect()
        assert away.is_connected
        await client.disconnect()


async def test_a_cancelled_connect_leaves_no_link_behind() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        client = await client_for(sim, strap)
        for turns in range(40):
            attempt = asyncio.create_task(client.connect())
            for _ in range(turns):
                await asyncio.sleep(0)
            attempt.cancel()
            with pytest.raises(asyncio.CancelledError):
                await attempt
            assert not client.is_connected
            assert not sim.central.device.is_le_connecting
            assert not sim.central.device.connections
            await strap.wait_disconnected()
        await client.connect()
        assert strap.is_connected
        await client.disconnect()


async def test_a_connect_cancelled_at_the_moment_of_success_is_undone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        client = await client_for(sim, strap)
        attempt = asyncio.create_task(client.connect())
        controller = sim.central.controller
        await strap.leave()  # nothing to connect to, until the cancel is on its way
        cancel = controller.on_hci_le_create_connection_cancel_command

        def connect_and_cancel(command: hci.HCI_LE_Create_Connection_Cancel_Command) -> object:
            sim.air.set_in_range(strap._radio.controller, in_range=True)
            if controller.pending_le_connection is not None:
                controller.create_le_connection(controller.pending_le_connection.peer_address)
            return cancel(command)

        monkeypatch.setattr(
            controller, "on_hci_le_create_connection_cancel_command", connect_and_cancel
        )
        await turns()
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        assert not sim.central.device.connections
        monkeypatch.undo()
        await strap.wait_disconnected()
        await client.connect()
        assert strap.is_connected
        await client.disconnect()


async def test_a_connect_that_the_controller_refuses_is_an_error() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        client = await client_for(sim, strap)
        await strap.leave()
        elsewhere = asyncio.create_task(sim.central.device.connect_le(strap.address))
        await turns()
        with pytest.raises(BleakError, match=r"connect failed: .*already pending"):
            await client.connect()
        cancel = hci.HCI_LE_Create_Connection_Cancel_Command()
        await sim.central.device.send_sync_command(cancel)
        with pytest.raises(Exception, match="UNKNOWN_CONNECTION_IDENTIFIER"):
            await elsewhere


async def test_a_connect_request_that_nobody_hears_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    patient = Conditions(advertising_interval_ms=20, supervision_timeout_s=60)
    async with simulation(straps(1), pace=None, conditions=patient) as sim:
        (strap,) = sim.straps
        client = await client_for(sim, strap)
        connect = sim.central.controller.create_le_connection

        def connect_and_leave(address: Address) -> None:
            connect(address)
            sim.air.set_in_range(sim.central.controller, in_range=False)

        monkeypatch.setattr(sim.central.controller, "create_le_connection", connect_and_leave)
        with pytest.raises(BleakError, match="CONNECTION_FAILED_TO_BE_ESTABLISHED"):
            await client.connect()
        assert not client.is_connected
        monkeypatch.undo()
        sim.air.set_in_range(sim.central.controller, in_range=True)
        await client.connect()
        assert strap.is_connected
        await client.disconnect()


async def test_a_subscription_that_fails_can_be_tried_again() -> None:
    async with connected() as (strap, client):
        heard = Heard()
        subscribing = asyncio.create_task(client.start_notify(RATE, Heard()))
        await asyncio.sleep(0)
        subscribing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await subscribing
        await client.start_notify(RATE, heard)
        assert await strap.notify_heart_rate(70)
        assert len(heard.values) == 1


async def test_the_configuration_can_be_written_below_bleak() -> None:
    async with connected() as (strap, client):
        characteristic = client.services.get_characteristic(RATE)
        assert characteristic is not None
        (configuration,) = characteristic.descriptors
        await client._backend.write_gatt_descriptor(configuration, b"\x01\x00")
        assert strap.is_subscribed(RATE)


async def test_connects_wait_for_one_another() -> None:
    async with simulation(straps(8), pace=None, conditions=QUICK) as sim:
        clients = [await client_for(sim, strap) for strap in sim.straps]
        await asyncio.gather(*(client.connect() for client in clients))
        assert all(strap.is_connected for strap in sim.straps)
        assert all(client.is_connected for client in clients)
        await asyncio.gather(*(client.disconnect() for client in clients))
        assert not any(client.is_connected for client in clients)


async def test_connecting_twice_is_an_error_and_disconnecting_twice_is_not() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        client = await client_for(sim, sim.straps[0])
        await client.connect()
        with pytest.raises(BleakError, match="already connected"):
            await client.connect()
        await asyncio.gather(client.disconnect(), client.disconnect())
        await client.disconnect()
        assert not client.is_connected


async def test_the_callback_tells_of_every_lost_link_once() -> None:
    gone: list[BleakClient] = []
    noticed = asyncio.Event()

    def on_disconnect(lost: BleakClient) -> None:
        gone.append(lost)
        noticed.set()

    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        client = await client_for(sim, strap, on_disconnect)
        for number, lose in enumerate(
            [strap.drop_link, strap.sleep, strap.leave, client.disconnect], start=1
        ):
            await strap.come_back()
            await strap.wake()
            noticed.clear()
            await client.connect()
            await lose()
            await noticed.wait()
            assert gone == [client] * number, lose


async def test_after_a_lost_link_nothing_is_subscribed_until_it_is_armed_again() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (client, heard):
            assert strap.is_subscribed(RATE)
            await strap.drop_link()
            await client.connect()
            assert not strap.is_subscribed(RATE)
            assert not await strap.notify_heart_rate(70)
            await client.start_notify(RATE, heard)
            assert await strap.notify_heart_rate(71)
        assert [value[1] for value in heard.of(RATE)] == [71]


async def test_subscribing_twice_is_an_error_and_unsubscribing_ends_it() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (client, heard):
            with pytest.raises(BleakError, match="already started"):
                await client.start_notify(RATE, Heard())
            assert await strap.notify_heart_rate(70)
            await client.stop_notify(RATE)
            assert not await strap.notify_heart_rate(71)
            await client.start_notify(RATE, heard)
            assert await strap.notify_heart_rate(72)
        assert [value[1] for value in heard.of(RATE)] == [70, 72]


async def test_an_operation_fails_at_once_when_the_link_goes() -> None:
    slow = Conditions(advertising_interval_ms=20, latency_s=0.02)
    async with simulation(straps(1), pace=None, conditions=slow) as sim:
        (strap,) = sim.straps
        client = await client_for(sim, strap)
        await client.connect()
        reading = asyncio.create_task(client.read_gatt_char(uuids.BATTERY_LEVEL))
        await turns()
        sim.air.latency_s = 3600
        await strap.drop_link()
        with pytest.raises(BleakError, match=r"device disconnected .CONNECTION_TIMEOUT_ERROR"):
            await asyncio.wait_for(reading, 1)
        with pytest.raises(BleakError):
            await client.read_gatt_char(uuids.BATTERY_LEVEL)


async def test_a_cancelled_read_does_not_answer_the_next_one() -> None:
    slow = Conditions(advertising_interval_ms=20, latency_s=0.01)
    async with connected(conditions=slow) as (_, client):
        reading = asyncio.create_task(client.read_gatt_char(uuids.BATTERY_LEVEL))
        await turns()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert await client.read_gatt_char(uuids.BODY_SENSOR_LOCATION) == b"\x01"


async def test_a_link_that_goes_during_discovery_is_an_error_of_connect() -> None:
    slow = Conditions(advertising_interval_ms=20, latency_s=0.005)
    async with simulation(straps(1), pace=None, conditions=slow) as sim:
        (strap,) = sim.straps
        client = await client_for(sim, strap)
        connecting = asyncio.create_task(client.connect())
        await strap.wait_connected()
        await asyncio.sleep(0.02)
        await strap.drop_link()
        with pytest.raises(BleakError, match="device disconnected"):
            await connecting
        await client.connect()
        assert client.is_connected
        await client.disconnect()


async def test_a_strap_that_fell_asleep_meanwhile_is_not_connected() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        client = await client_for(sim, strap)
        failed = 0
        for turns in range(12):
            connecting = asyncio.create_task(client.connect(timeout=0.05))
            for _ in range(turns):
                await asyncio.sleep(0)
            await strap.sleep()
            try:
                await connecting
            except (BleakError, TimeoutError):
                failed += 1
            await until_gone(client)
            await strap.wake()
        assert failed > 0
        await client.connect()
        assert strap.is_connected
        await client.disconnect()


async def test_the_retry_connector_works_over_it() -> None:
    gone = asyncio.Event()
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        client = await establish_connection(
            BleakClientWithServiceCache,
            await find(sim, strap),
            strap.name,
            disconnected_callback=lambda _: gone.set(),
            backend=sim.backend.client,
        )
        assert await client.read_gatt_char(uuids.BODY_SENSOR_LOCATION) == b"\x01"
        await strap.drop_link()
        await gone.wait()


async def test_just_works_pairing_leaves_a_bond() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        client = await client_for(sim, strap)
        await client.connect()
        await client.pair()
        assert link_is_encrypted(client)
        await client.pair()  # once more is harmless
        await strap.drop_link()
        await client.connect()
        assert link_is_encrypted(client)
        await client.unpair()
        assert not client.is_connected
        await client.connect()
        assert not link_is_encrypted(client)
        await client.disconnect()


async def test_pairing_can_be_part_of_connecting() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        device = await find(sim, sim.straps[0])
        async with BleakClient(device, pair=True, backend=sim.backend.client) as client:
            assert link_is_encrypted(client)
            assert await client.read_gatt_char(uuids.BODY_SENSOR_LOCATION) == b"\x01"


def link_is_encrypted(client: BleakClient) -> bool:
    backend = client._backend
    link = getattr(backend, "_link", None)
    assert link is not None
    return bool(link.connection.is_encrypted)


async def test_without_a_link_nothing_works() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        client = await client_for(sim, sim.straps[0])
        with pytest.raises(BleakError):
            await client.pair()
        with pytest.raises(BleakError):
            await client.start_notify(RATE, Heard())
        assert client.mtu_size == 23
