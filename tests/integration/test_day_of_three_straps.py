"""24 hours of three straps with 30 faults on a virtual clock: real bridge parts, outbox and store.

The seed stands in the test's name: a day that fails is the same day again.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from strapline_protocol.asking import GapsPage, GapsParams
from strapline_protocol.gaps import GapCause
from strapline_server.store.gaps import Known
from tests.integration.day_bridge import SUB
from tests.integration.day_faults import DAY_S, FAULTS, STRAPS, Fault, Kind, drawn
from tests.integration.day_kit import BEGIN_MS, DEVICES, USERS, VIEWER, Day, Look, a_day
from tests.integration.day_ledger import (
    Ask,
    all_gaps,
    all_readings,
    check_cover,
    check_faults,
    check_moments,
    check_readings,
    expected,
)

_HOUR_MS: Final = 3_600_000


def test_a_day_has_faults_of_every_kind_and_is_the_same_again() -> None:
    for seed in range(50):
        faults = drawn(seed)
        assert len(faults) == FAULTS
        assert {fault.kind for fault in faults} == set(Kind)
        assert faults == drawn(seed)
        assert all(0 < fault.from_s < fault.to_s < DAY_S for fault in faults)
    assert drawn(1) != drawn(2)


def _asking(day: Day) -> Ask:
    async def ask(params: GapsParams) -> GapsPage:
        known = Known(day.complete_through_ms(params.user), {SUB: day.heard_ms})
        page = await day.store.gaps(VIEWER, params, known)
        assert page is not None
        return page

    return ask


def _while_it_is_away(fault: Fault) -> dict[int, Look]:
    """While the server hears nothing of the bridge, all that is silent is still coming."""

    async def look(day: Day) -> None:
        now_ms = day.machine.now_ms
        for user in USERS:
            params = GapsParams(user=user, from_ms=BEGIN_MS, to_ms=now_ms + _HOUR_MS)
            last = (await _asking(day)(params)).gaps[-1]
            assert (last.cause, last.lasts) == (GapCause.PENDING, True)
            assert last.from_ms <= BEGIN_MS + fault.from_s * 1_000 + 1_000
            assert last.to_ms == now_ms

    return {fault.to_s - 1: look}


async def _live(folder: Path, seed: int) -> set[Kind]:
    """A day; the kinds of faults that nothing else touched, and that had their own cause."""
    faults = drawn(seed)
    print(f"seed {seed}:", *faults, sep="\n  ")  # noqa: T201  # which day it was
    away = next(fault for fault in faults if fault.kind is Kind.FULL)
    seen: set[Kind] = set()
    causes: Counter[str] = Counter()
    async with a_day(folder, faults, _while_it_is_away(away)) as day:
        for strap in range(STRAPS):
            told = expected(day, strap)
            check_readings(await all_readings(day, strap), told)
            gaps, page = await all_gaps(_asking(day), strap)
            assert page.complete_through_ms is not None
            assert page.complete_through_ms >= told.received[-1].at_ms
            check_cover(gaps, told)
            causes += check_moments(gaps, told, day.straps[strap].phase_ms)
            seen |= check_faults(gaps, told)
            of_it, _ = await all_gaps(_asking(day), strap, device=DEVICES[strap], limit=1_000)
            assert of_it == gaps
        assert day.downs
    assert causes[GapCause.DROPPED] > 60
    assert GapCause.PENDING not in causes
    return seen


@pytest.mark.parametrize(
    ("seed", "kinds"),
    [
        (1, {Kind.EMPTY, Kind.KILLED, Kind.LINK_LOST, Kind.NOT_WORN, Kind.REBOOT, Kind.REFUSED}),
        (5, {Kind.ADAPTER, Kind.ASLEEP, Kind.HEARD, Kind.QUIET, Kind.STOPPED}),
    ],
)
async def test_every_second_of_a_day_is_a_reading_or_in_one_gap_of_its_cause(
    tmp_path: Path, seed: int, kinds: set[Kind]
) -> None:
    # Of these kinds a fault stood alone, so that its cause was exact from end to end.
    assert await _live(tmp_path, seed) >= kinds


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6, 26))
async def test_every_second_of_many_days(tmp_path: Path, seed: int) -> None:
    assert await _live(tmp_path, seed)
