"""Every recorded value of the formats that are understood: exact, or refused with a reason."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from strapline_bridge.decoders import DECODERS, DESCRIPTIONS, UndecodableError
from strapline_bridge.decoders.describing import LOCATIONS
from strapline_bridge.readings import Reading

_FILE = Path(__file__).parents[2] / "data" / "characteristics.json"
_VECTORS: list[dict[str, Any]] = json.loads(_FILE.read_text())["values"]
_ASSIGNED = "-0000-1000-8000-00805f9b34fb"
_VENDORS = {
    "00030001-78fc": "00030001-78fc-48fe-8e23-433b3a1942d0",
    "FEE0/0007": "00000007-0000-3512-2118-0009af100700",
}
_VENDORS_BY_START = {"00030001-78fc": "00030001-78fc", "00000007-0000": "FEE0/0007"}
#: A source that differs from the specification: what the specification gives instead.
_BY_THE_SPECIFICATION: dict[str, dict[str, Any]] = {
    # The source calls bit 1 alone "supported, no contact"; bit 2 is what says supported.
    "0248": {"hr_bpm": 72, "contact": None},
    # The source refuses 21 bytes, since it assumes the smallest ATT_MTU.
    "19aa01bb01a101a201a301a401a501a601a701a801": {
        "hr_bpm": 426,
        "energy_kj": 443,
        "rr_1024": [417, 418, 419, 420, 421, 422, 423, 424],
    },
}


def _uuid(vector: dict[str, Any]) -> str:
    short = vector["characteristic"]
    return _VENDORS.get(short) or f"0000{short.lower()}{_ASSIGNED}"


def _meaning(uuid: str, raw: bytes) -> dict[str, Any]:
    """What the bytes mean, in the words of the vector file."""
    if uuid in DESCRIPTIONS:
        told = DESCRIPTIONS[uuid].decode(raw)
        if isinstance(told, str):
            return {"text": told, "location": LOCATIONS.index(told) if told in LOCATIONS else None}
        fields = told._asdict()  # type: ignore[attr-defined]  # all others are named tuples
        return {**fields, "features": sum(bit << at for at, bit in enumerate(told) if bit is True)}
    decoder = DECODERS[uuid]
    reading = decoder.decode(raw)
    if decoder.parse is not None:
        fields = decoder.parse(raw)._asdict()  # type: ignore[attr-defined]  # named tuples, too
        _agree(reading, fields)
        return {
            **fields,
            "speed_raw_256": fields.get("speed_256"),
            "avg_step_rate": fields.get("average_steps_per_min"),
            "energy_per_hour": fields.get("energy_kcal_per_h"),
            "energy_per_min": fields.get("energy_kcal_per_min"),
            "hr_bpm": fields.get("heart_rate_bpm"),
            "subsession": fields.get("sub_session"),
            "rel_ts": fields.get("relative_time"),
            "seq": fields.get("sequence"),
        }
    return {
        "hr_bpm": reading.value,
        "percent": reading.value,
        "steps": reading.value,
        "contact": reading.columns.get("contact"),
        "energy_kj": reading.columns.get("energy_kj"),
        "rr_1024": reading.columns.get("rr", []),
    }


def _agree(reading: Reading, fields: dict[str, Any]) -> None:
    """The readings are the record's fields in the registry's units."""
    said = {one.metric: one.value for one in (reading, *reading.also)}
    expected: dict[str, Callable[[], Any]] = {
        "speed": lambda: fields["speed_256"] / 256,
        "cadence": lambda: fields.get("cadence", fields.get("steps_per_min")),
        "distance": lambda: fields.get("distance_m", (fields.get("distance_dm") or 0) / 10),
        "floors": lambda: fields["floors"],
        "steps": lambda: fields.get("steps", _sum_of_steps(fields)),
    }
    for metric, value in said.items():
        assert value == expected[metric]()


def _sum_of_steps(fields: dict[str, Any]) -> int | None:
    names = ("walking_steps", "intensity_steps", "floor_steps")
    told = [fields[name] for name in names if fields.get(name) is not None]
    return sum(told) if told else None


def _kinds(*kinds: str) -> list[Any]:
    return [
        pytest.param(vector, id=f"{line}-{vector['characteristic']}-{vector.get('hex', 'empty')}")
        for line, vector in enumerate(_VECTORS)
        if vector["kind"] in kinds
    ]


def test_the_file_covers_every_decoder() -> None:
    # Of the hardware revision no value was found; it is decoded like the software's.
    hardware = "00002a27-0000-1000-8000-00805f9b34fb"
    covered = {_uuid(vector) for vector in _VECTORS}
    assert covered == {*DECODERS, *DESCRIPTIONS} - {hardware}
    assert len(_kinds("valid")) == 85
    assert len(_kinds("edge")) == 19
    assert len(_kinds("invalid")) == 15


@pytest.mark.parametrize("vector", _kinds("valid", "edge"))
def test_decodes_exactly(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["hex"])
    expected = _BY_THE_SPECIFICATION.get(vector["hex"], vector["expected"])
    meaning = _meaning(_uuid(vector), raw)
    assert {field: meaning[field] for field in expected} == expected


@pytest.mark.parametrize("vector", _kinds("invalid"))
def test_refuses_with_a_reason(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector.get("hex", ""))
    uuid = _uuid(vector)
    known = DECODERS.get(uuid) or DESCRIPTIONS[uuid]
    with pytest.raises(UndecodableError) as refused:
        known.decode(raw)
    assert refused.value.characteristic == uuid
    assert refused.value.value == raw
    assert refused.value.reason


def test_the_page_on_devices_counts_them_rightly() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "devices.md").read_text()
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| ([0-9]+)[^|]*\| yes \|", page, re.MULTILINE)
    counted: set[str] = set()
    for characteristics, number in rows:
        named = {
            _VENDORS_BY_START.get(one[:13].lower(), one)
            for one in re.findall(
                r"\b(?:2[AB][0-9A-F]{2}|[0-9a-f]{8}-[0-9a-f-]{27})\b", characteristics
            )
        }
        found = [one for one in _VECTORS if one["characteristic"] in named]
        assert len(found) == int(number), characteristics
        counted |= {_uuid(one) for one in found}
    # All but what the radio does not ask for has a row.
    unasked = {uuid for uuid, one in DESCRIPTIONS.items() if one.field is None}
    features = {"00002a54-0000-1000-8000-00805f9b34fb"}
    hardware = {"00002a27-0000-1000-8000-00805f9b34fb"}
    assert counted == {*DECODERS, *DESCRIPTIONS} - (unasked - features) - hardware
