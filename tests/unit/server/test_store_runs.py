"""What is missing of a bridge's runs: in groups of numbers that are not in order of time."""

from __future__ import annotations

import pytest

from strapline_protocol.gaps import Spell
from strapline_server.store.gaps import Known
from strapline_server.store.runs import _joined
from tests.unit.server.gap_kit import SECOND, A, bench_at, page, pieces, rates, reject
from tests.unit.server.store_kit import NOON, zero_at

HEARD = Known(heard_ms={"pi": NOON + 3_600 * SECOND})


@pytest.mark.parametrize("lost", ["strap-1", "strap-2"])
def test_what_is_lost_of_one_device_commit_after_commit_is_lost_all_the_while(lost: str) -> None:
    # Each minute what came of both devices is stored: sixty numbers of one, then of the other.
    bench, pi = bench_at(600)
    bench.declare(pi, A, zero_at(NOON))
    for minute in range(9):
        for place, device in enumerate(("strap-1", "strap-2")):
            first = (2 * minute + place) * 60
            times = [minute * 60 + second + place / 2 for second in range(60)]
            if device == lost and 2 <= minute < 6:
                reject(bench, pi, A, (first, first + 59))
            else:
                bench.publish(pi, A, rates(*times, first=first, device=device))
    told = pieces(page(bench, HEARD, device=lost, to_ms=NOON + 530 * SECOND))
    refused = [piece for piece in told if piece[2] == "rejected"]
    assert len(refused) == 1
    ((from_s, to_s, _, why),) = refused
    # At its ends nobody knows it better than by a commit.
    assert why == "malformed"
    assert 119 <= from_s <= 181
    assert 299 <= to_s <= 361


def test_what_is_far_apart_or_of_another_cause_stays_apart() -> None:
    dropped = [
        Spell(at, at + 100, "dropped", "full", count=2) for at in (0, 65_000, 200_000, 130_000)
    ]
    other = Spell(50, 70_000, "rejected", "denied", count=1)
    found = sorted(
        _joined([dropped[0], other, dropped[1], dropped[2]]), key=lambda one: one.from_ms
    )
    assert found == [
        Spell(0, 65_100, "dropped", "full", count=4),
        other,
        Spell(200_000, 200_100, "dropped", "full", count=2),
    ]
