"""The rhythms: full jitter within a bound, and a duty cycle that never stops."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.radio import Timing


@given(failures=st.integers(1, 10**9), random=st.floats(0, 1, exclude_max=True))
def test_backoff_is_random_within_a_bound_that_doubles(failures: int, random: float) -> None:
    timing = Timing(backoff_first_s=0.5, backoff_most_s=60)
    bound_s = min(60, 0.5 * 2.0 ** min(failures - 1, 30))
    assert 0 <= timing.backoff_s(failures, random) <= bound_s


def test_backoff_reaches_its_cap_and_stays() -> None:
    timing = Timing()
    bounds = [timing.backoff_s(failures, 1) for failures in range(1, 12)]
    assert bounds[:4] == [0.5, 1, 2, 4]
    assert bounds[-1] == 60


def test_scanning_grows_rarer_and_goes_on_for_ever() -> None:
    timing = Timing()
    assert timing.pause_after_s(0) == 0
    assert timing.pause_after_s(timing.eager_s) == timing.pause_s
    assert timing.pause_after_s(10**9) == timing.long_pause_s
    assert timing.window_s + timing.long_pause_s <= 60
