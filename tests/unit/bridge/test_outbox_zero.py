"""A stream's time is replaced by a better one, and by nothing else."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.outbox import ClockMoment
from strapline_bridge.outbox.zero import corrected, first_zero
from strapline_protocol.publishing import ClockSource, Zero

_ZERO_NS = 5_000_000_000
_S = 1_000_000_000
_HOUR_MS = 3_600_000
_SOURCES = list(ClockSource)


def a_moment(
    source: ClockSource = ClockSource.SYSTEM,
    uncertainty_ms: int = 10,
    wall_ms: int = 1_000_000,
    boot_ns: int = 7_000_000_000,
) -> ClockMoment:
    return ClockMoment(boot_ns, wall_ms, uncertainty_ms, source)


def test_the_first_says_what_wall_time_a_moment_of_the_stream_was() -> None:
    zero = first_zero(a_moment(), _ZERO_NS)
    assert zero.version == 0
    assert zero.wall_ms(2_000) == 1_000_000
    assert zero.wall_ms(0) == 998_000


@pytest.mark.parametrize("known", _SOURCES)
@pytest.mark.parametrize("told", _SOURCES)
def test_only_a_better_source_corrects(known: ClockSource, told: ClockSource) -> None:
    zero = first_zero(a_moment(known), _ZERO_NS)
    better = corrected(zero, a_moment(told, wall_ms=2_000_000), _ZERO_NS)
    assert (better is not None) == (_SOURCES.index(told) < _SOURCES.index(known))
    if better is not None:
        assert better.version == 1
        assert better.wall_ms(2_000) == 2_000_000


@pytest.mark.parametrize("source", [ClockSource.SERVER_UNSYNCHRONISED, ClockSource.ESTIMATE])
def test_a_clock_that_jumps_corrects_nothing(source: ClockSource) -> None:
    zero = first_zero(a_moment(source), _ZERO_NS)
    for wall_ms in (0, 999, 1_000_000 + 86_400_000):
        later = a_moment(source, wall_ms=wall_ms, boot_ns=4_000 * _S)
        assert corrected(zero, later, _ZERO_NS) is None


def test_a_vague_time_is_sharpened_and_an_exact_one_left_alone() -> None:
    vague = first_zero(a_moment(uncertainty_ms=60_000), _ZERO_NS)
    sharp = corrected(vague, a_moment(uncertainty_ms=5), _ZERO_NS)
    assert sharp is not None
    assert sharp.anchors[0].uncertainty_ms == 5
    assert corrected(vague, a_moment(uncertainty_ms=50_000), _ZERO_NS) is None
    exact = first_zero(a_moment(uncertainty_ms=500), _ZERO_NS)
    assert corrected(exact, a_moment(uncertainty_ms=1), _ZERO_NS) is None


def test_a_clock_before_1970_is_told_as_1970() -> None:
    assert first_zero(a_moment(wall_ms=-5), _ZERO_NS).anchors[0].wall_ms == 0


def _at(
    elapsed_ms: int,
    wall_ms: int,
    uncertainty_ms: int = 10,
    source: ClockSource = ClockSource.SYSTEM,
) -> ClockMoment:
    return a_moment(source, uncertainty_ms, wall_ms, _ZERO_NS + elapsed_ms * 1_000_000)


def _followed(zero: Zero, *moments: ClockMoment) -> Zero:
    for moment in moments:
        better = corrected(zero, moment, _ZERO_NS)
        assert better is not None
        assert better.version == zero.version + 1
        zero = better
    return zero


@pytest.mark.parametrize("source", [ClockSource.SYSTEM, ClockSource.SERVER])
def test_a_crystal_that_drifts_is_followed_and_the_past_stays(source: ClockSource) -> None:
    zero = first_zero(_at(0, 1_000_000, source=source), _ZERO_NS)
    near = _at(8 * _HOUR_MS, 1_001_000 + 8 * _HOUR_MS, source=source)
    assert corrected(zero, near, _ZERO_NS) is None
    zero = _followed(
        zero,
        _at(8 * _HOUR_MS, 1_001_500 + 8 * _HOUR_MS, source=source),
        _at(16 * _HOUR_MS, 1_003_000 + 16 * _HOUR_MS, source=source),
    )
    assert [anchor.elapsed_ms for anchor in zero.anchors] == [0, 8 * _HOUR_MS, 16 * _HOUR_MS]
    assert zero.wall_ms(0) == 1_000_000
    # Half way between two anchors half of what drifted between them.
    assert zero.wall_ms(4 * _HOUR_MS) == 1_000_750 + 4 * _HOUR_MS
    assert zero.wall_ms(20 * _HOUR_MS) == 1_003_000 + 20 * _HOUR_MS


def test_a_synchronised_clock_that_was_an_hour_off_moves_all_and_keeps_the_drift() -> None:
    zero = _followed(
        first_zero(_at(0, 1_000_000), _ZERO_NS),
        _at(8 * _HOUR_MS, 1_001_500 + 8 * _HOUR_MS),
        _at(9 * _HOUR_MS, 1_001_500 + 10 * _HOUR_MS, uncertainty_ms=20),
    )
    assert [anchor.wall_ms - anchor.elapsed_ms for anchor in zero.anchors] == [
        1_000_000 + _HOUR_MS,
        1_001_500 + _HOUR_MS,
    ]
    assert {anchor.uncertainty_ms for anchor in zero.anchors} == {20}


def test_a_boot_clock_that_lost_seconds_in_a_suspend_is_followed() -> None:
    zero = _followed(first_zero(_at(0, 1_000_000), _ZERO_NS), _at(_HOUR_MS, 1_004_000 + _HOUR_MS))
    assert zero.wall_ms(0) == 1_000_000
    assert zero.wall_ms(_HOUR_MS) == 1_004_000 + _HOUR_MS


def test_two_anchors_are_never_so_near_that_their_order_turns() -> None:
    zero = first_zero(_at(0, 1_000_000), _ZERO_NS)
    assert corrected(zero, _at(59_999, 1_056_000), _ZERO_NS) is None
    assert corrected(zero, _at(-_HOUR_MS, 1_000_000), _ZERO_NS) is None
    assert _followed(zero, _at(60_000, 1_056_000)).wall_ms(60_000) == 1_056_000


def test_a_better_source_keeps_what_is_known_of_the_drift() -> None:
    zero = _followed(
        first_zero(_at(0, 1_000_000, source=ClockSource.SERVER), _ZERO_NS),
        _at(8 * _HOUR_MS, 1_001_500 + 8 * _HOUR_MS, source=ClockSource.SERVER),
        _at(9 * _HOUR_MS, 1_001_400 + 9 * _HOUR_MS),
    )
    assert zero.source is ClockSource.SYSTEM
    assert [anchor.wall_ms - anchor.elapsed_ms for anchor in zero.anchors] == [999_900, 1_001_400]


def test_a_time_that_came_late_is_less_certain_of_the_beginning() -> None:
    estimate = first_zero(_at(0, 5, source=ClockSource.ESTIMATE), _ZERO_NS)
    soon = _followed(estimate, _at(60_000, 1_060_000))
    assert len(soon.anchors) == 1
    late = _followed(estimate, _at(240 * _HOUR_MS, 1_000_000 + 240 * _HOUR_MS))
    assert late.wall_ms(0) == 1_000_000
    # 100 ppm of ten days.
    assert [anchor.uncertainty_ms for anchor in late.anchors] == [10 + 86_400, 10]
    assert late.source is ClockSource.SYSTEM


def test_a_stream_that_ended_is_followed_to_its_end_and_no_further() -> None:
    zero = first_zero(_at(0, 1_000_000), _ZERO_NS)
    first = corrected(zero, _at(8 * _HOUR_MS, 1_001_500 + 8 * _HOUR_MS), _ZERO_NS, 6 * _HOUR_MS)
    assert first is not None
    later = _at(16 * _HOUR_MS, 1_003_000 + 16 * _HOUR_MS)
    assert corrected(first, later, _ZERO_NS, 6 * _HOUR_MS) is None
    step = _at(16 * _HOUR_MS, 1_003_000 + 17 * _HOUR_MS)
    assert corrected(first, step, _ZERO_NS, 6 * _HOUR_MS) is not None


@given(
    crystal=st.lists(
        st.tuples(st.integers(60_000, 2 * 24 * _HOUR_MS), st.integers(-100, 100)),
        min_size=1,
        max_size=200,
    ),
    errors_ms=st.lists(st.integers(-50, 50), min_size=200, max_size=200),
)
def test_however_the_crystal_drifts_the_time_is_right_and_never_runs_backwards(
    crystal: list[tuple[int, int]], errors_ms: list[int]
) -> None:
    """Asked whenever the pace of the crystal changes, which is far less often than each minute."""
    elapsed_ms, true_ms = 0, 1_700_000_000_000
    zero = first_zero(_at(0, true_ms, 50), _ZERO_NS)
    truth = [(elapsed_ms, true_ms)]
    most_drift_ms = 0
    for (after_ms, ppm), error_ms in zip(crystal, errors_ms, strict=False):
        elapsed_ms += after_ms
        true_ms += after_ms + after_ms * ppm // 1_000_000
        most_drift_ms = max(most_drift_ms, abs(after_ms * ppm // 1_000_000) + 1)
        truth.append((elapsed_ms, true_ms))
        before = zero
        zero = corrected(zero, _at(elapsed_ms, true_ms + error_ms, 50), _ZERO_NS) or zero
        assert zero.version - before.version in {0, 1}
        if len(before.anchors) < 64:
            known_ms = before.anchors[-1].elapsed_ms
            for at_ms, _ in truth:
                if at_ms <= known_ms:
                    assert zero.wall_ms(at_ms) == before.wall_ms(at_ms)
    assert len(zero.anchors) <= 64
    walls = [zero.wall_ms(at_ms) for at_ms, _ in truth]
    assert walls == sorted(walls)
    # What is let be, what one moment may be off by at either end, and what drifts between two.
    allowed_ms = 2 * (1_000 + 2 * 50) + 2 * most_drift_ms
    if zero.version < 64:
        assert all(
            abs(wall - true) <= allowed_ms for wall, (_, true) in zip(walls, truth, strict=True)
        )


def test_a_year_of_a_crystal_that_warms_and_cools_stays_within_seconds() -> None:
    zero = first_zero(_at(0, 0, 20), _ZERO_NS)
    true_ms, truth = 0, []
    for hour in range(365 * 24):
        ppm = 40 + 15 * math.sin(hour / 24 * 2 * math.pi) + 10 * math.sin(hour / 4_000)
        truth.append((hour * _HOUR_MS, true_ms))
        moment = _at(hour * _HOUR_MS, true_ms, 20)
        zero = corrected(zero, moment, _ZERO_NS) or zero
        true_ms += _HOUR_MS + round(_HOUR_MS * ppm / 1e6)
    assert len(zero.anchors) == 64
    # Some four corrections a day, each of which moves hours on the server.
    assert zero.version < 4 * 365
    worst_ms = max(abs(zero.wall_ms(at_ms) - true) for at_ms, true in truth)
    assert worst_ms < 5_000
    assert truth[-1][1] - truth[-1][0] > 1_000_000
