"""Step Climber Data, 2ACF (Fitness Machine Service 1.0.1, section 4.6)."""

from __future__ import annotations

from typing import Final, NamedTuple

from strapline_bridge.decoders.errors import UndecodableError
from strapline_bridge.readings import NO_COLUMNS, Reading, make_reading

CHARACTERISTIC: Final = "00002acf-0000-1000-8000-00805f9b34fb"
SERVICE: Final = "00001826-0000-1000-8000-00805f9b34fb"

#: Set: floors and steps come in another notification of the same record.
_MORE_DATA: Final = 0x0001
_STEPS_PER_MIN: Final = 0x0002
#: After floors and steps, in this order: the flag, and the widths of its fields in bytes.
_OPTIONAL: Final = (
    (_STEPS_PER_MIN, (2,)),
    (0x0004, (2,)),
    (0x0008, (2,)),
    (0x0010, (2, 2, 1)),
    (0x0020, (1,)),
    (0x0040, (1,)),
    (0x0080, (2,)),
    (0x0100, (2,)),
)
#: All flags that announce or withhold something.
_KNOWN: Final = 0x01FF
#: "Not available", by width in bytes, of the fields that know it (energy).
_ENERGY: Final = 0x0010
_NOT_AVAILABLE: Final = {2: 0xFFFF, 1: 0xFF}


def _size_of(flags: int) -> int:
    announced = sum(sum(widths) for flag, widths in _OPTIONAL if flags & flag)
    return (2 if flags & _MORE_DATA else 6) + announced


#: By the known flags: how many bytes they announce in all.
_SIZES: Final = tuple(map(_size_of, range(_KNOWN + 1)))


class StepClimberData(NamedTuple):
    """All fields; ``None`` for one that was not sent or that the machine does not know.

    ``floors``, ``steps``, ``elevation_m`` and ``energy_kcal`` are totals of this workout.
    """

    floors: int | None
    steps: int | None
    steps_per_min: int | None
    average_steps_per_min: int | None
    elevation_m: int | None
    energy_kcal: int | None
    energy_kcal_per_h: int | None
    energy_kcal_per_min: int | None
    heart_rate_bpm: int | None
    met_x10: int | None
    elapsed_s: int | None
    remaining_s: int | None


def parse(value: bytes) -> StepClimberData:
    """Little-endian: flags u16; floors u16 and steps u16 where bit 0 is not set; steps a minute,
    their average and the elevation, u16 each, with bits 1 to 3; energy u16, u16 an hour and u8 a
    minute with bit 4; heart rate u8, metabolic equivalent u8, elapsed and remaining time u16,
    with bits 5 to 8. Bytes that no flag announces are not read.

    Raises:
        UndecodableError: a field that the flags announce is cut off or missing.
    """
    if len(value) < 2 or len(value) < _SIZES[(value[0] | value[1] << 8) & _KNOWN]:
        raise _cut_off(value)
    flags = value[0] | value[1] << 8
    fields: list[int | None] = [None, None]
    at = 2
    if not flags & _MORE_DATA:
        fields = [value[2] | value[3] << 8, value[4] | value[5] << 8]
        at = 6
    for flag, widths in _OPTIONAL:
        if not flags & flag:
            fields += [None] * len(widths)
            continue
        for width in widths:
            number = int.from_bytes(value[at : at + width], "little")
            at += width
            unknown = flag == _ENERGY and number == _NOT_AVAILABLE[width]
            fields.append(None if unknown else number)
    return StepClimberData(*fields)


def decode(value: bytes) -> Reading:
    """The steps of this workout, with floors and cadence where they were sent.

    Raises:
        UndecodableError: as :func:`parse`.
    """
    size = len(value)
    if size < 2 or size < _SIZES[(value[0] | value[1] << 8) & _KNOWN]:
        raise _cut_off(value)
    # Floors, steps and cadence stand first, if at all: nothing behind them needs reading.
    flags, at = value[0], 2
    steps: int | None = None
    also: tuple[Reading, ...] = ()
    if not flags & _MORE_DATA:
        floors = value[2] | value[3] << 8
        steps = value[4] | value[5] << 8
        also = (make_reading(("floors", floors, NO_COLUMNS, (), (), "")),)
        at = 6
    if flags & _STEPS_PER_MIN:
        cadence = value[at] | value[at + 1] << 8
        also = (*also, make_reading(("cadence", cadence, NO_COLUMNS, (), (), "")))
    return make_reading(("steps", steps, NO_COLUMNS, (), also, ""))


def _cut_off(value: bytes) -> UndecodableError:
    """What to raise for a value that is shorter than its flags say."""
    if len(value) < 2:
        reason = "shorter than its flags"
    elif not value[0] & _MORE_DATA and len(value) < 6:
        reason = "floors and steps are cut off"
    else:
        reason = "a field of its flags is cut off"
    return UndecodableError(CHARACTERISTIC, value, reason)
