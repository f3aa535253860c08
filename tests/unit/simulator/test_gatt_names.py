"""bumble's names become bleak's."""

from __future__ import annotations

from bumble.core import UUID, AdvertisingData
from bumble.device import Advertisement
from bumble.hci import Address

from strapline_simulator import uuids
from strapline_simulator.gatt_names import (
    address_text,
    advertisement_data,
    bumble_uuid,
    uuid_text,
)


def test_addresses() -> None:
    assert address_text(Address("C0:DE:00:00:00:0a")) == "C0:DE:00:00:00:0A"


def test_uuids_both_ways() -> None:
    for uuid in (uuids.HEART_RATE_MEASUREMENT, uuids.STEP_COUNT):
        assert uuid_text(bumble_uuid(uuid)) == uuid
    assert bumble_uuid(uuids.BATTERY_LEVEL) == UUID(0x2A19)
    assert len(bumble_uuid(uuids.BATTERY_LEVEL).to_bytes()) == 2


def test_an_advertisement() -> None:
    structures = [
        (AdvertisingData.FLAGS, b"\x06"),
        (AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, b"\x0d\x18\x0f\x18"),
        (AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, b"\x0d\x18"),
        (AdvertisingData.SHORTENED_LOCAL_NAME, "Ströp".encode()),
        (AdvertisingData.MANUFACTURER_SPECIFIC_DATA, b"\x6b\x00\x01\x02"),
    ]
    heard = Advertisement(
        address=Address("C0:DE:00:00:00:0A"),
        rssi=-71,
        data_bytes=bytes(AdvertisingData(structures)),
    )
    data = advertisement_data(heard)
    assert data.local_name == "Ströp"
    assert data.service_uuids == [uuids.HEART_RATE_SERVICE, uuids.BATTERY_SERVICE]
    assert data.manufacturer_data == {0x6B: b"\x01\x02"}
    assert data.rssi == -71


def test_a_broken_advertisement_is_read_as_far_as_it_goes() -> None:
    structures = [
        (AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, b"\x0d\x18\x0f"),
        (AdvertisingData.COMPLETE_LOCAL_NAME, b"\xff\xfe"),
    ]
    heard = Advertisement(
        address=Address("C0:DE:00:00:00:0A"), data_bytes=bytes(AdvertisingData(structures))
    )
    data = advertisement_data(heard)
    assert data.service_uuids == [uuids.HEART_RATE_SERVICE]
    assert data.local_name == "\ufffd\ufffd"
