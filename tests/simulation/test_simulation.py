"""Both ends' own code on real files, by a virtual clock: what must hold holds, for every seed."""

from __future__ import annotations

import pytest

from tests.simulation.ground import ViolationError
from tests.simulation.world import run

_SEEDS = 300
_AT_A_TIME = 10
_MANY_SEEDS = 10_000
_MANY_AT_A_TIME = 100


def check(seeds: range) -> None:
    """Run these; the first that fails is named with what replays it."""
    for seed in seeds:
        try:
            run(seed)
        except ViolationError as error:
            pytest.fail(
                f"seed {seed}: {error}\nreplay: .venv/bin/python -m tests.simulation.replay {seed}"
            )


@pytest.mark.parametrize("first", range(0, _SEEDS, _AT_A_TIME))
def test_nothing_is_lost_doubled_or_shown_to_the_wrong_one(first: int) -> None:
    check(range(first, first + _AT_A_TIME))


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("first", range(_SEEDS, _SEEDS + _MANY_SEEDS, _MANY_AT_A_TIME))
def test_nothing_is_lost_for_ten_thousand_seeds(first: int) -> None:
    check(range(first, first + _MANY_AT_A_TIME))
