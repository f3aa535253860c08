"""RSC Measurement, 2A53 (Running Speed and Cadence Service 1.0, section 3.1)."""

from __future__ import annotations

from typing import Final, NamedTuple

from strapline_bridge.decoders.errors import UndecodableError
from strapline_bridge.readings import NO_COLUMNS, Reading

CHARACTERISTIC: Final = "00002a53-0000-1000-8000-00805f9b34fb"
SERVICE: Final = "00001814-0000-1000-8000-00805f9b34fb"

_STRIDE_PRESENT: Final = 0x01
_DISTANCE_PRESENT: Final = 0x02
_RUNNING: Final = 0x04


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
    size = len(value)
    if size < 4:
        raise UndecodableError(CHARACTERISTIC, value, "shorter than flags, speed and cadence")
    flags = value[0]
    at = 4
    stride = distance = None
    if flags & _STRIDE_PRESENT:
        if size < 6:
            raise UndecodableError(CHARACTERISTIC, value, "the stride length is cut off")
        stride = value[4] | value[5] << 8
        at = 6
    if flags & _DISTANCE_PRESENT:
        if size < at + 4:
            raise UndecodableError(CHARACTERISTIC, value, "the distance is cut off")
        distance = int.from_bytes(value[at : at + 4], "little")
    running = flags & _RUNNING != 0
    return RunningMeasurement(value[1] | value[2] << 8, value[3], running, stride, distance)


def decode(value: bytes) -> Reading:
    """Speed in m/s, with cadence in steps a minute and, where it was sent, the total distance in m.

    Raises:
        UndecodableError: as :func:`parse`.
    """
    measured = parse(value)
    also: tuple[Reading, ...] = (Reading("cadence", measured.cadence, NO_COLUMNS),)
    if measured.distance_dm is not None:
        also = (*also, Reading("distance", measured.distance_dm / 10, NO_COLUMNS))
    return Reading("speed", measured.speed_256 / 256, NO_COLUMNS, (), also)
