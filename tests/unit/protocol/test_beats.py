"""Beats: each interval once, in time, and never across a hole."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_protocol.beats import MOST_AWAY_MS, MOST_SLEW, UNREAL, Beat, beats
from strapline_protocol.series import Series, differences

_S = 1_024


def _series(times_ms: list[int], rr: list[list[int] | None], **columns: Any) -> Series:
    return Series(
        user="anna",
        device="d" * 22,
        metric="heart_rate",
        seq=[7] + [1] * (len(times_ms) - 1),
        elapsed_ms=differences(times_ms),
        value=[60] * len(times_ms),
        rr=rr,
        **columns,
    )


def _seconds(count: int, **columns: Any) -> Series:
    """A beat each second, told as it is made."""
    return _series([at * 1_000 for at in range(count)], [[_S]] * count, **columns)


def _runs(told: list[Beat]) -> list[list[Beat]]:
    runs: list[list[Beat]] = []
    for beat in told:
        if beat.first:
            runs.append([])
        runs[-1].append(beat)
    return runs


def test_a_run_is_anchored_at_its_first_arrival_and_goes_on_by_the_intervals() -> None:
    told = beats(_series([10_000, 11_100], [[512, _S], [_S, 512]]))
    assert [(beat.rr_ms, beat.first, beat.seq) for beat in told] == [
        (500, True, 7),
        (1_000, False, 7),
        (1_000, False, 8),
        (500, False, 8),
    ]
    assert [beat.at_ms for beat in told[:2]] == [9_000, 10_000]
    assert told[2].at_ms == pytest.approx(11_000, abs=2)
    assert told[3].at_ms == pytest.approx(11_500, abs=3)


def test_a_series_without_intervals_tells_of_no_beat() -> None:
    assert beats(_series([0], [None])) == []
    without = _series([0], [None]).model_copy(update={"rr": None})
    assert beats(without) == []


def test_a_second_without_a_beat_breaks_nothing() -> None:
    told = beats(_series([0, 1_000, 2_000], [[_S], None, [2 * _S]]))
    assert [beat.first for beat in told] == [True, False]
    assert told[1].at_ms == pytest.approx(2_000, abs=1)


def test_wall_times_place_beats_as_the_boot_clock_does() -> None:
    series = _seconds(5)
    at_ms = [1_700_000_000_000 + at for at in series.elapsed()]
    timed = series.timed(at_ms, received_ms=1_700_000_005_000, time_source="system")
    there, here = beats(timed), beats(series)
    assert [beat.at_ms - 1_700_000_000_000 for beat in there] == pytest.approx(
        [beat.at_ms for beat in here], abs=0.001
    )


def test_after_a_gap_a_run_begins_anew() -> None:
    # A gap so short that the run might go on as if nothing had been missed.
    times = [*range(0, 10_000, 1_000), *range(13_000, 18_000, 1_000)]
    told = beats(_series(times, [[_S]] * 15))
    assert [at for at, beat in enumerate(told) if beat.first] == [0, 10]
    assert told[10].at_ms == 13_000


@pytest.mark.parametrize("mark", sorted(UNREAL))
def test_intervals_that_no_heart_made_are_left_out(mark: str) -> None:
    marks = [None, None, [mark], None, None]
    told = beats(_seconds(5, quality=marks))
    assert [(beat.seq, beat.first) for beat in told] == [
        (7, True),
        (8, False),
        (10, True),
        (11, False),
    ]


def test_other_marks_say_nothing_of_the_intervals() -> None:
    told = beats(_seconds(3, quality=[None, ["implausible"], None]))
    assert [beat.first for beat in told] == [True, False, False]


def test_an_interval_of_zero_ends_a_run() -> None:
    told = beats(_series([0, 1_000, 2_000], [[_S], [_S, 0, 512], [0]]))
    assert [(beat.rr_ms, beat.first) for beat in told] == [(1_000, True), (500, True)]


def test_readings_out_of_order_are_placed_in_order_of_time() -> None:
    told = beats(_series([1_000, 0, 2_000], [[_S], [512], [_S]]))
    assert [beat.seq for beat in told] == [8, 7, 9]
    assert [beat.at_ms for beat in told] == sorted(beat.at_ms for beat in told)


def test_a_run_that_leaves_its_arrivals_is_anchored_anew() -> None:
    """A strap that tells each interval twice: they do not add up to the time that passed."""
    told = beats(_series([at * 1_000 for at in range(20)], [[_S, _S]] * 20))
    assert [run[0].at_ms for run in _runs(told)[1:]] == [
        beat.at_ms for beat in told[1:] if beat.first
    ]
    assert len(_runs(told)) == 4
    arrivals = {7 + at: at * 1_000 for at in range(20)}
    assert all(abs(beat.at_ms - arrivals[beat.seq]) <= MOST_AWAY_MS + 1_000 for beat in told)


@pytest.mark.parametrize("ppm", [-200, -20, 20, 200])
def test_a_crystal_that_differs_is_followed_without_a_jump(ppm: int) -> None:
    times = [round(at * 2_000 * (1 + ppm / 1e6)) for at in range(2_000)]
    told = beats(_series(times, [[_S, _S] for _ in times]))
    assert [beat.first for beat in told].count(True) == 1
    assert abs(told[-1].at_ms - times[-1]) < 20
    # By the intervals alone it would be as far off as the crystals are.
    alone_ms = sum(beat.rr_ms for beat in told[2:])
    assert abs(alone_ms - times[-1]) == pytest.approx(abs(ppm) * 4, abs=2)


@given(
    st.lists(
        st.tuples(
            st.integers(-200, 8_000),
            st.none() | st.lists(st.integers(0, 3_000), max_size=6),
            st.none() | st.lists(st.sampled_from(["filler", "zero", "implausible"]), max_size=2),
        ),
        min_size=1,
        max_size=80,
    )
)
def test_whatever_is_told_runs_ascend_and_are_near_their_arrivals(
    readings: list[tuple[int, list[int] | None, list[str] | None]],
) -> None:
    times, now_ms = [], 0
    for after_ms, _, _ in readings:
        now_ms = max(0, now_ms + after_ms)
        times.append(now_ms)
    rr, quality = [one for _, one, _ in readings], [one for _, _, one in readings]
    told = beats(_series(times, rr, quality=quality))
    real = [
        one
        for _, intervals, marks in readings
        if not UNREAL.intersection(marks or ())
        for one in intervals or ()
    ]
    assert len(told) <= sum(1 for one in real if one)
    if 0 not in real:
        assert sorted(round(beat.rr_ms * 1.024) for beat in told) == sorted(real)
    for run in _runs(told):
        for earlier, later in pairwise(run):
            longer_ms = later.at_ms - earlier.at_ms - later.rr_ms
            assert later.at_ms > earlier.at_ms
            assert abs(longer_ms) <= later.rr_ms * MOST_SLEW + 1e-6
    last_of = {beat.seq: beat for beat in told}
    for seq, beat in last_of.items():
        assert abs(beat.at_ms - times[seq - 7]) <= MOST_AWAY_MS + 1_000
