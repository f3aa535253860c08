"""The decoders against ``bluetooth-sig``, another project's, where that one is right."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from bluetooth_sig import BluetoothSIGTranslator
from bluetooth_sig.gatt.exceptions import CharacteristicParseError
from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.decoders import DECODERS, DESCRIPTIONS, UndecodableError
from strapline_bridge.decoders.describing import LOCATIONS

_FILE = Path(__file__).parents[2] / "data" / "characteristics.json"
_VECTORS: list[dict[str, Any]] = [
    vector
    for vector in json.loads(_FILE.read_text())["values"]
    # It knows assigned numbers alone.
    if len(vector["characteristic"]) == 4
]
#: Values that it takes though a field that their own flags announce is cut off or missing. It
#: then leaves the field out as if it had never been announced; we refuse, since what is cut off
#: tells of a packet that was damaged, and what stands before the cut may be so too.
_TAKES_WHAT_IS_CUT_OFF = frozenset({"170101", "070003125600000000", "00000300"})
#: Of 2B40 it reads the heading alone and never looks for the counts, there or not.
_HEADING_ONLY = frozenset({"2B40"})


@cache
def _translator() -> BluetoothSIGTranslator:
    return BluetoothSIGTranslator()


def _theirs(short: str, raw: bytes) -> Any:
    return _translator().parse_characteristic(short, raw)


def _ours(short: str, raw: bytes) -> Any:
    uuid = f"0000{short.lower()}-0000-1000-8000-00805f9b34fb"
    if uuid in DESCRIPTIONS:
        return DESCRIPTIONS[uuid].decode(raw)
    decoder = DECODERS[uuid]
    return decoder.decode(raw) if decoder.parse is None else decoder.parse(raw)


def _heart_rate(ours: Any, theirs: Any) -> None:
    assert ours.value == theirs.heart_rate
    contact = {"NOT_SUPPORTED": None, "NOT_DETECTED": False, "DETECTED": True}
    assert ours.columns.get("contact") is contact[theirs.sensor_contact.name]
    assert ours.columns.get("energy_kj") == theirs.energy_expended
    assert ours.columns.get("rr", []) == [round(one * 1_024) for one in theirs.rr_intervals]


def _running(ours: Any, theirs: Any) -> None:
    assert ours.speed_256 / 256 == theirs.instantaneous_speed
    assert ours.cadence == theirs.instantaneous_cadence
    assert ours.running is theirs.is_running
    assert ours.stride_cm == _scaled(theirs.instantaneous_stride_length, 100)
    assert ours.distance_dm == _scaled(theirs.total_distance, 10)


def _scaled(value: float | None, factor: int) -> int | None:
    return None if value is None else round(value * factor)


def _features(ours: Any, theirs: Any) -> None:
    assert tuple(ours) == (
        theirs.instantaneous_stride_length_supported,
        theirs.total_distance_supported,
        theirs.walking_or_running_status_supported,
        theirs.calibration_procedure_supported,
        theirs.multiple_sensor_locations_supported,
    )


def _climber(ours: Any, theirs: Any) -> None:
    assert tuple(ours)[:9] == (
        theirs.floors,
        theirs.step_count,
        theirs.steps_per_minute,
        theirs.average_step_rate,
        theirs.positive_elevation_gain,
        theirs.total_energy,
        theirs.energy_per_hour,
        theirs.energy_per_minute,
        theirs.heart_rate,
    )
    assert ours.met_x10 == _scaled(theirs.metabolic_equivalent, 10)
    assert (ours.elapsed_s, ours.remaining_s) == (theirs.elapsed_time, theirs.remaining_time)


def _summary(ours: Any, theirs: Any) -> None:
    assert tuple(ours)[:6] == (
        theirs.header,
        int(theirs.flags),
        theirs.session_id,
        theirs.sub_session_id,
        theirs.relative_timestamp,
        theirs.sequence_number,
    )


def _pnp(ours: Any, theirs: Any) -> None:
    assert tuple(ours) == (
        int(theirs.vendor_id_source),
        theirs.vendor_id,
        theirs.product_id,
        theirs.product_version,
    )


def _system_id(ours: Any, theirs: Any) -> None:
    assert ours.size_bytes == len(theirs.manufacturer_id) + len(theirs.oui)


def _location(ours: Any, theirs: Any) -> None:
    assert LOCATIONS.index(ours) == int(theirs)


def _battery(ours: Any, theirs: Any) -> None:
    assert ours.value == theirs


def _text(ours: Any, theirs: Any) -> None:
    assert ours == theirs


_AGREE: dict[str, Callable[[Any, Any], None]] = {
    "2A19": _battery,
    "2A23": _system_id,
    "2A37": _heart_rate,
    "2A38": _location,
    "2A50": _pnp,
    "2A53": _running,
    "2A54": _features,
    "2ACF": _climber,
    "2B40": _summary,
}


@pytest.mark.parametrize(
    "vector",
    [pytest.param(one, id=f"{line}-{one['characteristic']}") for line, one in enumerate(_VECTORS)],
)
def test_both_say_the_same(vector: dict[str, Any]) -> None:
    short, raw = vector["characteristic"], bytes.fromhex(vector.get("hex", ""))
    try:
        ours = _ours(short, raw)
    except UndecodableError:
        if raw.hex() in _TAKES_WHAT_IS_CUT_OFF or short in _HEADING_ONLY:
            _theirs(short, raw)
        else:
            with pytest.raises(CharacteristicParseError):
                _theirs(short, raw)
    else:
        _AGREE.get(short, _text)(ours, _theirs(short, raw))


@given(st.sampled_from(["2A37", "2A53"]), st.integers(0, 31), st.binary(min_size=3, max_size=24))
def test_both_say_the_same_of_any_bytes_that_are_whole(short: str, flags: int, rest: bytes) -> None:
    raw = bytes([flags]) + rest
    try:
        ours = _ours(short, raw)
    except UndecodableError:
        return
    _AGREE[short](ours, _theirs(short, raw))
