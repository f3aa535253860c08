"""Characteristics by any of their names, and all that a value says."""

from __future__ import annotations

import pytest

from strapline_bridge.decoders import DECODERS, DESCRIPTIONS, UndecodableError
from strapline_bridge.decoders.naming import (
    UnknownCharacteristicError,
    characteristic_named,
    meaning,
)

_RATE = "00002a37-0000-1000-8000-00805f9b34fb"


@pytest.mark.parametrize(
    "text",
    [
        "2A37",
        "0x2a37",
        " 2a37 ",
        _RATE,
        _RATE.upper(),
        "heart rate measurement",
        "Heart-Rate-Measurement",
        "heart_rate_measurement",
    ],
)
def test_one_characteristic_has_many_names(text: str) -> None:
    assert characteristic_named(text) == _RATE


def test_every_format_is_found_by_its_name() -> None:
    names = {uuid: known.name for uuid, known in DECODERS.items()}
    names |= {uuid: known.name for uuid, known in DESCRIPTIONS.items()}
    for uuid, name in names.items():
        assert characteristic_named(name) == characteristic_named(uuid) == uuid


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("heart rate measurment", "heart rate measurement"),
        ("2a99", "battery level, body sensor location"),
        ("12345678-9abc-def0-1234-56789abcdef0", "battery level"),
        ("zzz", "battery level"),
    ],
)
def test_an_unknown_one_is_told_what_is_near(text: str, told: str) -> None:
    with pytest.raises(UnknownCharacteristicError) as unknown:
        characteristic_named(text)
    assert told in unknown.value.remedy


def test_a_measurement_means_readings_and_fields() -> None:
    meant = meaning(characteristic_named("2a53"), bytes.fromhex("00010002"))
    assert [(one.metric, one.value) for one in meant.readings] == [
        ("speed", 1 / 256),
        ("cadence", 2),
    ]
    assert meant.fields["distance_dm"] is None
    assert meant.name == "rsc measurement"


def test_a_part_of_a_record_means_fields_alone() -> None:
    meant = meaning(characteristic_named("2acf"), bytes.fromhex("410050"))
    assert meant.readings == ()
    assert meant.fields["met_x10"] == 80


def test_a_text_is_a_text() -> None:
    assert meaning(characteristic_named("2a24"), b"H10").fields == {"text": "H10"}
    assert meaning(characteristic_named("2a54"), b"\x1f\0").fields["calibration"] is True


def test_what_means_nothing_says_why() -> None:
    with pytest.raises(UndecodableError, match="cut off"):
        meaning(_RATE, bytes.fromhex("0112"))
