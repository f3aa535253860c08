"""A user's whole state in the original service's form: ``health.heart_rate.average``.

What was measured stands first. What a host application said (metric ``summary``) is shown as
given where nothing was measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ConfigDict, JsonValue

from strapline_client.freshness import newest_level
from strapline_protocol.base import Number, WireModel, absent
from strapline_protocol.watching import (
    BatteryData,
    DeviceLevel,
    HeartRateData,
    LastValue,
    MetricData,
    Over,
    StepsData,
    SummaryData,
)

#: Of a heart rate a host application may say these; the rest is the server's.
_RATES: Final = ("current", "average", "min", "max")


class HeartRate(WireModel):
    """bpm, as :class:`HeartRateData`; what a host application said beside it in ``model_extra``."""

    model_config = ConfigDict(extra="allow")

    current: Number | None = None
    last: LastValue | None = None
    average: Number | None = None
    min: Number | None = None
    max: Number | None = None
    over: Over | None = absent()
    session_began_ms: int | None = absent()
    day_ends_ms: int | None = absent()
    fresh_for_ms: int | None = absent()
    on_change: bool | None = absent()


class HealthData(WireModel):
    """What is known of one wearer. What was neither measured nor said is None, never 0.

    Attributes:
        steps: today's, so far.
        heart_rate: None where there is none at all.
        battery: percent, of the device that said it last.
        batteries: each device's.
    """

    model_config = ConfigDict(extra="allow")

    steps: Number | None = None
    heart_rate: HeartRate | None = None
    battery: Number | None = None
    batteries: list[DeviceLevel] = []

    @property
    def others(self) -> Mapping[str, Any]:
        """Any other metric's state, by its name, and what else a host application said."""
        return self.model_extra or {}


def health_data(metrics: Mapping[str, MetricData]) -> HealthData:
    """The state of all metrics as one."""
    summary = metrics.get("summary")
    said = summary.summary if isinstance(summary, SummaryData) else {}
    steps, battery = metrics.get("steps"), metrics.get("battery")
    batteries = battery.devices if isinstance(battery, BatteryData) else []
    level = newest_level(battery) if isinstance(battery, BatteryData) else None
    today = steps.today if isinstance(steps, StepsData) else None
    health = HealthData.model_construct(
        steps=_first(today, said.get("steps")),
        heart_rate=_heart_rate(metrics.get("heart_rate"), said.get("heartRate")),
        battery=_first(level.value if level else None, said.get("battery")),
        batteries=batteries,
    )
    _keep(health, {name: value for name, value in said.items() if name not in _WIRE_NAMES})
    _keep(health, {name: data for name, data in metrics.items() if name not in _WIRE_NAMES})
    return health


def _heart_rate(measured: MetricData | None, said: JsonValue) -> HeartRate | None:
    told = measured if isinstance(measured, HeartRateData) else None
    given = said if isinstance(said, dict) else None
    if told is None and given is None:
        return None
    fields: dict[str, Any] = dict(told) if told else {}
    beside: dict[str, JsonValue] = {}
    for name, value in (given or {}).items():
        if name in _RATES:
            # The present is measured or it is not: what was said of it once is not now.
            if name != "current" or told is None:
                fields[name] = _first(fields.get(name), value)
        elif name not in _RATE_NAMES:
            beside[name] = value
    rate = HeartRate.model_construct(**fields)
    _keep(rate, beside)
    return rate


def _keep(model: WireModel, beside: Mapping[str, Any]) -> None:
    """Under whatever name: as an argument, some would be taken for the constructor's own."""
    extra = model.model_extra
    assert extra is not None
    extra.update(beside)


def _first(measured: Number | None, said: JsonValue) -> Number | None:
    if measured is not None:
        return measured
    return said if isinstance(said, int | float) and not isinstance(said, bool) else None


def _names(model: type[WireModel]) -> frozenset[str]:
    """The fields' names, Python's and the wire's: nothing else is said under them."""
    fields = model.model_fields
    return frozenset(fields) | {field.alias or name for name, field in fields.items()}


_WIRE_NAMES: Final = _names(HealthData)
_RATE_NAMES: Final = _names(HeartRate)
