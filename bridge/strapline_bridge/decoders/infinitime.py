"""InfiniTime's step count, 00030001 of its motion service (InfiniTime ``doc/MotionService.md``)."""

from __future__ import annotations

from typing import Final

from strapline_bridge.decoders.errors import UndecodableError
from strapline_bridge.readings import NO_COLUMNS, Reading

CHARACTERISTIC: Final = "00030001-78fc-48fe-8e23-433b3a1942d0"
SERVICE: Final = "00030000-78fc-48fe-8e23-433b3a1942d0"


def decode(value: bytes) -> Reading:
    """The steps since the watch's midnight: one u32, little-endian.

    Raises:
        UndecodableError: not four bytes.
    """
    if len(value) != 4:
        raise UndecodableError(CHARACTERISTIC, value, "a step count is four bytes")
    return Reading("steps", int.from_bytes(value, "little"), NO_COLUMNS)
