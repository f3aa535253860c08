"""The registry of metrics."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from strapline_protocol.base import MetricName
from strapline_protocol.metrics import BATTERY, METRICS, UNKNOWN, Metric, metric_named
from strapline_protocol.series import Series


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_a_metric_can_stand_on_the_wire_and_on_a_screen(metric: Metric) -> None:
    assert TypeAdapter(MetricName).validate_python(metric.name) == metric.name
    assert metric_named(metric.name) is metric
    assert bool(metric.unit) is not metric.said
    assert metric.low < metric.high or metric.said
    assert metric.fresh_for_ms > 0


def test_a_metrics_columns_are_columns_of_a_series() -> None:
    names = {field.alias for field in Series.model_fields.values()}
    measured = [metric for metric in METRICS.values() if not metric.said]
    assert {column for metric in measured for column in metric.columns} <= names


def test_the_columns_of_what_is_said_stand_in_none_of_a_series_own() -> None:
    names = {field.alias for field in Series.model_fields.values()}
    said = [metric for metric in METRICS.values() if metric.said]
    assert [metric.name for metric in said] == ["session", "mark", "summary", "gap"]
    assert names.isdisjoint(column for metric in said for column in metric.columns)


def test_a_metric_of_a_newer_bridge_is_taken_as_it_comes() -> None:
    assert metric_named("oxygen") is UNKNOWN
    assert UNKNOWN.low <= -(2**53) < 2**53 <= UNKNOWN.high
    assert UNKNOWN.fresh_for_ms > 0


def test_only_battery_is_held_by_device() -> None:
    assert [metric for metric in METRICS.values() if metric.by_device] == [BATTERY]


def test_the_registry_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        METRICS["x"] = UNKNOWN  # type: ignore[index]  # that it cannot be is the test
