"""The synthesised walk is plausible, repeatable, and says what it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_simulator.walk import Walk


def test_it_says_that_it_is_synthesised() -> None:
    assert Walk(seed=1).source == "synthesised walk"


def test_it_walks_at_once_at_a_human_cadence() -> None:
    walk = Walk(seed=7)
    assert 96 <= walk.advance(60) <= 118


@given(seed=st.integers(0, 1000), seconds=st.lists(st.floats(0.01, 30), max_size=50))
def test_steps_never_fall_and_never_rush(seed: int, seconds: list[float]) -> None:
    walk = Walk(seed=seed, total=100)
    before = walk.total
    for passed in seconds:
        after = walk.advance(passed)
        assert 0 <= after - before <= 2 * passed + 1
        before = after


def test_it_pauses() -> None:
    walk = Walk(seed=3)
    minutes = [walk.advance(60) for _ in range(60)]
    taken = [b - a for a, b in zip([0, *minutes], minutes, strict=False)]
    assert min(taken) < 80 < max(taken)


def test_the_same_seed_is_the_same_walk_however_it_is_cut() -> None:
    whole, pieces = Walk(seed=5), Walk(seed=5)
    total = whole.advance(3600)
    for _ in range(3600):
        pieces.advance(1)
    assert abs(pieces.total - total) <= 1
    assert Walk(seed=6).advance(3600) != total


def test_a_new_day_and_another_total() -> None:
    walk = Walk(seed=1, total=5000)
    walk.restart()
    assert walk.total == 0
    walk.set_total(42)
    assert walk.total == 42


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match=r"time cannot pass by -0\.5"):
        Walk(seed=1).advance(-0.5)
