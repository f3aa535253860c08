"""What a strap says about itself to whoever scans."""

from __future__ import annotations

from typing import Final

from bumble.core import AdvertisingData

from strapline_simulator import uuids
from strapline_simulator.gatt_names import bumble_uuid
from strapline_simulator.profiles import Profile

#: General discoverable, no BR/EDR (Core specification supplement, part A, 1.3).
_FLAGS: Final = b"\x06"


def advertisement(profile: Profile) -> bytes:
    """Services offered; the name does not fit beside a 128-bit UUID."""
    structures = [(AdvertisingData.FLAGS, _FLAGS)]
    if profile.heart_rate:
        service = bumble_uuid(uuids.HEART_RATE_SERVICE).to_bytes()
        structures.append((AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, service))
    if profile.steps:
        service = bumble_uuid(uuids.MOTION_SERVICE).to_bytes()
        structures.append((AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, service))
    return bytes(AdvertisingData(structures))


def scan_response(profile: Profile) -> bytes:
    """The name, for those who ask."""
    return bytes(AdvertisingData([(AdvertisingData.COMPLETE_LOCAL_NAME, profile.name.encode())]))
