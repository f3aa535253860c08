"""Translates between bumble's names and bleak's: addresses, UUIDs, advertisements."""

from __future__ import annotations

import uuid
from typing import Final

from bleak.backends.scanner import AdvertisementData
from bumble import core, hci
from bumble.core import AdvertisingData
from bumble.device import Advertisement

from strapline_simulator.uuids import assigned_number

_UUID_LISTS: Final = {
    AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS: 2,
    AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS: 2,
    AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS: 16,
    AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS: 16,
}


def address_text(address: hci.Address) -> str:
    """An address as bleak shows it on Linux: ``C0:DE:00:00:00:01``."""
    return address.to_string(with_type_qualifier=False)


def uuid_text(short_or_long: core.UUID) -> str:
    """128 bits, lower case."""
    return str(uuid.UUID(bytes=bytes(reversed(short_or_long.to_bytes(force_128=True)))))


def bumble_uuid(text: str) -> core.UUID:
    """A UUID in the form in which it goes over the air: assigned numbers have 16 bits."""
    number = assigned_number(text)
    return core.UUID(text if number is None else number)


def advertisement_data(advertisement: Advertisement) -> AdvertisementData:
    """Read the structures of an advertisement (Core specification supplement, part A, 1)."""
    name: str | None = None
    manufacturer_data: dict[int, bytes] = {}
    service_uuids: dict[str, None] = {}
    for ad_type, data in advertisement.data.ad_structures:
        if ad_type in (AdvertisingData.COMPLETE_LOCAL_NAME, AdvertisingData.SHORTENED_LOCAL_NAME):
            name = data.decode("utf-8", "replace")
        elif ad_type == AdvertisingData.MANUFACTURER_SPECIFIC_DATA:
            manufacturer_data[int.from_bytes(data[:2], "little")] = bytes(data[2:])
        elif (width := _UUID_LISTS.get(ad_type)) is not None:
            for start in range(0, len(data) - width + 1, width):
                item = core.UUID.from_bytes(data[start : start + width])
                service_uuids[uuid_text(item)] = None
    return AdvertisementData(
        local_name=name,
        manufacturer_data=manufacturer_data,
        service_data={},
        service_uuids=list(service_uuids),
        tx_power=None,
        rssi=advertisement.rssi,
        platform_data=(advertisement,),
    )
