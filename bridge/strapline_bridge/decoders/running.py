"""RSC Measurement, 2A53 (Running Speed and Cadence Service 1.0, section 3.1)."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from strapline_bridge.decoders.errors import UndecodableError
from strapline_bridge.readings import NO_COLUMNS, Reading, make_reading

CHARACTERISTIC: Final = "00002a53-0000-1000-8000-00805f9b34fb"
SERVICE: Final = "00001814-0000-1000-8000-00805f9b34fb"

_STRIDE_PRESENT: Final = 0x01
_DISTANCE_PRESENT: Final = 0x02
_RUNNING: Final = 0x04
_OPTIONAL: Final = _STRIDE_PRESENT | _DISTANCE_PRESENT

#: By the two flags of what is optional: reads speed, cadence and, where it is there, distance,
#: and raises where a field that they announce is cut off.
_READ: Final = tuple(struct.Struct(f"<xHB{more}").unpack_from for more in ("", "2x", "I", "2xI"))


class RunningMeasurement(NamedTuple):
    """All fields; ``None`` for one that was not sent. ``distance_dm`` is a running total."""

    speed_256: int
    cadence: int
    running: bool
    stride_cm: int | None
    distance_dm: int | None


def parse(value: bytes) -> RunningMeasurement:
    """Little-endian: flags u8; speed u16, 1/256 m/s; cadence u8, steps a minute; stride u16 cm
    with bit 0; distance u32, 0.1 m, with bit 1. Bit 2: running, else walking. Bytes that no flag
    announces are not read.

    Raises:
        UndecodableError: a field is cut off or missing.
    """
    try:
        flags = value[0]
        numbers = _READ[flags & _OPTIONAL](value)
    except (IndexError, struct.error):
        raise _cut_off(value) from None
    stride = value[4] | value[5] << 8 if flags & _STRIDE_PRESENT else None
    distance = numbers[2] if flags & _DISTANCE_PRESENT else None
    return RunningMeasurement(numbers[0], numbers[1], flags & _RUNNING != 0, stride, distance)


def decode(value: bytes) -> Reading:
    """Speed in m/s, with cadence in steps a minute and, where it was sent, the total distance in m.

    Raises:
        UndecodableError: as :func:`parse`.
    """
    try:
        flags = value[0]
        numbers = _READ[flags & _OPTIONAL](value)
    except (IndexError, struct.error):
        raise _cut_off(value) from None
    cadence = make_reading(("cadence", numbers[1], NO_COLUMNS, (), (), ""))
    also: tuple[Reading, ...] = (cadence,)
    if flags & _DISTANCE_PRESENT:
        also = (cadence, make_reading(("distance", numbers[2] / 10, NO_COLUMNS, (), (), "")))
    return make_reading(("speed", numbers[0] / 256, NO_COLUMNS, (), also, ""))


def _cut_off(value: bytes) -> UndecodableError:
    """What to raise for a value that is shorter than its flags say."""
    if len(value) < 4:
        reason = "shorter than flags, speed and cadence"
    elif value[0] & _STRIDE_PRESENT and len(value) < 6:
        reason = "the stride length is cut off"
    else:
        reason = "the distance is cut off"
    return UndecodableError(CHARACTERISTIC, value, reason)
