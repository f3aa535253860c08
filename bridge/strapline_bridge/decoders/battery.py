"""Battery Level, 2A19 (Battery Service 1.0, section 3.1)."""

from __future__ import annotations

from typing import Final

from strapline_bridge.decoders.errors import UndecodableError
from strapline_bridge.readings import NO_COLUMNS, Reading, make_reading

CHARACTERISTIC: Final = "00002a19-0000-1000-8000-00805f9b34fb"
SERVICE: Final = "0000180f-0000-1000-8000-00805f9b34fb"


def decode(value: bytes) -> Reading:
    """The charge in percent: one u8, 0 to 100.

    Raises:
        UndecodableError: not one byte, or over 100.
    """
    if len(value) != 1:
        raise UndecodableError(CHARACTERISTIC, value, "a battery level is one byte")
    percent = value[0]
    if percent > 100:
        raise UndecodableError(CHARACTERISTIC, value, "a battery level over 100 %")
    return make_reading(("battery", percent, NO_COLUMNS, (), (), ""))
