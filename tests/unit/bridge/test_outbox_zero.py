"""A stream's time is replaced by a better one, and by nothing else."""

from __future__ import annotations

import pytest

from strapline_bridge.outbox import ClockMoment
from strapline_bridge.outbox.zero import corrected, first_zero
from strapline_protocol.publishing import ClockSource

_ZERO_NS = 5_000_000_000
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


def test_a_clock_that_jumps_corrects_nothing() -> None:
    zero = first_zero(a_moment(), _ZERO_NS)
    for wall_ms in (0, 999, 1_000_000 + 86_400_000):
        assert corrected(zero, a_moment(wall_ms=wall_ms), _ZERO_NS) is None


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
