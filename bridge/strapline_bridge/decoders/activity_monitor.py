"""Step Counter Activity Summary Data, 2B40 (Physical Activity Monitor Service 1.0). Provisional.

No device that sends it was found. The layout follows two independent implementations and the
order of the flags; the units of distance and worn time are not confirmed and are shown raw.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from strapline_bridge.decoders.errors import UndecodableError
from strapline_bridge.readings import NO_COLUMNS, Reading

CHARACTERISTIC: Final = "00002b40-0000-1000-8000-00805f9b34fb"
SERVICE: Final = "0000183e-0000-1000-8000-00805f9b34fb"

_FIRST_SEGMENT: Final = 0x80
_SEGMENTS_LEFT: Final = 0x3F
_HEADING_BYTES: Final = 14
_FIELD_BYTES: Final = 3
_FIELDS: Final = (0x01, 0x02, 0x04, 0x08, 0x10)


class ActivitySummary(NamedTuple):
    """All fields; ``None`` for one that was not sent."""

    header: int
    flags: int
    session: int
    sub_session: int
    relative_time: int
    sequence: int
    walking_steps: int | None
    intensity_steps: int | None
    floor_steps: int | None
    distance_raw: int | None
    worn_duration_raw: int | None


def parse(value: bytes) -> ActivitySummary:
    """Little-endian: header u8 (bit 7 first segment, low bits segments left), flags u8, session
    and sub-session u16, relative time and sequence u32, then u24 for each flag in its order:
    walking, intensity and floor steps, distance, worn time.

    Raises:
        UndecodableError: cut off, or one part of a record that goes over several: it fits one
            when the link's MTU is 32 or more, as it is on every system that we know.
    """
    if len(value) < _HEADING_BYTES:
        raise UndecodableError(CHARACTERISTIC, value, "shorter than its heading")
    header, flags = value[0], value[1]
    if not header & _FIRST_SEGMENT or header & _SEGMENTS_LEFT:
        raise UndecodableError(CHARACTERISTIC, value, "one segment of a record in several")
    at = _HEADING_BYTES
    counts: list[int | None] = []
    for flag in _FIELDS:
        if not flags & flag:
            counts.append(None)
            continue
        if len(value) < at + _FIELD_BYTES:
            raise UndecodableError(CHARACTERISTIC, value, "a field of its flags is cut off")
        counts.append(int.from_bytes(value[at : at + _FIELD_BYTES], "little"))
        at += _FIELD_BYTES
    return ActivitySummary(
        header,
        flags,
        value[2] | value[3] << 8,
        value[4] | value[5] << 8,
        int.from_bytes(value[6:10], "little"),
        int.from_bytes(value[10:14], "little"),
        *counts,
    )


def decode(value: bytes) -> Reading:
    """The steps of this sub-session: walking, intensity and floor steps together.

    Session and sub-session name the count: each has totals of its own, from 0.

    Raises:
        UndecodableError: as :func:`parse`.
    """
    summary = parse(value)
    counts = (summary.walking_steps, summary.intensity_steps, summary.floor_steps)
    told = [count for count in counts if count is not None]
    total = sum(told) if told else None
    session = f"{summary.session}.{summary.sub_session}"
    return Reading("steps", total, NO_COLUMNS, (), (), session)
