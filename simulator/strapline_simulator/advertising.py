"""What a strap says about itself to whoever scans."""

from __future__ import annotations

from typing import Final

from bumble.core import AdvertisingData

from strapline_simulator import uuids
from strapline_simulator.gatt_names import bumble_uuid
from strapline_simulator.profiles import Profile

#: General discoverable, no BR/EDR (Core specification supplement, part A, 1.3).
_FLAGS: Final = b"\x06"


#: A legacy advertisement holds 31 bytes; a structure's header takes two of them.
_ROOM: Final = 31
_HEADER: Final = 2


def advertisement(profile: Profile) -> bytes:
    """Services offered, as many as there is room for; the name does not fit beside them."""
    offered = [uuids.HEART_RATE_SERVICE] if profile.heart_rate else []
    offered += [uuids.MOTION_SERVICE] if profile.steps else []
    offered += [twin.service for twin in profile.twins]
    services = [bumble_uuid(uuid).to_bytes() for uuid in dict.fromkeys(offered)]
    structures = [(AdvertisingData.FLAGS, _FLAGS)]
    for kind, width in (
        (AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, 2),
        (AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, 16),
    ):
        room = _ROOM - len(bytes(AdvertisingData(structures))) - _HEADER
        wanted = [service for service in services if len(service) == width]
        fitting = b"".join(wanted[: max(0, room // width)])
        if fitting:
            structures.append((kind, fitting))
    return bytes(AdvertisingData(structures))


def scan_response(profile: Profile) -> bytes:
    """The name, for those who ask."""
    return bytes(AdvertisingData([(AdvertisingData.COMPLETE_LOCAL_NAME, profile.name.encode())]))
