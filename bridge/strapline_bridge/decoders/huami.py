"""Steps of Mi Band and Amazfit, 00000007 of FEE0 (no specification; captures, Gadgetbridge)."""

from __future__ import annotations

from typing import Final, NamedTuple

from strapline_bridge.decoders.errors import UndecodableError
from strapline_bridge.readings import NO_COLUMNS, Reading

CHARACTERISTIC: Final = "00000007-0000-3512-2118-0009af100700"
SERVICE: Final = "0000fee0-0000-1000-8000-00805f9b34fb"

_DISTANCE_PRESENT: Final = 0x04
_CALORIES_PRESENT: Final = 0x08
_KNOWN: Final = _DISTANCE_PRESENT | _CALORIES_PRESENT


class DayActivity(NamedTuple):
    """Since the band's midnight; ``None`` for what was not sent."""

    steps: int
    distance_m: int | None
    calories_kcal: int | None


def parse(value: bytes) -> DayActivity:
    """Little-endian: flags u8; steps u16; two bytes that were 0 in every capture; distance u32 m
    with bit 2; calories u32 kcal with bit 3.

    Raises:
        UndecodableError: not as long as its flags say, or with a flag that no capture shows.
    """
    size = len(value)
    if size < 5:
        raise UndecodableError(CHARACTERISTIC, value, "shorter than flags and steps")
    flags = value[0]
    if flags & ~_KNOWN:
        raise UndecodableError(CHARACTERISTIC, value, "a flag that is not known")
    distance = calories = None
    at = 5
    if flags & _DISTANCE_PRESENT:
        distance = int.from_bytes(value[at : at + 4], "little")
        at += 4
    if flags & _CALORIES_PRESENT:
        calories = int.from_bytes(value[at : at + 4], "little")
        at += 4
    if size != at:
        raise UndecodableError(CHARACTERISTIC, value, f"its flags say {at} bytes")
    return DayActivity(value[1] | value[2] << 8, distance, calories)


def decode(value: bytes) -> Reading:
    """The steps since the band's midnight, with the distance in m where it was sent.

    The count is read as u16. Were it wider, the differences would be right all the same, since
    a field that is full counts as one that wrapped.

    Raises:
        UndecodableError: as :func:`parse`.
    """
    activity = parse(value)
    also: tuple[Reading, ...] = ()
    if activity.distance_m is not None:
        also = (Reading("distance", activity.distance_m, NO_COLUMNS),)
    return Reading("steps", activity.steps, NO_COLUMNS, (), also)
