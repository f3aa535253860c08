"""What is the present, and how old; heart rate and steps are in the shared vectors."""

import pytest

from strapline_client.freshness import age_ms, current, measured_at_ms
from strapline_protocol.watching import (
    BatteryData,
    DeviceLevel,
    Gap,
    GapData,
    LastValue,
    Mark,
    MarkData,
    MetricData,
    Session,
    SessionData,
    SummaryData,
    ValueData,
)

CADENCE = ValueData(
    current=80, last=LastValue(value=80, at_ms=1_000), fresh_for_ms=5_000, on_change=False
)
BATTERY = BatteryData(
    devices=[
        DeviceLevel(device="new", value=64, at_ms=1_000),
        DeviceLevel(device="old", value=10, at_ms=5),
    ],
    fresh_for_ms=5_000,
)
RUNNING = SessionData(session=Session(id="A" * 22, name="Run", start_ms=1_000, end_ms=None))
SAID: list[MetricData] = [
    RUNNING,
    MarkData(mark=Mark(at_ms=1_000, label="Hill")),
    GapData(gap=Gap(from_ms=400, to_ms=1_000, cause="silent")),
    SummaryData(summary={"steps": 3}, at_ms=1_000),
]


@pytest.mark.parametrize("data", [CADENCE, BATTERY, *SAID], ids=lambda one: type(one).__name__)
def test_an_age_is_that_of_the_newest_and_never_below_nothing(data: MetricData) -> None:
    assert measured_at_ms(data) == 1_000
    assert age_ms(data, 3_500) == 2_500
    assert age_ms(data, 400) == 0


@pytest.mark.parametrize(
    "data",
    [
        ValueData(current=None, last=None, fresh_for_ms=1, on_change=False),
        BatteryData(devices=[], fresh_for_ms=1),
        MarkData(mark=None),
        GapData(gap=None),
        SessionData(session=None),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_never_was_has_no_age_and_is_nothing_now(data: MetricData) -> None:
    assert age_ms(data, 5) is None
    assert current(data, 5, held=True) is None


@pytest.mark.parametrize(("data", "value"), [(CADENCE, 80), (BATTERY, 64)])
def test_any_value_turns_stale_without_a_message(data: MetricData, value: int) -> None:
    assert current(data, 6_000, held=False) == value
    assert current(data, 6_001, held=False) is None


@pytest.mark.parametrize("data", SAID, ids=lambda one: type(one).__name__)
def test_what_was_said_is_no_measured_present(data: MetricData) -> None:
    assert current(data, 1_000, held=True) is None
