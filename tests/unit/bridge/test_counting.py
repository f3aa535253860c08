"""Who counts: one way for each wearable, cadence times time where none counts, midnight."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.counting import Placed, StepCounting, local_midnight_ms
from strapline_bridge.decoders import (
    DECODERS,
    activity_monitor,
    huami,
    infinitime,
    running,
    step_climber,
)
from strapline_bridge.radio import LinkChange, LinkState, Offered
from strapline_bridge.readings import Reading
from strapline_bridge.steps import StepState

_S = 1_000_000_000


class _Wall:
    def __init__(self) -> None:
        self.at_s = 1_700_000_000.0

    def now_ms(self) -> int:
        return int(self.at_s * 1_000)


class _Bench:
    def __init__(self, remembered: dict[str, StepState] | None = None) -> None:
        self.wall = _Wall()
        self.began_s = self.wall.at_s
        self.counting = StepCounting(
            remembered or {},
            DECODERS,
            boot_id="b1",
            wall_clock=self.wall,
            midnight_ms=lambda wall_ms: wall_ms // 86_400_000 * 86_400_000,
        )
        self.user = "ada"

    def _now_ns(self, at_s: float) -> int:
        self.wall.at_s = self.began_s + at_s
        return round(at_s * _S)

    def total(
        self, steps: int | None, at_s: float, way: str = huami.CHARACTERISTIC, session: str = ""
    ) -> Placed | None:
        reading = Reading("steps", steps, session=session)
        return self.counting.total("d", self.user, reading, DECODERS[way], self._now_ns(at_s))

    def cadence(self, cadence: float, at_s: float) -> Placed | None:
        decoder = DECODERS[running.CHARACTERISTIC]
        return self.counting.walked("d", self.user, cadence, decoder, self._now_ns(at_s))

    def link(self, state: LinkState, *characteristics: str) -> None:
        offered = tuple(Offered("s", one, ("notify",)) for one in characteristics)
        self.counting.link_changed(LinkChange("d", state, 0, offered))


def _value(placed: Placed | None) -> float | None:
    assert placed is not None
    return placed.reading.value


def test_a_minute_at_170_is_170_steps() -> None:
    bench = _Bench()
    found = [bench.cadence(170, at_s) for at_s in range(61)]
    told = [placed for placed in found if placed is not None]
    assert told[0].counter.counted_from == 0
    assert _value(told[0]) == 0
    assert _value(told[-1]) == 170
    assert {placed.counter for placed in told} == {told[0].counter}
    assert {placed.reading.quality for placed in told} == {("derived",)}


@given(
    st.lists(st.tuples(st.integers(0, 255), st.floats(0.2, 5)), min_size=2, max_size=200),
)
def test_derived_steps_are_the_area_under_the_cadence(walk: list[tuple[int, float]]) -> None:
    bench = _Bench()
    at_s, area, before = 0.0, 0.0, None
    last: Placed | None = None
    for cadence, pause_s in walk:
        if before is not None:
            at_s += pause_s
            area += (before + cadence) / 2 * pause_s / 60
        last = bench.cadence(cadence, at_s) or last
        before = cadence
    assert _value(last) == pytest.approx(area, abs=1.001)


def test_a_new_total_is_told_only_when_there_is_a_step() -> None:
    bench = _Bench()
    assert bench.cadence(60, 0) is not None
    assert bench.cadence(60, 0.5) is None
    assert _value(bench.cadence(60, 1.0)) == 1
    assert bench.cadence(0, 1.1) is None


def test_time_without_a_word_adds_nothing() -> None:
    bench = _Bench()
    bench.cadence(180, 0)
    assert bench.cadence(180, 6) is None
    bench.link(LinkState.SEARCHING)
    bench.link(LinkState.CONNECTED, running.CHARACTERISTIC)
    assert bench.cadence(180, 9) is None
    placed = bench.cadence(180, 10)
    assert _value(placed) == 3
    assert placed is not None
    # When these were made is known, unlike those of a total after an outage.
    assert placed.reading.quality == ("derived",)


def test_the_next_run_goes_on_with_the_same_count() -> None:
    bench = _Bench()
    bench.cadence(120, 0)
    first = bench.cadence(120, 2)
    assert first is not None
    after = _Bench({"d": first.state})
    after.cadence(120, 3)
    second = after.cadence(120, 5)
    assert second is not None
    assert second.counter == first.counter
    assert _value(second) == 8


def test_another_wearer_has_a_count_of_their_own() -> None:
    bench = _Bench()
    bench.cadence(120, 0)
    bench.cadence(120, 2)
    bench.user = "bob"
    placed = bench.cadence(120, 4)
    assert placed is not None
    assert placed.state.user == "bob"
    assert placed.counter.counted_from == placed.state.total == 8


def test_what_a_wearable_offers_decides_who_counts_before_anything_came() -> None:
    bench = _Bench()
    bench.link(LinkState.CONNECTED, running.CHARACTERISTIC, huami.CHARACTERISTIC)
    assert bench.cadence(170, 0) is None
    assert bench.cadence(170, 1) is None
    assert _value(bench.total(400, 2)) == 400
    assert bench.counting.superseded == 2


def test_of_two_totals_the_first_of_the_registry_counts() -> None:
    bench = _Bench()
    bench.link(LinkState.CONNECTED, step_climber.CHARACTERISTIC, infinitime.CHARACTERISTIC)
    assert bench.total(10, 0, step_climber.CHARACTERISTIC) is None
    assert _value(bench.total(900, 1, infinitime.CHARACTERISTIC)) == 900


def test_a_firmware_that_counts_no_longer_is_derived_again() -> None:
    bench = _Bench()
    counted = bench.total(400, 0)
    assert counted is not None
    later = _Bench({"d": counted.state})
    assert later.cadence(120, 0) is None
    later.link(LinkState.CONNECTED, running.CHARACTERISTIC)
    placed = later.cadence(120, 1)
    assert placed is not None
    assert placed.state.source == running.CHARACTERISTIC
    assert placed.counter.id != counted.counter.id


def test_a_summary_without_steps_places_nothing() -> None:
    assert _Bench().total(None, 0, activity_monitor.CHARACTERISTIC) is None


def test_each_session_of_an_activity_monitor_is_a_count_from_nothing() -> None:
    bench = _Bench()
    way = activity_monitor.CHARACTERISTIC
    placed = [
        bench.total(steps, at_s, way, session)
        for steps, at_s, session in [(100, 0, "1.1"), (160, 60, "1.1"), (170, 120, "1.2")]
    ]
    origins = [(one.counter.counted_from, one.counter.id) for one in placed if one is not None]
    assert [origin for origin, _ in origins] == [100, 100, 0]
    assert len({name for _, name in origins}) == 2


def test_over_midnight_and_an_outage_a_daily_total_is_todays() -> None:
    bench = _Bench()
    until_midnight_s = 86_400 - bench.began_s % 86_400
    bench.total(3_000, until_midnight_s - 3_600)
    bench.link(LinkState.SEARCHING)
    bench.link(LinkState.CONNECTED, huami.CHARACTERISTIC)
    placed = bench.total(5_000, until_midnight_s + 3_600)
    assert placed is not None
    assert placed.counter.counted_from == 0
    assert placed.reading.quality == ("afterGap",)


def test_over_midnight_a_workouts_total_goes_on() -> None:
    bench = _Bench()
    way = step_climber.CHARACTERISTIC
    until_midnight_s = 86_400 - bench.began_s % 86_400
    first = bench.total(3_000, until_midnight_s - 3_600, way)
    second = bench.total(5_000, until_midnight_s + 3_600, way)
    assert first is not None
    assert second is not None
    assert second.counter == first.counter


@pytest.fixture
def in_vienna() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Vienna"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("in_vienna")
@pytest.mark.parametrize(
    "moment", ["2026-11-24 00:00", "2026-11-24 13:30", "2026-03-29 12:00", "2026-10-25 23:59"]
)
def test_midnight_is_this_machines(moment: str) -> None:
    vienna = ZoneInfo("Europe/Vienna")
    now = datetime.fromisoformat(moment).replace(tzinfo=vienna)
    midnight = now.replace(hour=0, minute=0)
    assert local_midnight_ms(int(now.timestamp() * 1_000)) == int(midnight.timestamp() * 1_000)
