"""A seed replays exactly: in this process, and in others, whatever order their sets have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.world import replay

_ROOT = Path(__file__).parents[2]


def elsewhere(seed: int, hash_seed: str) -> str:
    """What another process says of it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation.replay", str(seed)],
        cwd=_ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout


@pytest.mark.parametrize("seed", [4, 7])
def test_a_seed_twice_is_the_same_twice(seed: int) -> None:
    first, violation = replay(seed)
    again, _ = replay(seed)
    assert violation is None
    assert len(first.trace) > 200
    assert first.trace == again.trace
    assert first.counts == again.counts
    # A seed is all that decides: neither time nor another seed of hashes.
    for hash_seed in ("1", "2"):
        lines = elsewhere(seed, hash_seed).splitlines()
        assert lines[-2:] == ["all holds", first.summary()]
        assert lines[: len(first.trace)] == first.trace


def test_other_seeds_are_other_stories() -> None:
    assert replay(4)[0].summary() != replay(6)[0].summary()
