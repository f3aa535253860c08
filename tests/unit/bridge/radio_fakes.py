"""A Bluetooth stack of lists and callbacks, for what a real link does not do on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bleak.args import SizedBuffer
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError

from strapline_bridge.radio import LinkChange, LinkState, Notification, RadioBackend, RadioEvent

HEART_RATE = "00002a37-0000-1000-8000-00805f9b34fb"
HEART_RATE_SERVICE = "0000180d-0000-1000-8000-00805f9b34fb"
BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"
BATTERY_SERVICE = "0000180f-0000-1000-8000-00805f9b34fb"
STEPS = "00030001-78fc-48fe-8e23-433b3a1942d0"
STEPS_SERVICE = "00030000-78fc-48fe-8e23-433b3a1942d0"
MODEL = "00002a24-0000-1000-8000-00805f9b34fb"
INFORMATION_SERVICE = "0000180a-0000-1000-8000-00805f9b34fb"

_PATIENCE_S = 10.0


@dataclass(frozen=True)
class Chosen:
    """A wearable as the radio wants one."""

    device: str
    addresses: tuple[str, ...]


@dataclass
class FakeStrap:
    """A peripheral: what it has, and how it misbehaves.

    Attributes:
        values: what reading gives; an exception is raised.
        subscribe_errors: raised by subscribing.
        connect_errors: raised by the next attempts to connect, one each.
        stalled: operations never return.
        vanishes: disconnecting fails, and no callback says that the link is gone.
    """

    address: str
    name: str = "strap"
    advertises: list[str] = field(default_factory=lambda: [HEART_RATE_SERVICE])
    services: dict[str, list[tuple[str, list[str]]]] = field(
        default_factory=lambda: {
            HEART_RATE_SERVICE: [(HEART_RATE, ["notify"])],
            BATTERY_SERVICE: [(BATTERY, ["read", "notify"])],
            INFORMATION_SERVICE: [(MODEL, ["read"])],
        }
    )
    values: dict[str, bytes | Exception] = field(
        default_factory=lambda: {BATTERY: b"\x50", MODEL: b"model"}
    )
    subscribe_errors: dict[str, Exception] = field(default_factory=dict)
    connect_errors: list[Exception] = field(default_factory=list)
    stalled: bool = False
    vanishes: bool = False
    awake: bool = True
    clients: list[FakeClient] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    connects: int = 0

    def notify(self, characteristic: str, value: bytes) -> None:
        """Send a notification to whoever is subscribed."""
        for client in self.clients:
            callback = client.subscribed.get(characteristic)
            if callback is not None:
                callback(bytearray(value))

    @property
    def armed(self) -> set[str]:
        """What is subscribed to on the present link."""
        return {uuid for client in self.clients for uuid in client.subscribed}

    def drop(self) -> None:
        """Lose the link."""
        for client in list(self.clients):
            client.lose()


class FakeAir:
    """The straps, and a radio to find them with.

    Attributes:
        scan_errors: raised by the next starts of a scan, one each.
        scanning: how many scans run now.
        most_scanning: the most that ever ran at once.
        connecting: attempts that are under way.
        most_connecting: the most that ever were.
        scanned_while_connecting: whether a scan ever ran during an attempt.
    """

    def __init__(self, *straps: FakeStrap) -> None:
        self.straps = {strap.address: strap for strap in straps}
        self.scanners: list[FakeScanner] = []
        self.scan_errors: list[BaseException] = []
        self.scans = 0
        self.most_scanning = 0
        self.connecting = 0
        self.most_connecting = 0
        self.scanned_while_connecting = False
        self.hold_connects: asyncio.Event | None = None

    @property
    def scanning(self) -> int:
        return len(self.scanners)

    def backend(self) -> RadioBackend:
        scanner = type("BoundScanner", (FakeScanner,), {"air": self})
        client = type("BoundClient", (FakeClient,), {"air": self})
        return RadioBackend(scanner=scanner, client=client)

    def wake(self, strap: FakeStrap) -> None:
        """Let a strap advertise from now on."""
        self.straps[strap.address] = strap
        strap.awake = True
        self.advertise()

    def advertise(self) -> None:
        """Every strap that is awake and not connected is heard by every scan that runs."""
        for scanner in list(self.scanners):
            for strap in self.straps.values():
                if strap.awake and not strap.clients:
                    scanner.hear(strap)


class FakeScanner(BaseBleakScanner):
    """A bleak scanner over a :class:`FakeAir`."""

    air: ClassVar[FakeAir]

    def __init__(
        self,
        detection_callback: Callable[[BLEDevice, AdvertisementData], None] | None,
        service_uuids: list[str] | None,
        scanning_mode: str = "active",
        **_: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        if self.air.scan_errors:
            raise self.air.scan_errors.pop(0)
        self.air.scanners.append(self)
        self.air.scans += 1
        self.air.most_scanning = max(self.air.most_scanning, self.air.scanning)
        asyncio.get_running_loop().call_soon(self.air.advertise)

    async def stop(self) -> None:
        await asyncio.sleep(0)
        self.air.scanners.remove(self)

    def hear(self, strap: FakeStrap) -> None:
        data = AdvertisementData(
            local_name=strap.name,
            manufacturer_data={},
            service_data={},
            service_uuids=strap.advertises,
            tx_power=None,
            rssi=-60,
            platform_data=(),
        )
        device = self.create_or_update_device(
            strap.address, strap.address, strap.name, strap.address, data
        )
        self.call_detection_callbacks(device, data)


class FakeClient(BaseBleakClient):
    """A bleak client of a :class:`FakeStrap`."""

    air: ClassVar[FakeAir]

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        **_: Any,
    ) -> None:
        super().__init__(
            address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout
        )
        self.strap = self.air.straps[self.address]
        self.subscribed: dict[str, NotifyCallback] = {}

    @property
    def name(self) -> str:
        return self.strap.name

    @property
    def mtu_size(self) -> int:
        return 23

    @property
    def is_connected(self) -> bool:
        return self in self.strap.clients

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        air = self.air
        air.connecting += 1
        air.most_connecting = max(air.most_connecting, air.connecting)
        air.scanned_while_connecting = air.scanned_while_connecting or air.scanning > 0
        try:
            if air.hold_connects is not None:
                await air.hold_connects.wait()
            await asyncio.sleep(0)
            self.strap.connects += 1
            if self.strap.connect_errors:
                error = self.strap.connect_errors.pop(0)
                if self._disconnected_callback is not None:
                    self._disconnected_callback()
                raise error
        finally:
            air.connecting -= 1
        self.services = self._discovered()
        self.strap.clients.append(self)

    def _discovered(self) -> BleakGATTServiceCollection:
        found = BleakGATTServiceCollection()
        handle = 0
        for service_uuid, characteristics in self.strap.services.items():
            handle += 1
            service = BleakGATTService(None, handle, service_uuid)
            found.add_service(service)
            for uuid, properties in characteristics:
                handle += 1
                found.add_characteristic(
                    BleakGATTCharacteristic(
                        None,
                        handle,
                        uuid,
                        properties,  # type: ignore[arg-type]  # a list of literals
                        lambda: 20,
                        service,
                    )
                )
        return found

    def lose(self) -> None:
        self.strap.clients.remove(self)
        self.subscribed.clear()
        self.services = None
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    async def disconnect(self) -> None:
        if self.strap.vanishes and self.is_connected:
            self.strap.clients.remove(self)
            raise BleakError("not connected")
        if self.is_connected:
            self.lose()

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError

    async def unpair(self) -> None:
        raise NotImplementedError

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        await self._operation()
        self.strap.reads.append(characteristic.uuid)
        value = self.strap.values[characteristic.uuid]
        if isinstance(value, Exception):
            raise value
        return bytearray(value)

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        raise NotImplementedError

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        raise NotImplementedError

    async def write_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, data: SizedBuffer
    ) -> None:
        raise NotImplementedError

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        await self._operation()
        error = self.strap.subscribe_errors.get(characteristic.uuid)
        if error is not None:
            raise error
        self.subscribed[characteristic.uuid] = callback

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        self.subscribed.pop(characteristic.uuid, None)

    async def _operation(self) -> None:
        if self.strap.stalled:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        if not self.is_connected:
            raise BleakError("not connected")


class Heard:
    """A radio's sink that a test can wait on."""

    def __init__(self) -> None:
        self.events: list[RadioEvent] = []
        self._news = asyncio.Event()

    def __call__(self, event: RadioEvent) -> None:
        self.events.append(event)
        self._news.set()

    @property
    def notifications(self) -> list[Notification]:
        return [event for event in self.events if isinstance(event, Notification)]

    def states(self, device: str) -> list[LinkState]:
        """The states of one device's link, in order."""
        return [
            event.state
            for event in self.events
            if isinstance(event, LinkChange) and event.device_id == device
        ]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until an event makes something true."""
        async with asyncio.timeout(_PATIENCE_S):
            while not holds():
                self._news.clear()
                await self._news.wait()


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait for something that no event announces, one turn of the loop at a time."""
    async with asyncio.timeout(_PATIENCE_S):
        while not holds():  # noqa: ASYNC110  # nothing announces it
            await asyncio.sleep(0.001)
