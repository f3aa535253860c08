"""The services and characteristics that a virtual strap offers, as 128 bits in lower case."""

from __future__ import annotations

from typing import Final

_BASE_SUFFIX: Final = "-0000-1000-8000-00805f9b34fb"


def _assigned(short: int) -> str:
    """Expand a number assigned by the Bluetooth SIG (Core specification, Vol 3, Part B, 2.5.1)."""
    return f"0000{short:04x}{_BASE_SUFFIX}"


HEART_RATE_SERVICE: Final = _assigned(0x180D)
HEART_RATE_MEASUREMENT: Final = _assigned(0x2A37)
BODY_SENSOR_LOCATION: Final = _assigned(0x2A38)
HEART_RATE_CONTROL_POINT: Final = _assigned(0x2A39)

BATTERY_SERVICE: Final = _assigned(0x180F)
BATTERY_LEVEL: Final = _assigned(0x2A19)

DEVICE_INFORMATION_SERVICE: Final = _assigned(0x180A)
MANUFACTURER_NAME: Final = _assigned(0x2A29)
MODEL_NUMBER: Final = _assigned(0x2A24)
SERIAL_NUMBER: Final = _assigned(0x2A25)
FIRMWARE_REVISION: Final = _assigned(0x2A26)

RUNNING_SERVICE: Final = _assigned(0x1814)
RUNNING_MEASUREMENT: Final = _assigned(0x2A53)
RUNNING_FEATURE: Final = _assigned(0x2A54)

FITNESS_MACHINE_SERVICE: Final = _assigned(0x1826)
STEP_CLIMBER_DATA: Final = _assigned(0x2ACF)

ACTIVITY_MONITOR_SERVICE: Final = _assigned(0x183E)
ACTIVITY_SUMMARY: Final = _assigned(0x2B40)

HUAMI_SERVICE: Final = _assigned(0xFEE0)
HUAMI_STEPS: Final = "00000007-0000-3512-2118-0009af100700"

# InfiniTime's motion service (doc/MotionService.md of the firmware).
MOTION_SERVICE: Final = "00030000-78fc-48fe-8e23-433b3a1942d0"
STEP_COUNT: Final = "00030001-78fc-48fe-8e23-433b3a1942d0"


def assigned_number(uuid: str) -> int | None:
    """The 16-bit number that the Bluetooth SIG assigned, if this UUID is such a number."""
    return int(uuid[:8], 16) if uuid.startswith("0000") and uuid.endswith(_BASE_SUFFIX) else None
