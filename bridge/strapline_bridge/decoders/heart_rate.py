"""Heart Rate Measurement, 2A37 (Heart Rate Service 1.0, section 3.1)."""

from __future__ import annotations

from struct import Struct
from typing import Final

from strapline_bridge.decoders.errors import UndecodableError
from strapline_bridge.readings import NO_COLUMNS, Quality, Reading, make_reading

CHARACTERISTIC: Final = "00002a37-0000-1000-8000-00805f9b34fb"
SERVICE: Final = "0000180d-0000-1000-8000-00805f9b34fb"

_RATE_IS_U16: Final = 0x01
_CONTACT_DETECTED: Final = 0x02
_CONTACT_SUPPORTED: Final = 0x04
_ENERGY_PRESENT: Final = 0x08
_RR_PRESENT: Final = 0x10

#: Twenty seconds at 190 beats a minute: no wearable waits so long, and a series holds no more.
_MOST_RR: Final = 64
#: Reads so many intervals at once.
_READ_RR: Final = tuple(Struct(f"<{count}H").unpack_from for count in range(_MOST_RR + 1))

_FINE: Final[tuple[str, ...]] = ()
_ZERO: Final = (str(Quality.ZERO),)
_NO_CONTACT: Final = (str(Quality.NO_CONTACT),)
_NO_CONTACT_ZERO: Final = _NO_CONTACT + _ZERO


def decode(value: bytes) -> Reading:
    """The rate in bpm, with ``rr``, ``contact`` and ``energy_kj`` where they were sent.

    Little-endian: flags u8; rate u8, or u16 with bit 0; energy u16 kJ with bit 3; RR intervals
    u16 each, 1/1024 s, oldest first, with bit 4. Bit 2 says that contact can be felt, and only
    then bit 1 means anything. A rate of 0 is what wearables send when they measure nothing: it
    stays 0 and is marked. Bytes that no flag announces are not read.

    Raises:
        UndecodableError: a field that the flags announce is cut off or missing.
    """
    size = len(value)
    if size < 2:
        raise UndecodableError(CHARACTERISTIC, value, "shorter than flags and rate")
    flags = value[0]
    rate = value[1]
    at = 2
    if flags & _RATE_IS_U16:
        if size < 3:
            raise UndecodableError(CHARACTERISTIC, value, "a 16-bit rate is cut off")
        rate |= value[2] << 8
        at = 3
    columns: dict[str, object] = {}
    quality = _FINE if rate else _ZERO
    if flags & _CONTACT_SUPPORTED:
        if flags & _CONTACT_DETECTED:
            columns["contact"] = True
        else:
            columns["contact"] = False
            quality = _NO_CONTACT if rate else _NO_CONTACT_ZERO
    if flags & _ENERGY_PRESENT:
        if size < at + 2:
            raise UndecodableError(CHARACTERISTIC, value, "the energy is cut off")
        columns["energy_kj"] = value[at] | value[at + 1] << 8
        at += 2
    if flags & _RR_PRESENT:
        columns["rr"] = _intervals(value, at, size)
    return make_reading(("heart_rate", rate, columns or NO_COLUMNS, quality, (), ""))


def _intervals(value: bytes, at: int, size: int) -> list[int]:
    # A single byte behind the last whole interval is half of one: some stacks cut a packet at
    # the buffer's end. The whole intervals before it are as good as ever, so it alone is left.
    count = (size - at) // 2
    if count < 1:
        raise UndecodableError(CHARACTERISTIC, value, "RR intervals are announced, none is there")
    if count > _MOST_RR:
        raise UndecodableError(CHARACTERISTIC, value, f"more than {_MOST_RR} RR intervals")
    return list(_READ_RR[count](value, at))
