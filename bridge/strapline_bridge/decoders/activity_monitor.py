"""Step Counter Activity Summary Data, 2B40 (Physical Activity Monitor Service 1.0). Provisional.

No device that sends it was found. The layout follows two independent implementations and the
order of the flags; the units of distance and worn time are not confirmed and are shown raw.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from strapline_bridge.decoders.errors import UndecodableError
from strapline_bridge.readings import NO_COLUMNS, Reading, make_reading

CHARACTERISTIC: Final = "00002b40-0000-1000-8000-00805f9b34fb"
SERVICE: Final = "0000183e-0000-1000-8000-00805f9b34fb"

_FIRST_SEGMENT: Final = 0x80
_SEGMENTS_LEFT: Final = 0x3F
_ONE_SEGMENT: Final = _FIRST_SEGMENT | _SEGMENTS_LEFT
_HEADING_BYTES: Final = 14
_FIELD_BYTES: Final = 3
_FIELDS: Final = (0x01, 0x02, 0x04, 0x08, 0x10)
_KNOWN: Final = 0x1F
#: The first three: walking, intensity and floor steps.
_STEPS: Final = 0x07

#: By the known flags: how many bytes they announce in all.
_SIZES: Final = tuple(
    _HEADING_BYTES + _FIELD_BYTES * flags.bit_count() for flags in range(_KNOWN + 1)
)
#: By the flags of steps: where the counts behind the first one begin.
_FURTHER_COUNTS: Final = tuple(
    tuple(range(_HEADING_BYTES + _FIELD_BYTES, size, _FIELD_BYTES)) for size in _SIZES[: _STEPS + 1]
)
#: Header, flags, session and sub-session.
_READ_HEADING: Final = struct.Struct("<BBHH8x").unpack_from


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
    if not _is_whole(value):
        raise _refusal(value)
    header, flags = value[0], value[1]
    at = _HEADING_BYTES
    counts: list[int | None] = []
    for flag in _FIELDS:
        if not flags & flag:
            counts.append(None)
            continue
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
    # What `parse` would make a record of is added up in place: the counts of steps stand first.
    try:
        header, flags, session, part = _READ_HEADING(value)
        if header & _ONE_SEGMENT != _FIRST_SEGMENT or len(value) < _SIZES[flags & _KNOWN]:
            raise _refusal(value)
    except struct.error:
        raise _refusal(value) from None
    total: int | None = None
    if told := flags & _STEPS:
        total = value[14] | value[15] << 8 | value[16] << 16
        for at in _FURTHER_COUNTS[told]:
            total += value[at] | value[at + 1] << 8 | value[at + 2] << 16
    return make_reading(("steps", total, NO_COLUMNS, (), (), f"{session}.{part}"))


def _is_whole(value: bytes) -> bool:
    """Whether it is a record in one segment, and all that its flags announce is there."""
    size = len(value)
    return (
        size >= _HEADING_BYTES
        and value[0] & _ONE_SEGMENT == _FIRST_SEGMENT
        and size >= _SIZES[value[1] & _KNOWN]
    )


def _refusal(value: bytes) -> UndecodableError:
    """What to raise for a value that is not whole."""
    if len(value) < _HEADING_BYTES:
        reason = "shorter than its heading"
    elif value[0] & _ONE_SEGMENT != _FIRST_SEGMENT:
        reason = "one segment of a record in several"
    else:
        reason = "a field of its flags is cut off"
    return UndecodableError(CHARACTERISTIC, value, reason)
