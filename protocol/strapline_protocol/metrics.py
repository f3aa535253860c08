"""The registry of metrics: unit, plausible range, columns, and for how long a value is the present.

An unknown metric is not an error: a newer bridge's readings pass an older server untouched,
with :data:`UNKNOWN`'s freshness.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Metric:
    """One kind of measurement.

    Attributes:
        unit: as shown to people.
        low: least plausible value, in ``unit``; below it a reading is stored and marked.
        high: greatest plausible value.
        fresh_for_ms: after this age a value is no longer the present.
        columns: names on the wire of the columns beside ``value``.
        by_device: held for each device instead of for the wearer.
        said: not measured but said; its values are null, and it is in no aggregate.
    """

    name: str
    unit: str
    low: float
    high: float
    fresh_for_ms: int
    columns: tuple[str, ...] = ()
    by_device: bool = False
    said: bool = False


_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS

#: Heart Rate Service 1.0 section 3.1: ``rr`` in 1/1024 s, ``energyKj`` accumulated.
HEART_RATE: Final = Metric(
    "heart_rate", "bpm", 25, 250, 5_000, columns=("rr", "contact", "energyKj")
)
#: The device's own running total, not a difference.
STEPS: Final = Metric("steps", "steps", 0, 2**32 - 1, _MINUTE_MS)
#: Battery Service 1.0 section 3.1.
BATTERY: Final = Metric("battery", "%", 0, 100, 24 * _HOUR_MS, by_device=True)
CADENCE: Final = Metric("cadence", "steps/min", 0, 300, 5_000)
SPEED: Final = Metric("speed", "m/s", 0, 15, 5_000)
#: The device's own running total, as far as it goes; so too floors.
DISTANCE: Final = Metric("distance", "m", 0, 2**32 / 10, _MINUTE_MS)
FLOORS: Final = Metric("floors", "floors", 0, 2**16 - 1, _MINUTE_MS)
#: Not measured, but said: by a person, or by a host application. Of no value: what is said
#: stands in the columns.
SESSION: Final = Metric("session", "", 0, 0, 24 * _HOUR_MS, ("id", "name", "durationMs"), said=True)
MARK: Final = Metric("mark", "", 0, 0, 24 * _HOUR_MS, ("label",), said=True)
SUMMARY: Final = Metric("summary", "", 0, 0, 24 * _HOUR_MS, ("summary",), said=True)
#: What a bridge noticed of a device's silence, as evidence: :mod:`strapline_protocol.gaps`.
GAP: Final = Metric("gap", "", 0, 0, 24 * _HOUR_MS, ("durationMs", "cause", "evidence"), said=True)
UNKNOWN: Final = Metric("", "", float("-inf"), float("inf"), _MINUTE_MS)

METRICS: Final = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            *(HEART_RATE, STEPS, BATTERY, CADENCE, SPEED, DISTANCE, FLOORS),
            *(SESSION, MARK, SUMMARY, GAP),
        )
    }
)


def metric_named(name: str) -> Metric:
    """The registered metric, or :data:`UNKNOWN` for one of a newer peer."""
    return METRICS.get(name, UNKNOWN)
