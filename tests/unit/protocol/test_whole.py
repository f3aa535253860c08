"""Both ends over a link that delays, drops, cuts and restarts: what must hold, for every seed."""

from __future__ import annotations

import pytest

from tests.unit.protocol.simulated.world import ViolationError, World

#: Bugs that are planted, and whether the server's database is restored meanwhile.
MUTANTS = {
    "acknowledge_early": False,
    "count_repeats": False,
    "drop_overrides": False,
    "ignore_previous": False,
    "keep_epoch": True,
    "positions_in_memory": False,
    "reach_ahead": False,
    "resume_without_rights": False,
    "reuse_stream": False,
    "revocation_unheard": False,
    "silent_drop": False,
    "skip_range": False,
    "take_old": False,
}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("backups", [False, True], ids=["cards restored", "database restored"])
def test_what_must_hold_holds(seed: int, backups: bool) -> None:
    World(seed, backups=backups).run()


@pytest.mark.slow
@pytest.mark.parametrize("backups", [False, True], ids=["cards restored", "database restored"])
def test_what_must_hold_holds_for_thousands_of_seeds(backups: bool) -> None:
    for seed in range(1_000, 3_000):
        World(seed, backups=backups).run()


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_planted_bug_is_found(mutant: str) -> None:
    assert any(breaks(seed, mutant) for seed in range(60))


def breaks(seed: int, mutant: str) -> bool:
    try:
        World(seed, frozenset({mutant}), backups=MUTANTS[mutant]).run()
    except ViolationError:
        return True
    return False
