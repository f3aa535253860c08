"""Encoders: what a strap puts on the air, byte for byte."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntFlag
from typing import Final

U8_MAX: Final = 0xFF
U16_MAX: Final = 0xFFFF
U24_MAX: Final = 0xFF_FFFF
U32_MAX: Final = 0xFFFF_FFFF

#: RR intervals travel in units of 1/1024 s (Heart Rate Service 1.0, 3.1.1.4).
RR_UNITS_PER_S: Final = 1024


class HeartRateFlag(IntFlag):
    """Flags of the Heart Rate Measurement (GATT specification supplement, 3.113)."""

    RATE_IS_U16 = 0x01
    CONTACT_DETECTED = 0x02
    CONTACT_SUPPORTED = 0x04
    ENERGY_PRESENT = 0x08
    RR_PRESENT = 0x10


def _checked(name: str, value: int, maximum: int) -> int:
    if not 0 <= value <= maximum:
        raise ValueError(f"{name} is {value}: give a value from 0 to {maximum}")
    return value


def rr_units(interval_ms: float) -> int:
    """Round an interval to the unit of the wire, 1/1024 s."""
    return _checked("RR interval", round(interval_ms * RR_UNITS_PER_S / 1000), U16_MAX)


def heart_rate_measurement(
    bpm: int,
    *,
    rr: Iterable[int] = (),
    contact: bool | None = None,
    energy_kj: int | None = None,
) -> bytes:
    """Encode a Heart Rate Measurement (2A37).

    Args:
        bpm: the rate; 0 says that there is none. Above 255 it takes two bytes.
        rr: intervals in units of 1/1024 s, oldest first.
        contact: whether skin is felt; ``None`` says that the strap cannot tell.
        energy_kj: kilojoules since the last reset.

    Raises:
        ValueError: a field does not fit its width.
    """
    flags = HeartRateFlag(0)
    body = b""
    if _checked("heart rate in bpm", bpm, U16_MAX) > U8_MAX:
        flags |= HeartRateFlag.RATE_IS_U16
        body += struct.pack("<H", bpm)
    else:
        body += struct.pack("<B", bpm)
    if contact is not None:
        flags |= HeartRateFlag.CONTACT_SUPPORTED
        if contact:
            flags |= HeartRateFlag.CONTACT_DETECTED
    if energy_kj is not None:
        flags |= HeartRateFlag.ENERGY_PRESENT
        body += struct.pack("<H", _checked("energy in kJ", energy_kj, U16_MAX))
    for interval in rr:
        flags |= HeartRateFlag.RR_PRESENT
        body += struct.pack("<H", _checked("RR interval in 1/1024 s", interval, U16_MAX))
    return bytes([flags]) + body


def battery_level(percent: int) -> bytes:
    """Encode a Battery Level (2A19).

    Raises:
        ValueError: the level is not a percentage.
    """
    return bytes([_checked("battery level in percent", percent, 100)])


def step_count(total: int) -> bytes:
    """Encode InfiniTime's count of the steps of today.

    Raises:
        ValueError: the total does not fit 32 bits.
    """
    return struct.pack("<I", _checked("step count", total, U32_MAX))


def running_measurement(
    speed_256: int, cadence: int, *, running: bool = False, distance_dm: int | None = None
) -> bytes:
    """Encode an RSC Measurement (2A53).

    Args:
        speed_256: in 1/256 m/s.
        cadence: steps a minute.
        running: rather than walking.
        distance_dm: the total so far, in 0.1 m; a sensor that cannot tell sends none.

    Raises:
        ValueError: a field does not fit its width.
    """
    flags = 0x04 if running else 0
    body = struct.pack(
        "<HB",
        _checked("speed in 1/256 m/s", speed_256, U16_MAX),
        _checked("cadence in steps a minute", cadence, U8_MAX),
    )
    if distance_dm is not None:
        flags |= 0x02
        body += struct.pack("<I", _checked("distance in 0.1 m", distance_dm, U32_MAX))
    return bytes([flags]) + body


def running_feature(*, distance: bool, walking_or_running: bool) -> bytes:
    """Encode an RSC Feature (2A54)."""
    return struct.pack("<H", (0x02 if distance else 0) | (0x04 if walking_or_running else 0))


def step_climber_data(floors: int, steps: int, steps_per_min: int) -> bytes:
    """Encode Step Climber Data (2ACF).

    Raises:
        ValueError: a field does not fit its width.
    """
    return struct.pack(
        "<HHHH",
        0x0002,
        _checked("floors", floors, U16_MAX),
        _checked("steps", steps, U16_MAX),
        _checked("steps a minute", steps_per_min, U16_MAX),
    )


def activity_summary(session: int, sub_session: int, sequence: int, walking_steps: int) -> bytes:
    """Encode a Step Counter Activity Summary (2B40) of one segment with walking steps alone.

    Raises:
        ValueError: a field does not fit its width.
    """
    heading = struct.pack(
        "<BBHHII",
        0x80,
        0x01,
        _checked("session", session, U16_MAX),
        _checked("sub-session", sub_session, U16_MAX),
        0,
        _checked("sequence", sequence, U32_MAX),
    )
    return heading + _checked("walking steps", walking_steps, U24_MAX).to_bytes(3, "little")


def day_activity(steps: int, distance_m: int, calories_kcal: int) -> bytes:
    """Encode the steps of a Mi Band or Amazfit, in the long form.

    Raises:
        ValueError: a field does not fit its width.
    """
    return struct.pack(
        "<BHHII",
        0x0C,
        _checked("steps", steps, U16_MAX),
        0,
        _checked("distance in m", distance_m, U32_MAX),
        _checked("calories in kcal", calories_kcal, U32_MAX),
    )
