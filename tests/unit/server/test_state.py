"""What is current, what was last, and which source is shown."""

from __future__ import annotations

import pytest

from strapline_protocol.watching import (
    BatteryData,
    HeartRateData,
    LastValue,
    MetricData,
    StepsData,
    ValueData,
)
from strapline_server.state import Day, Source, marks, render, shown, usable
from tests.unit.server.store_kit import NOON, series_of

DAY = Day(NOON + 1, 3, 215, 60, 82)


def source(
    age_ms: int = 0,
    value: float = 72,
    device: str = "strap-1",
    *,
    unfit: int = 0,
    speaks: bool = False,
) -> Source:
    """A source that last said this; after it ``unfit`` ms something that says nothing."""
    at = NOON - age_ms
    return Source(device, at + unfit, at, value, None, speaks)


def rate(*sources: Source, day: Day = DAY, connected: set[str] | None = None) -> HeartRateData:
    data = render("heart_rate", sources, day, NOON, connected)
    assert isinstance(data, HeartRateData)
    return data


def test_a_fresh_value_is_current_and_last() -> None:
    data = rate(source(5_000))
    assert data.current == 72
    assert data.last is not None
    assert (data.last.value, data.last.at_ms) == (72, NOON - 5_000)
    assert (data.average, data.min, data.max) == (71.7, 60, 82)
    assert (data.over, data.day_ends_ms, data.fresh_for_ms) == ("day", NOON + 1, 5_000)


def test_a_value_from_the_future_is_last_only() -> None:
    data = rate(source(-5_001))
    assert data.current is None
    assert data.last is not None
    assert rate(source(-5_000)).current == 72


def test_a_source_from_the_future_yields_to_one_that_speaks() -> None:
    ahead, now = source(-3_600_000, 50, "first"), source(1_000, 80, "second")
    assert rate(ahead, now).current == 80


def test_an_old_value_is_last_only() -> None:
    data = rate(source(5_001))
    assert data.current is None
    assert data.last is not None
    assert data.last.value == 72


def test_a_value_after_which_nothing_good_came_is_last_only() -> None:
    data = rate(source(2_000, unfit=1_000))
    assert data.current is None
    assert data.last is not None
    assert data.last.at_ms == NOON - 2_000


def test_nothing_at_all() -> None:
    data = rate(day=Day(NOON + 1))
    assert (data.current, data.last, data.average, data.min, data.max) == (None,) * 5


def test_whole_numbers_stay_whole_and_others_stay_exact() -> None:
    assert isinstance(rate(source(value=72.0)).current, int)
    assert rate(source(value=72.5)).current == 72.5


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        ((0, 0), "first"),
        ((4_999, 0), "first"),
        ((5_000, 0), "second"),
        ((9_000, 8_000), "second"),
        ((8_000, 9_000), "first"),
    ],
    ids=str,
)
def test_the_first_source_is_shown_until_it_is_silent(ages: tuple[int, int], expected: str) -> None:
    sources = [source(ages[0], device="first"), source(ages[1], device="second")]
    found = shown(sources, NOON)
    assert found is not None
    assert found.device == expected


def test_a_source_that_speaks_on_change_does_not_yield() -> None:
    sources = [source(60_000, 50, "quiet", speaks=True), source(0, 90, "loud")]
    assert rate(*sources).current == 50
    assert rate(*sources, connected={"quiet"}).current == 50
    assert rate(*sources, connected=set()).current == 90, "not connected any more"
    assert rate(sources[0], connected=set()).current is None
    assert rate(source(4_999, 50, "quiet", speaks=True), sources[1], connected=set()).last == (
        LastValue(value=50, at_ms=NOON - 4_999)
    )
    assert rate(source(9_999_999, 50, "quiet", speaks=True), connected={"quiet"}).current == 50
    assert rate(source(400_000, 50, "quiet", speaks=True), source(0, 90, "loud")).current == 90


def test_a_source_that_never_said_anything_good_leaves_the_last_to_another() -> None:
    mute = Source("mute", NOON, None, None, None, on_change=False)
    data = rate(mute, source(60_000, 66, "other"))
    assert data.current is None
    assert data.last is not None
    assert data.last.value == 66


@pytest.mark.parametrize(
    ("metric", "kind"),
    [("steps", StepsData), ("battery", BatteryData), ("cadence", ValueData), ("new", ValueData)],
)
def test_each_metric_has_its_shape(metric: str, kind: type[MetricData]) -> None:
    assert isinstance(render(metric, [source()], DAY, NOON), kind)


def test_battery_leaves_out_what_never_told_a_level() -> None:
    mute = Source("mute", NOON, None, None, None, on_change=False)
    data = render("battery", [mute, source(value=40, device="strap")], DAY, NOON)
    assert isinstance(data, BatteryData)
    assert [(one.device, one.value) for one in data.devices] == [("strap", 40)]


def test_what_is_usable() -> None:
    series = series_of(
        [72, None, 0, 24.9, 25, 250, 250.1, 72, 72, 72, 72],
        range(11),
        contact=[True, True, True, True, None, True, True, False, True, True, None],
        quality=[None, None, None, None, [], None, None, None, ["zero"], ["derived"], None],
    )
    good = [index for index, fit in enumerate(usable(series)) if fit]
    assert good == [0, 4, 5, 9, 10]


def test_no_steps_are_a_value() -> None:
    assert usable(series_of([0, 5], [0, 1], metric="steps")) == [True, True]


def test_marks_are_silent_where_there_is_no_doubt() -> None:
    series = series_of([70, None, 251], [0, 1, 2])
    assert marks(series_of([70, None], [0, 1]), [NOON, NOON + 5_000], NOON) is None
    assert marks(series, [NOON, NOON + 5_001, NOON + 5_001], NOON) == [
        None,
        ["future"],
        ["implausible", "future"],
    ]


@pytest.mark.parametrize(("steps", "told"), [(None, None), (0, 0), (2**60, 2**53 - 1)])
def test_a_day_has_no_more_steps_than_the_wire_carries(steps: int | None, told: int | None) -> None:
    data = render("steps", [source()], Day(NOON + 1, steps=steps), NOON)
    assert isinstance(data, StepsData)
    assert data.today == told
