"""Decoders beside `bluetooth-sig`, another project's: by its classes and by its translator."""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bluetooth_sig import BluetoothSIGTranslator
from bluetooth_sig.gatt.characteristics import (
    BatteryLevelCharacteristic,
    BodySensorLocationCharacteristic,
    HeartRateMeasurementCharacteristic,
    RSCMeasurementCharacteristic,
    StepClimberDataCharacteristic,
    StepCounterActivitySummaryDataCharacteristic,
)

from benchmarks.bench import Bench
from benchmarks.tables import Row, Table, in_turn
from strapline_bridge.decoders import DECODERS, DESCRIPTIONS

#: Its translator takes a hundred times as long as its peers: fewer calls say as much.
_FEWER: Final = 20
_ABOUT: Final = (
    "One notification into readings, in one process. `bluetooth-sig` by the class of a "
    "characteristic, which says what is in the bytes, and by its translator, which it documents "
    "for values of any kind and which finds that class first."
)


@dataclass(frozen=True, slots=True)
class _Case:
    characteristic: str
    name: str
    value: bytes
    parse: Callable[[bytes], object]


CASES: Final = (
    _Case(
        "2A37",
        "heart rate, contact, two RR intervals",
        bytes.fromhex("16485203a302"),
        HeartRateMeasurementCharacteristic().parse_value,
    ),
    _Case(
        "2A38",
        "body sensor location",
        bytes.fromhex("01"),
        BodySensorLocationCharacteristic().parse_value,
    ),
    _Case(
        "2A53",
        "speed and cadence",
        bytes.fromhex("04800355"),
        RSCMeasurementCharacteristic().parse_value,
    ),
    _Case(
        "2A53",
        "speed, cadence, stride, distance",
        bytes.fromhex("07800355640010270000"),
        RSCMeasurementCharacteristic().parse_value,
    ),
    _Case("2A19", "battery level", bytes.fromhex("57"), BatteryLevelCharacteristic().parse_value),
    _Case(
        "2ACF",
        "step climber, all fields",
        bytes.fromhex("fe010a0064003c0037002d0050002c0105785058022c01"),
        StepClimberDataCharacteristic().parse_value,
    ),
    _Case(
        "2B40",
        "activity summary, three counts of steps",
        bytes.fromhex("80070100020010000000050000006400 00c800000a0000"),
        StepCounterActivitySummaryDataCharacteristic().parse_value,
    ),
)


def _ours(characteristic: str) -> Callable[[bytes], object]:
    uuid = f"0000{characteristic.lower()}-0000-1000-8000-00805f9b34fb"
    return DECODERS[uuid].decode if uuid in DECODERS else DESCRIPTIONS[uuid].decode


def _cost_us(work: Callable[[bytes], object], value: bytes, calls: int) -> float:
    """The least of five, µs a call: what is above it is the machine's."""
    timer = timeit.Timer("work(value)", globals={"work": work, "value": value})
    return min(timer.repeat(5, calls)) / calls * 1e6


def measure(bench: Bench) -> Table:
    """Ours, its classes and its translator, in turn, for each format."""
    scale = bench.scale
    translator = BluetoothSIGTranslator()
    rows = []
    for case in CASES:

        def translate(value: bytes, characteristic: str = case.characteristic) -> object:
            return translator.parse_characteristic(characteristic, value)

        ways: list[tuple[Callable[[bytes], object], int]] = [
            (_ours(case.characteristic), scale.calls),
            (case.parse, scale.calls),
            (translate, max(1, scale.calls // _FEWER)),
        ]
        value = case.value

        def cost_us(way: tuple[Callable[[bytes], object], int], value: bytes = value) -> float:
            return _cost_us(way[0], value, way[1])

        found = in_turn(ways, scale.rounds, cost_us)
        ours, by_class, by_translator = (statistics.median(samples) for _, samples in found)
        rows.append(
            Row(
                f"{case.characteristic} {case.name}",
                (ours, by_class, by_translator, by_class / ours, by_translator / ours),
            )
        )
    return Table(
        "decoding",
        "Decoding",
        _ABOUT,
        (
            "Strapline, µs",
            "its class, µs",
            "its translator, µs",
            "times its class",
            "times its translator",
        ),
        tuple(rows),
        (
            (
                "What is left is Python's: the call, a named tuple for each reading (speed with "
                "cadence and distance are three), the integers. Bounds are checked each time."
            ),
            (
                "2B40: `bluetooth-sig` reads the heading alone; ours adds up the counts of steps "
                "behind it and names their session, so the two do not do the same."
            ),
        ),
    )
