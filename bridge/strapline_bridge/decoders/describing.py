"""What a wearable says of itself: body location, features, make (GATT, no measurement).

Each ``decode`` turns bytes into a text or a record and raises :class:`UndecodableError` for what
the format does not allow.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from strapline_bridge.decoders.errors import UndecodableError

HEART_RATE_SERVICE: Final = "0000180d-0000-1000-8000-00805f9b34fb"
INFORMATION_SERVICE: Final = "0000180a-0000-1000-8000-00805f9b34fb"
RUNNING_SERVICE: Final = "00001814-0000-1000-8000-00805f9b34fb"

BODY_LOCATION: Final = "00002a38-0000-1000-8000-00805f9b34fb"
RUNNING_FEATURES: Final = "00002a54-0000-1000-8000-00805f9b34fb"
SYSTEM_ID: Final = "00002a23-0000-1000-8000-00805f9b34fb"
MODEL: Final = "00002a24-0000-1000-8000-00805f9b34fb"
SERIAL_NUMBER: Final = "00002a25-0000-1000-8000-00805f9b34fb"
FIRMWARE: Final = "00002a26-0000-1000-8000-00805f9b34fb"
HARDWARE: Final = "00002a27-0000-1000-8000-00805f9b34fb"
SOFTWARE: Final = "00002a28-0000-1000-8000-00805f9b34fb"
MAKER: Final = "00002a29-0000-1000-8000-00805f9b34fb"
PNP_ID: Final = "00002a50-0000-1000-8000-00805f9b34fb"

#: An attribute's value ends here (Core specification, Vol 3, Part F, 3.2.9).
_LONGEST_TEXT: Final = 512
#: What is shown of one; longer ones are cut.
_SHOWN: Final = 64
#: So many digits in a row, decimal or hexadecimal, are taken for a serial number, whatever the
#: field is called: a revision that is a date or a hash is lost with them.
_SERIAL: Final = re.compile(r"[0-9]{6}|(?=[0-9a-f]*[0-9])[0-9a-f]{8}", re.IGNORECASE)

#: By the number on the wire (GATT specification supplement, Body Sensor Location).
LOCATIONS: Final = ("other", "chest", "wrist", "finger", "hand", "earLobe", "foot")


class RunningFeatures(NamedTuple):
    """What a speed and cadence sensor can do, as its bits 0 to 4 say."""

    stride: bool
    distance: bool
    walking_or_running: bool
    calibration: bool
    several_locations: bool


class PnpId(NamedTuple):
    """Who made a device, by number."""

    source: int
    vendor: int
    product: int
    version: int


class SystemId(NamedTuple):
    """A number that is made from the device's address, and is therefore not shown."""

    size_bytes: int


@dataclass(frozen=True, slots=True)
class Description:
    """One thing that a wearable says of itself.

    Attributes:
        field: its name in :class:`strapline_protocol.publishing.DeviceAbout`; ``None`` for what
            never leaves this machine. The radio does not even ask for that.
        decode: bytes to text or record; raises :class:`UndecodableError`.
    """

    characteristic: str
    service: str
    name: str
    decode: Callable[[bytes], str | tuple[object, ...]]
    field: str | None = None


def body_location(value: bytes) -> str:
    """Where it is worn, a word of :data:`LOCATIONS`: one u8.

    Raises:
        UndecodableError: not one byte, or a number that is reserved.
    """
    if len(value) != 1:
        raise UndecodableError(BODY_LOCATION, value, "a body location is one byte")
    if value[0] >= len(LOCATIONS):
        raise UndecodableError(BODY_LOCATION, value, "a location that is reserved")
    return LOCATIONS[value[0]]


def running_features(value: bytes) -> RunningFeatures:
    """RSC Feature (Running Speed and Cadence Service 1.0, 3.2): a u16 of bits.

    Raises:
        UndecodableError: not two bytes.
    """
    if len(value) != 2:
        raise UndecodableError(RUNNING_FEATURES, value, "the features are two bytes")
    return RunningFeatures(*(bool(value[0] & 1 << bit) for bit in range(5)))


def pnp_id(value: bytes) -> PnpId:
    """PnP ID (Device Information Service 1.1, 3.9): u8, then three u16, little-endian.

    Raises:
        UndecodableError: not seven bytes.
    """
    if len(value) != 7:
        raise UndecodableError(PNP_ID, value, "a PnP ID is seven bytes")
    vendor, product, version = (value[at] | value[at + 1] << 8 for at in (1, 3, 5))
    return PnpId(value[0], vendor, product, version)


def system_id(value: bytes) -> SystemId:
    """System ID (Device Information Service 1.1, 3.8): eight bytes.

    Raises:
        UndecodableError: not eight bytes.
    """
    if len(value) != 8:
        raise UndecodableError(SYSTEM_ID, value, "a system ID is eight bytes")
    return SystemId(len(value))


def _text_of(characteristic: str) -> Callable[[bytes], str]:
    """A text in UTF-8, up to the first NUL (Device Information Service 1.1, 3.1 to 3.6)."""

    def decode(value: bytes) -> str:
        if len(value) > _LONGEST_TEXT:
            raise UndecodableError(characteristic, value, "longer than a value can be")
        try:
            return value.partition(b"\0")[0].decode("utf-8").strip()
        except UnicodeDecodeError:
            raise UndecodableError(characteristic, value, "not UTF-8") from None

    return decode


def shareable(text: str) -> str | None:
    """What of a wearable's text may be passed on: printable, cut, ``None`` if it tells which one.

    Some makers put the serial number into model or revision.
    """
    kept = "".join(one for one in text if unicodedata.category(one)[0] not in "CZ" or one == " ")
    if not kept.strip() or _SERIAL.search(kept):
        return None
    return kept.strip()[:_SHOWN]


def _text(characteristic: str, name: str, field: str | None = None) -> Description:
    return Description(characteristic, INFORMATION_SERVICE, name, _text_of(characteristic), field)


#: By characteristic UUID.
DESCRIPTIONS: Final[Mapping[str, Description]] = MappingProxyType(
    {
        one.characteristic: one
        for one in (
            Description(
                BODY_LOCATION,
                HEART_RATE_SERVICE,
                "body sensor location",
                body_location,
                "body_location",
            ),
            _text(MODEL, "model number", "model"),
            _text(FIRMWARE, "firmware revision", "firmware"),
            _text(HARDWARE, "hardware revision", "hardware"),
            _text(SOFTWARE, "software revision", "software"),
            _text(MAKER, "manufacturer name"),
            _text(SERIAL_NUMBER, "serial number"),
            Description(SYSTEM_ID, INFORMATION_SERVICE, "system id", system_id),
            Description(PNP_ID, INFORMATION_SERVICE, "pnp id", pnp_id),
            Description(RUNNING_FEATURES, RUNNING_SERVICE, "rsc feature", running_features),
        )
    }
)
