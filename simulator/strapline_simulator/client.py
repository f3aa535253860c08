"""bleak's client over the virtual adapter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, Final

from bleak import BleakScanner
from bleak.args import SizedBuffer
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.exc import BleakDeviceNotFoundError, BleakError
from bumble import hci
from bumble.device import Peer
from bumble.gatt import GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR
from bumble.gatt_client import CharacteristicProxy, DescriptorProxy

from strapline_simulator.central import Central
from strapline_simulator.discovery import discover
from strapline_simulator.gatt_link import GattLink
from strapline_simulator.scanner import VirtualScanner

#: The largest ATT MTU that bumble's server grants.
_MTU: Final = 517
_DEFAULT_MTU: Final = 23


class VirtualClient(BaseBleakClient):
    """A client backend for ``BleakClient(…, backend=…)``; subclasses name their adapter."""

    central: ClassVar[Central]
    scanner: ClassVar[type[VirtualScanner]]

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        services: set[str] | None = None,
        **_platform_arguments: Any,
    ) -> None:
        super().__init__(
            address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout
        )
        self._device = (
            address_or_ble_device if isinstance(address_or_ble_device, BLEDevice) else None
        )
        self._wanted_services = services
        self._link: GattLink | None = None
        self._notified: dict[int, NotifyCallback] = {}

    @property
    def name(self) -> str:
        known = self._device.name if self._device is not None else None
        return known or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        return self._link.connection.att_mtu if self._link is not None else _DEFAULT_MTU

    @property
    def is_connected(self) -> bool:
        return self._link is not None and self.services is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        """Connect, bond if asked to, and discover.

        Keyword ``timeout`` stands in for the client's own; others are for other platforms.

        Raises:
            BleakDeviceNotFoundError: connecting by address, and the device was not heard.
            BleakError: already connected, or the link went during discovery.
            TimeoutError: the device was not heard, or it did not answer in time.
        """
        if self._link is not None:
            raise BleakError("client is already connected")
        timeout_s: float = kwargs.get("timeout", self._timeout)
        if self._device is None:
            self._device = await self._find(timeout_s)
        async with asyncio.timeout(timeout_s):
            connection = await self.central.connect(_hci_address(self._device))
            link = self._link = GattLink(connection, self._on_gone, self.central.spawn)
            link.watch()
            try:
                await self._set_up(link, pair)
            except BaseException:
                await asyncio.shield(link.disconnect())
                raise

    async def disconnect(self) -> None:
        if self._link is not None:
            await self._link.disconnect()

    async def pair(self, *_args: Any, **_kwargs: Any) -> None:
        """Bond, or encrypt with the bond there is. Just Works only.

        Raises:
            BleakError: not connected, or the strap refused.
        """
        await self._secure(self._require_link())

    async def unpair(self) -> None:
        """Disconnect and forget the bond.

        Raises:
            BleakDeviceNotFoundError: the device was never seen.
        """
        if self._device is None:
            raise BleakDeviceNotFoundError(self.address, f"device {self.address} is unknown")
        await self.disconnect()
        await self.central.forget(_hci_address(self._device))

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **_kwargs: Any
    ) -> bytearray:
        link = self._require_link()
        if use_cached and (
            known := link.connection.gatt_client.cached_values.get(characteristic.handle)
        ):
            return bytearray(known[1])
        return bytearray(await link.run(_proxy(characteristic).read_value()))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_kwargs: Any
    ) -> bytearray:
        proxy: DescriptorProxy = descriptor.obj
        return bytearray(await self._require_link().run(proxy.read_value()))

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        write = _proxy(characteristic).write_value(bytes(data), with_response=response)
        await self._require_link().run(write)

    async def write_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, data: SizedBuffer
    ) -> None:
        proxy: DescriptorProxy = descriptor.obj
        await self._require_link().run(proxy.write_value(bytes(data), with_response=True))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_kwargs: Any
    ) -> None:
        """Subscribe. The subscription ends with the connection.

        Raises:
            BleakError: subscribed already, or there is nothing to subscribe to.
        """
        link = self._require_link()
        handle = characteristic.handle
        if handle in self._notified:
            raise BleakError("characteristic notifications already started")
        if not {"notify", "indicate"} & set(characteristic.properties):
            raise BleakError(f"characteristic {characteristic.uuid} does not notify or indicate")
        self._notified[handle] = callback

        def on_value(value: bytes) -> None:
            callback(bytearray(value))

        try:
            await link.run(_proxy(characteristic).subscribe(on_value))
        except BaseException:
            self._forget_subscription(link, handle)
            raise

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Unsubscribe. What the strap sent before it knew still reaches the callback.

        Raises:
            BleakError: not connected.
        """
        link = self._require_link()
        proxy = _proxy(characteristic)
        configuration = proxy.get_descriptor(GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR)
        if configuration is not None:
            await link.run(configuration.write_value(b"\x00\x00", with_response=True))
        self._forget_subscription(link, characteristic.handle)

    def _forget_subscription(self, link: GattLink, handle: int) -> None:
        link.connection.gatt_client.notification_subscribers.pop(handle, None)
        link.connection.gatt_client.indication_subscribers.pop(handle, None)
        self._notified.pop(handle, None)

    async def _find(self, timeout_s: float) -> BLEDevice:
        device = await BleakScanner.find_device_by_address(
            self.address, timeout_s, backend=self.scanner
        )
        if device is None:
            raise BleakDeviceNotFoundError(self.address, f"device {self.address} was not found")
        return device

    async def _set_up(self, link: GattLink, pair: bool) -> None:
        peer = Peer(link.connection)
        await link.run(peer.request_mtu(_MTU))
        if pair or await self.central.is_bonded(link.connection.peer_address):
            await self._secure(link)
        self.services = await link.run(discover(peer, self._wanted_services, lambda: self.mtu_size))

    async def _secure(self, link: GattLink) -> None:
        connection = link.connection
        if connection.is_encrypted:
            return
        if await self.central.is_bonded(connection.peer_address):
            await link.run(connection.encrypt())
        else:
            await link.run(connection.pair())

    def _require_link(self) -> GattLink:
        if self._link is None:
            raise BleakError("not connected")
        return self._link

    def _on_gone(self) -> None:
        self._link = None
        self.services = None
        self._notified.clear()
        if self._disconnected_callback is not None:
            self._disconnected_callback()


def _proxy(characteristic: BleakGATTCharacteristic) -> CharacteristicProxy[bytes]:
    proxy: CharacteristicProxy[bytes] = characteristic.obj
    return proxy


def _hci_address(device: BLEDevice) -> hci.Address:
    address: hci.Address = device.details
    return address
