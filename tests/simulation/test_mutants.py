"""The simulation finds bugs that are planted: one that it does not find would be its own."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS, SEEDS
from tests.simulation.world import replay


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_planted_bug_is_found(mutant: str, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(SEEDS):
        _, violation = replay(seed, MUTANTS[mutant])
        if violation is not None:
            with capsys.disabled():
                print(f"\n{mutant}: found by {seed + 1} seeds: {violation[:160]}")  # noqa: T201
            return
    pytest.fail(f"{mutant} is not found by {SEEDS} seeds")
