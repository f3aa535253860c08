"""Reads a strap's GATT database into bleak's own objects."""

from __future__ import annotations

from collections.abc import Callable

from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bumble.device import Peer
from bumble.gatt_client import CharacteristicProxy, ServiceProxy

from strapline_simulator.gatt_names import uuid_text

#: Opcode and handle of a Write Command (Core specification, Vol 3, Part F, 3.4.5.3).
_WRITE_COMMAND_HEADER = 3


async def discover(
    peer: Peer, wanted: set[str] | None, mtu: Callable[[], int]
) -> BleakGATTServiceCollection:
    """Discover services, characteristics and descriptors.

    Args:
        peer: the other end.
        wanted: UUIDs of the services to look at; all if none are named.
        mtu: the ATT MTU of the moment.
    """
    found = BleakGATTServiceCollection()
    for service_proxy in await peer.discover_services():
        if not wanted or uuid_text(service_proxy.uuid) in wanted:
            await _add_service(found, service_proxy, mtu)
    return found


async def _add_service(
    found: BleakGATTServiceCollection, proxy: ServiceProxy, mtu: Callable[[], int]
) -> None:
    service = BleakGATTService(proxy, proxy.handle, uuid_text(proxy.uuid))
    found.add_service(service)
    for characteristic_proxy in await proxy.discover_characteristics():
        characteristic = BleakGATTCharacteristic(
            characteristic_proxy,
            characteristic_proxy.handle,
            uuid_text(characteristic_proxy.uuid),
            sorted(gatt_char_props_to_strs(int(characteristic_proxy.properties))),
            lambda: mtu() - _WRITE_COMMAND_HEADER,
            service,
        )
        found.add_characteristic(characteristic)
        await _add_descriptors(found, characteristic_proxy, characteristic)


async def _add_descriptors(
    found: BleakGATTServiceCollection,
    proxy: CharacteristicProxy[bytes],
    characteristic: BleakGATTCharacteristic,
) -> None:
    for descriptor in await proxy.discover_descriptors():
        found.add_descriptor(
            BleakGATTDescriptor(
                descriptor, descriptor.handle, uuid_text(descriptor.type), characteristic
            )
        )
