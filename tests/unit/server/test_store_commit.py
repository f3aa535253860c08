"""One commit: what is stored, what is answered, and what viewers are told of it."""

from __future__ import annotations

import json
from typing import Any

from strapline_protocol.opening import Role
from strapline_protocol.publishing import (
    Acknowledged,
    Anchor,
    ClockSource,
    Dropped,
    Rejected,
    Stream,
    Zero,
)
from strapline_protocol.series import Counter
from strapline_protocol.watching import (
    BatteryData,
    HealthDataUpdate,
    HeartRateData,
    HistoryChanged,
    StepsData,
    ValueData,
)
from strapline_server.store.accounts import Accounts, Kind
from strapline_server.store.commit import Outcome, Work
from tests.unit.server.store_kit import (
    HOUR,
    NOON,
    Bench,
    published,
    series_of,
    stream_named,
    zero_at,
)

A, B = stream_named("A"), stream_named("B")


def bench_with(*streams: str) -> tuple[Bench, Work]:
    """A bench with one user, whose streams began a minute ago; and an empty work's grant."""
    bench = Bench()
    bench.add_user()
    grant = bench.grant()
    for stream in streams:
        bench.declare(grant, stream, zero_at(NOON - 60_000))
    return bench, Work(grant, Stream(stream=A, next_seq=0, zero=zero_at(0)))


def updates(outcome: Outcome) -> list[HealthDataUpdate]:
    found = [change.message for change in outcome.changes]
    assert all(isinstance(message, HealthDataUpdate) for message in found)
    return [message for message in found if isinstance(message, HealthDataUpdate)]


def rate(outcome: Outcome) -> HeartRateData:
    data = outcome.changes[-1].message.data
    assert isinstance(data, HeartRateData)
    return data


def test_many_bridges_in_one_commit_get_one_position_each() -> None:
    bench, work = bench_with(A, B)
    outcome = bench.commit(
        published(work.grant, A, series_of([70], [59_000])),
        published(work.grant, B, series_of([71], [59_500], device="strap-2")),
        published(work.grant, A, series_of([72], [60_000], first=1)),
    )
    assert [[answer.ranges for answer in answers] for answers in outcome.answers] == [  # type: ignore[attr-defined]  # Acknowledged, all
        [[(0, 0)]],
        [[(0, 0)]],
        [[(1, 1)]],
    ]
    # One of each user, metric, device and stream.
    first, second = outcome.changes
    assert isinstance(first.message, HealthDataUpdate)
    assert first.message.series.value == [70, 72]
    assert [first.message.position[1], second.message.position[1]] == [1, 2]
    assert second.message.previous == first.message.position
    assert json.loads(first.payload)["position"] == ["epoch", 1]
    assert bench.rows("SELECT position, metric FROM log") == [(1, "heart_rate"), (2, "heart_rate")]
    assert bench.rows("SELECT position FROM users") == [(2,)]


def test_previous_is_by_metric() -> None:
    bench, work = bench_with(A)
    bench.publish(work.grant, A, series_of([70], [59_000]))
    steps = series_of([5], [59_100], first=1, metric="steps", counter=Counter(id="c", from_=0))
    bench.publish(work.grant, A, steps)
    (update,) = updates(bench.publish(work.grant, A, series_of([71], [60_000], first=2)))
    assert (update.position[1], update.previous[1]) == (3, 1)


def test_a_repeat_is_acknowledged_and_changes_nothing() -> None:
    bench, work = bench_with(A)
    series = series_of([70, 71], [59_000, 60_000])
    bench.publish(work.grant, A, series)
    again = bench.publish(work.grant, A, series)
    assert again.answers == [(Acknowledged(stream=A, ranges=[(0, 1)]),)]
    assert again.changes == []
    assert bench.rows("SELECT count(*), sum(count) FROM blocks") == [(1, 2)]


def test_of_a_partial_repeat_the_new_part_is_told() -> None:
    bench, work = bench_with(A)
    bench.publish(work.grant, A, series_of([70, 71], [59_000, 59_500]))
    outcome = bench.publish(work.grant, A, series_of([71, 72], [59_500, 60_000], first=1))
    (update,) = updates(outcome)
    assert (update.series.value, update.series.numbers()) == ([72], [2])


def test_two_series_of_one_message_that_say_the_same_number() -> None:
    bench, work = bench_with(A)
    outcome = bench.publish(work.grant, A, series_of([70], [59_000]), series_of([90], [59_000]))
    assert outcome.answers == [(Acknowledged(stream=A, ranges=[(0, 0)]),)]
    assert updates(outcome)[0].series.value == [70]


def test_a_number_that_is_denied_in_one_series_and_received_in_another() -> None:
    bench, work = bench_with(A)
    outcome = bench.publish(
        work.grant, A, series_of([70], [59_000], user="nobody"), series_of([71], [59_000])
    )
    assert outcome.answers == [(Acknowledged(stream=A, ranges=[(0, 0)]),)]


def test_implausible_values_are_stored_marked_and_never_current() -> None:
    bench, work = bench_with(A)
    outcome = bench.publish(work.grant, A, series_of([70, 251, 24], [58_000, 59_000, 60_000]))
    (update,) = updates(outcome)
    assert update.series.server_marks == [None, ["implausible"], ["implausible"]]
    data = rate(outcome)
    assert data.current is None
    assert data.last is not None
    assert (data.last.value, data.min, data.max) == (70, 70, 70)
    page = bench.history()
    assert page.series[0].value == [70, 251, 24]
    assert page.series[0].server_marks == [None, ["implausible"], ["implausible"]]


def test_readings_ahead_of_the_clock_are_stored_marked_and_never_current() -> None:
    bench, work = bench_with(A)
    bench.publish(work.grant, A, series_of([70], [60_000]))
    outcome = bench.publish(work.grant, A, series_of([90, 91], [65_000, 65_001], first=1))
    (update,) = updates(outcome)
    assert update.series.server_marks == [None, ["future"]]
    # 5 s ahead is a clock's error; more is no present.
    assert rate(outcome).current == 90
    bench.now_ms += HOUR
    data = bench.state()["heart_rate"]
    assert isinstance(data, HeartRateData)
    assert data.last is not None
    assert data.last.value == 90


def test_marks_of_a_bridge_are_not_passed_on_as_ours() -> None:
    bench, work = bench_with(A)
    series = series_of([70], [60_000], serverMarks=[["implausible"]], mood=["fine"])
    (update,) = updates(bench.publish(work.grant, A, series))
    assert update.series.server_marks is None
    assert update.series.model_extra == {"mood": ["fine"]}
    (stored,) = bench.history().series
    assert (stored.server_marks, stored.model_extra) == (None, {"mood": ["fine"]})


def test_not_worn_and_zero_are_not_the_present() -> None:
    bench, work = bench_with(A)
    bench.publish(work.grant, A, series_of([70], [57_000]))
    doubts: list[dict[str, Any]] = [
        {"contact": [False]},
        {"quality": [["noContact"]]},
        {"quality": [["frozen"]]},
    ]
    for number, columns in enumerate(doubts, 1):
        series = series_of([71], [57_000 + number], first=number, **columns)
        data = rate(bench.publish(work.grant, A, series))
        assert data.current is None
        assert data.last is not None
        assert data.last.value == 70
    data = rate(bench.publish(work.grant, A, series_of([0], [58_000], first=4)))
    assert (data.current, data.min, data.average) == (None, 70, 70)
    good = series_of([72], [59_000], first=5, contact=[True], quality=[["afterGap"]])
    data = rate(bench.publish(work.grant, A, good))
    assert data.current == 72
    assert data.last is not None
    assert data.last.quality == ["afterGap"]


def test_backfill_changes_current_only_where_it_is_newer() -> None:
    bench, work = bench_with(A, B)
    bench.publish(work.grant, A, series_of([70], [58_000]))
    data = rate(bench.publish(work.grant, B, series_of([90], [57_000])))
    assert (data.current, data.max) == (70, 90)
    data = rate(bench.publish(work.grant, B, series_of([80], [59_000], first=1)))
    assert data.current == 80


def test_a_second_source_is_history_until_the_first_is_silent() -> None:
    bench, work = bench_with(A, B)
    bench.publish(work.grant, A, series_of([70], [60_000]))
    outcome = bench.publish(work.grant, B, series_of([90], [60_000], device="strap-2"))
    (change,) = outcome.changes
    assert isinstance(change.message, HistoryChanged)
    assert (change.message.why, change.message.count) == ("otherSource", 1)
    assert rate(outcome).current == 70
    assert rate(outcome).average == 70
    bench.now_ms += 10_000
    outcome = bench.publish(work.grant, B, series_of([91], [70_000], first=1, device="strap-2"))
    (update,) = updates(outcome)
    assert update.series.value == [91]
    assert rate(outcome).current == 91
    outcome = bench.publish(work.grant, A, series_of([71], [70_000], first=1))
    assert rate(outcome).current == 71


def test_steps_of_two_devices_count_once() -> None:
    bench, work = bench_with(A, B)
    first = series_of(
        [1_000, 1_050], [0, 59_000], metric="steps", counter=Counter(id="c", from_=990)
    )
    bench.publish(work.grant, A, first)
    second = series_of(
        [40, 95], [0, 59_000], device="watch", metric="steps", counter=Counter(id="d", from_=40)
    )
    outcome = bench.publish(work.grant, B, second)
    data = outcome.changes[-1].message.data
    assert isinstance(data, StepsData)
    assert data.today == 60
    assert data.last is not None
    assert data.last.value == 1_050


def test_steps_are_counted_from_midnight_in_the_persons_zone() -> None:
    # In Vienna the day began at 23:00 UTC.
    bench, work = bench_with()
    midnight = NOON - 13 * HOUR
    bench.declare(work.grant, A, zero_at(midnight))
    counter = Counter(id="c", from_=100)
    early = series_of([150, 200], [-HOUR, -1], metric="steps", counter=counter)
    bench.publish(work.grant, A, early)
    (data,) = bench.state().values()
    assert isinstance(data, StepsData)
    assert data.today is None
    late = series_of([230, 300], [0, 5 * HOUR], first=2, metric="steps", counter=counter)
    bench.publish(work.grant, A, late)
    # A new count after a reset, and one after a wrap of 16 bits.
    reset = series_of([12], [6 * HOUR], first=4, metric="steps", counter=Counter(id="r", from_=0))
    bench.publish(work.grant, A, reset)
    wrapped = series_of(
        [5], [7 * HOUR], first=5, metric="steps", counter=Counter(id="w", from_=-36)
    )
    outcome = bench.publish(work.grant, A, wrapped)
    data = outcome.changes[-1].message.data
    assert isinstance(data, StepsData)
    assert data.today == 100 + 12 + 41
    assert data.day_ends_ms == midnight + 24 * HOUR


def test_steps_without_a_counter_say_no_day() -> None:
    bench, work = bench_with(A)
    outcome = bench.publish(work.grant, A, series_of([500], [60_000], metric="steps"))
    data = outcome.changes[0].message.data
    assert isinstance(data, StepsData)
    assert data.today is None
    assert data.last is not None


def test_battery_is_by_device() -> None:
    bench, work = bench_with(A)
    bench.publish(work.grant, A, series_of([80], [0], metric="battery"))
    outcome = bench.publish(
        work.grant, A, series_of([55], [60_000], first=1, device="watch", metric="battery")
    )
    (update,) = updates(outcome)
    assert isinstance(update.data, BatteryData)
    assert [(one.device, one.value) for one in update.data.devices] == [
        ("strap-1", 80),
        ("watch", 55),
    ]


def test_a_metric_that_this_version_does_not_know_passes() -> None:
    bench, work = bench_with(A)
    series = series_of([36.6], [60_000], metric="skin_temperature", site=["chest"])
    (update,) = updates(bench.publish(work.grant, A, series))
    assert isinstance(update.data, ValueData)
    assert update.data.current == 36.6
    assert update.series.model_extra == {"site": ["chest"]}


def test_the_five_minute_rule_splits_one_series() -> None:
    bench, work = bench_with()
    bench.declare(work.grant, A, zero_at(NOON - 2 * HOUR))
    minutes = [0, HOUR, 2 * HOUR - 300_000, 2 * HOUR - 299_999, 2 * HOUR]
    outcome = bench.publish(work.grant, A, series_of([60, 61, 62, 63, 64], minutes))
    past, update = (change.message for change in outcome.changes)
    assert isinstance(past, HistoryChanged)
    assert (past.why, past.count) == ("backfilled", 3)
    assert (past.from_ms, past.to_ms) == (NOON - 2 * HOUR, NOON - 300_000 + 1)
    assert isinstance(update, HealthDataUpdate)
    assert update.series.value == [63, 64]
    # Both tell the same state: that after the commit.
    assert past.data == update.data


def test_a_long_series_is_stored_in_blocks_of_an_hour() -> None:
    bench, work = bench_with()
    bench.declare(work.grant, A, zero_at(NOON - 20 * HOUR))
    times = [number * HOUR // 4 for number in range(40)]
    bench.publish(work.grant, A, series_of([60 + number for number in range(40)], times))
    spans = bench.rows("SELECT to_ms - from_ms, count FROM blocks")
    assert len(spans) == 10
    assert all(span < HOUR and count == 4 for span, count in spans)
    page = bench.history(from_ms=NOON - 15 * HOUR, to_ms=NOON - 14 * HOUR)
    assert [one.value for one in page.series] == [[80, 81, 82, 83]]


def test_a_hole_is_explained_once_and_filled_after_all() -> None:
    bench, work = bench_with(A)
    dropped = Dropped(stream=A, ranges=[(0, 9)], reason="bound")
    outcome = bench.commit(Work(work.grant, dropped))
    assert outcome.answers == [(Acknowledged(stream=A, ranges=[(0, 9)]),)]
    assert outcome.changes == []
    answer = bench.declare(work.grant, A, zero_at(NOON - 60_000)).answers[0][0]
    assert isinstance(answer, Acknowledged)
    assert answer.ranges == []
    late = series_of([70], [0], first=3)
    assert bench.publish(work.grant, A, late).changes != []
    assert Accounts(bench.transaction, 1).of(Kind.DROPPED) == [(0, 2), (4, 9)]


def test_what_could_not_be_read_is_accounted_for_and_said() -> None:
    bench, work = bench_with(A)
    refusal = Rejected(stream=A, ranges=[(4, 6)], code="malformed", message="value: not a number")
    outcome = bench.commit(Work(work.grant, refusal))
    assert outcome.answers == [(refusal,)]
    assert Accounts(bench.transaction, 1).of(Kind.REJECTED) == [(4, 6)]


def test_erased_numbers_are_refused_so_that_copies_go() -> None:
    bench, work = bench_with(A)
    Accounts(bench.transaction, 1)._add(Kind.ERASED, 0, 0)
    outcome = bench.publish(work.grant, A, series_of([70, 71], [59_000, 60_000]))
    acknowledged, rejected = outcome.answers[0]
    assert isinstance(acknowledged, Acknowledged)
    assert isinstance(rejected, Rejected)
    assert (acknowledged.ranges, rejected.ranges, rejected.code) == ([(1, 1)], [(0, 0)], "erased")
    assert updates(outcome)[0].series.value == [71]


def test_a_viewers_metric_grant_binds_a_bridge_too() -> None:
    bench, work = bench_with(A)
    narrow = bench.grant(work.grant.sub, Role.BRIDGE, metrics=["steps"])
    outcome = bench.publish(narrow, A, series_of([70], [60_000]))
    (rejected,) = outcome.answers[0]
    assert isinstance(rejected, Rejected)
    assert rejected.code == "denied"


def test_time_between_two_anchors_is_linear_and_what_it_rests_on_is_told() -> None:
    bench, work = bench_with()
    anchors = [
        Anchor(elapsed_ms=0, wall_ms=NOON - 20_000, uncertainty_ms=5, source=ClockSource.SYSTEM),
        Anchor(
            elapsed_ms=10_000, wall_ms=NOON - 9_000, uncertainty_ms=9, source=ClockSource.ESTIMATE
        ),
    ]
    bench.declare(work.grant, A, Zero(version=1, anchors=anchors))
    outcome = bench.publish(work.grant, A, series_of([60, 61, 62], [-1_000, 5_000, 12_000]))
    (update,) = updates(outcome)
    assert update.series.at() == [NOON - 21_000, NOON - 14_500, NOON - 7_000]
    assert update.series.time_source == "estimate"


def test_a_time_that_rests_on_something_better_is_told_though_it_is_the_same() -> None:
    bench, work = bench_with()
    bench.declare(work.grant, A, zero_at(NOON - 60_000, source=ClockSource.ESTIMATE))
    (update,) = updates(bench.publish(work.grant, A, series_of([70], [60_000])))
    assert update.series.time_source == "estimate"
    outcome = bench.declare(work.grant, A, zero_at(NOON - 60_000, version=2))
    assert [change.message.position[1] for change in outcome.changes] == [2]
    assert bench.history().series[0].time_source == "system"
    again = bench.declare(work.grant, A, zero_at(NOON - 60_000, version=3))
    assert again.changes == []


def test_a_new_anchor_moves_only_what_is_after_the_last() -> None:
    bench, work = bench_with()
    bench.declare(work.grant, A, zero_at(NOON - HOUR))
    for number in range(6):
        bench.publish(work.grant, A, series_of([60 + number], [number * 600_000], first=number))
    before = bench.rows("SELECT from_ms FROM blocks ORDER BY first_seq")
    anchors = [
        Anchor(elapsed_ms=0, wall_ms=NOON - HOUR, uncertainty_ms=5, source=ClockSource.SYSTEM),
        Anchor(
            elapsed_ms=1_800_000,
            wall_ms=NOON - HOUR // 2,
            uncertainty_ms=5,
            source=ClockSource.SYSTEM,
        ),
        Anchor(
            elapsed_ms=3_000_000,
            wall_ms=NOON - 590_000,
            uncertainty_ms=5,
            source=ClockSource.SYSTEM,
        ),
    ]
    outcome = bench.declare(work.grant, A, Zero(version=2, anchors=anchors))
    (change,) = outcome.changes
    assert isinstance(change.message, HistoryChanged)
    # The fifth and sixth moved by 5 and 10 s.
    assert change.message.count == 2
    after = bench.rows("SELECT from_ms FROM blocks ORDER BY first_seq")
    assert [new[0] - old[0] for old, new in zip(before, after, strict=True)] == [
        0,
        0,
        0,
        0,
        5_000,
        10_000,
    ]


def test_extra_columns_and_counters_keep_series_apart_when_gathered() -> None:
    bench, work = bench_with(A)
    for number in range(4):
        columns: dict[str, Any] = {"mood": ["fine"]} if number % 2 else {}
        bench.publish(
            work.grant, A, series_of([60 + number], [50_000 + number], first=number, **columns)
        )
    page = bench.history()
    assert sorted(one.value for one in page.series) == [[60, 62], [61, 63]]


def test_live_readings_of_a_page_are_gathered_and_late_ones_say_when_they_came() -> None:
    bench, work = bench_with(A)
    for number in range(3):
        bench.publish(work.grant, A, series_of([60 + number], [58_000 + number], first=number))
        bench.now_ms += 1
    bench.now_ms += 100_000
    late = series_of([50, 51], [1_000, 2_000], first=3)
    bench.publish(work.grant, A, late)
    page = bench.history()
    assert [(one.value, one.received_ms) for one in page.series] == [
        ([50, 51], NOON + 100_003),
        ([60, 61, 62], NOON),
    ]
    for series in page.series:
        lateness = [series.received_ms - at for at in series.at()]
        assert all(one > 5_000 for one in lateness) == (series.value == [50, 51])
