"""Every recorded value of the formats that are understood: exact, or refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from strapline_bridge.decoders import DECODERS, UndecodableError
from strapline_bridge.readings import Reading

_FILE = Path(__file__).parents[2] / "data" / "characteristics.json"
_VECTORS: list[dict[str, Any]] = json.loads(_FILE.read_text())["values"]
_UUIDS = {
    "2A37": "00002a37-0000-1000-8000-00805f9b34fb",
    "2A19": "00002a19-0000-1000-8000-00805f9b34fb",
    "00030001-78fc": "00030001-78fc-48fe-8e23-433b3a1942d0",
}
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


def _meaning(reading: Reading) -> dict[str, Any]:
    """A reading in the words of the vector file."""
    if reading.metric == "heart_rate":
        return {
            "hr_bpm": reading.value,
            "contact": reading.columns.get("contact"),
            "energy_kj": reading.columns.get("energy_kj"),
            "rr_1024": reading.columns.get("rr", []),
        }
    return {"battery": {"percent": reading.value}, "steps": {"steps": reading.value}}[
        reading.metric
    ]


def _kinds(*kinds: str) -> list[Any]:
    return [
        pytest.param(vector, id=f"{line}-{vector['characteristic']}-{vector.get('hex', 'empty')}")
        for line, vector in enumerate(_VECTORS)
        if vector["kind"] in kinds
    ]


def test_the_file_covers_every_decoder() -> None:
    assert {_UUIDS[vector["characteristic"]] for vector in _VECTORS} == set(DECODERS)
    assert len(_kinds("valid")) == 49
    assert len(_kinds("edge")) == 13
    assert len(_kinds("invalid")) == 7


@pytest.mark.parametrize("vector", _kinds("valid", "edge"))
def test_decodes_exactly(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["hex"])
    expected = _BY_THE_SPECIFICATION.get(vector["hex"], vector["expected"])
    meaning = _meaning(DECODERS[_UUIDS[vector["characteristic"]]].decode(raw))
    assert {field: meaning[field] for field in expected} == expected


@pytest.mark.parametrize("vector", _kinds("invalid"))
def test_refuses_with_a_reason(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector.get("hex", ""))
    uuid = _UUIDS[vector["characteristic"]]
    with pytest.raises(UndecodableError) as refused:
        DECODERS[uuid].decode(raw)
    assert refused.value.characteristic == uuid
    assert refused.value.value == raw
    assert refused.value.reason
