"""UUIDs are as bleak writes them."""

from __future__ import annotations

import uuid

from bleak.uuids import normalize_uuid_16

from strapline_simulator import uuids


def test_they_are_what_bleak_uses() -> None:
    assert normalize_uuid_16(0x2A37) == uuids.HEART_RATE_MEASUREMENT
    for name, value in vars(uuids).items():
        if name.isupper() and not name.startswith("_"):
            assert value == str(uuid.UUID(value)), name


def test_assigned_numbers_are_told_from_others() -> None:
    assert uuids.assigned_number(uuids.BATTERY_LEVEL) == 0x2A19
    assert uuids.assigned_number(uuids.STEP_COUNT) is None
