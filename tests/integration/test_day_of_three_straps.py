"""24 hours of three straps with 30 faults on a virtual clock: real bridge parts, outbox and store.

The seed stands in the test's name: a day that fails is the same day again.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from strapline_protocol.opening import Role
from tests.integration.day_faults import DAY_S, FAULTS, STRAPS, Kind, drawn
from tests.integration.day_kit import BEGIN_MS, a_day
from tests.integration.day_ledger import VIEWER, all_readings, check_readings, expected


def test_a_day_has_faults_of_every_kind_and_is_the_same_again() -> None:
    for seed in range(50):
        faults = drawn(seed)
        assert len(faults) == FAULTS
        assert {fault.kind for fault in faults} == set(Kind)
        assert faults == drawn(seed)
        assert all(0 < fault.from_s < fault.to_s < DAY_S for fault in faults)
    assert drawn(1) != drawn(2)


async def _live(folder: Path, seed: int) -> None:
    faults = drawn(seed)
    print(f"seed {seed}:", *faults, sep="\n  ")  # noqa: T201  # which day it was
    async with a_day(folder, faults) as day:
        await day.store.put_grant(VIEWER, Role.VIEWER, VIEWER, "all", None)
        # Each of these came about at least once, or the day shows nothing.
        assert day.downs
        assert day.fates.dropped
        for strap in range(STRAPS):
            told = expected(day, strap)
            check_readings(await all_readings(day, strap), told)
            assert len(told.received) > DAY_S // 2
        complete_ms = day.complete_through_ms()
        assert complete_ms is not None
        assert complete_ms >= BEGIN_MS + DAY_S * 1_000 - 2_000


async def test_a_day(tmp_path: Path) -> None:
    await _live(tmp_path, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 22))
async def test_many_days(tmp_path: Path, seed: int) -> None:
    await _live(tmp_path, seed)
