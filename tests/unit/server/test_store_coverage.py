"""What each device covers at its own pace, and what none of them does."""

from __future__ import annotations

from typing import Any

import pytest

from strapline_server.store.coverage import Coverage, Device, Spoken
from strapline_server.store.gaps import Known
from tests.unit.server.gap_kit import MINUTE, SECOND, A, B, bench_at, page, pieces, rates
from tests.unit.server.store_kit import HOUR, NOON, Bench, zero_at

HEARD = Known(heard_ms={"pi": NOON + HOUR, "den": NOON + HOUR})


def slow_and_fast() -> Bench:
    """One that speaks each minute for half an hour, and one that speaks each second for a while."""
    bench, pi = bench_at()
    den = bench.grant("den")
    bench.declare(pi, A, zero_at(NOON))
    bench.declare(den, B, zero_at(NOON))
    bench.publish(pi, A, rates(*range(0, 1_800, 60)))
    bench.publish(den, B, rates(*range(600, 1_030), device="strap-2"))
    return bench


def test_a_slow_device_covers_what_a_fast_one_leaves() -> None:
    bench = slow_and_fast()
    asked: dict[str, Any] = {"from_ms": NOON + 600 * SECOND, "to_ms": NOON + 1_700 * SECOND}
    assert page(bench, HEARD, **asked).gaps == []
    assert pieces(page(bench, HEARD, **asked, device="strap-2")) == [(1_029, 1_700, "silent", None)]


@pytest.mark.parametrize("end_s", [1_031, 1_039, 1_045, 1_075])
def test_and_does_so_where_a_range_ends_between_its_readings(end_s: int) -> None:
    bench = slow_and_fast()
    asked: dict[str, Any] = {"from_ms": NOON + 600 * SECOND, "to_ms": NOON + end_s * SECOND}
    assert page(bench, HEARD, **asked).gaps == []


def test_where_one_takes_over_from_another_a_pause_is_no_gap() -> None:
    bench, pi = bench_at(100)
    den = bench.grant("den")
    bench.declare(pi, A, zero_at(NOON))
    bench.declare(den, B, zero_at(NOON))
    bench.publish(pi, A, rates(*range(50)))
    bench.publish(den, B, rates(51.4, *range(53, 70), 71.5, device="strap-2"))
    bench.publish(pi, A, rates(74.1, *range(75, 100), first=50))
    assert pieces(page(bench, HEARD)) == [(71.5, 74.1, "silent", None)]


def test_two_that_take_turns_unevenly_are_each_at_its_own_pace() -> None:
    bench, pi = bench_at(1_800)
    den = bench.grant("den")
    bench.declare(pi, A, zero_at(NOON))
    bench.declare(den, B, zero_at(NOON))
    bench.publish(pi, A, rates(*range(0, 1_800, 60)))
    bench.publish(den, B, rates(*range(4, 1_800, 60), device="strap-2"))
    late: dict[str, Any] = {"from_ms": NOON + 10 * MINUTE}
    assert page(bench, HEARD, **late).gaps == []


def test_a_damaged_block_costs_its_readings() -> None:
    bench, pi = bench_at(100)
    bench.declare(pi, A, zero_at(NOON))
    for begin in range(0, 100, 10):
        bench.publish(pi, A, rates(*range(begin, begin + 10), first=begin))
    bench.connection.execute("UPDATE blocks SET data = x'00' WHERE first_seq IN (40, 90)")
    assert [piece[:2] for piece in pieces(page(bench, HEARD))] == [(39, 50), (89, 100)]


def test_blocks_that_overlap_are_one_after_another_in_time() -> None:
    bench, pi = bench_at(200)
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(*range(0, 100, 2)))
    bench.publish(pi, A, rates(*range(99, 0, -2), first=50))
    bench.publish(pi, A, rates(*range(100, 200), first=100))
    assert page(bench, HEARD).gaps == []


def test_a_page_costs_what_is_on_it() -> None:
    bench, pi = bench_at(400 * 60)
    bench.declare(pi, A, zero_at(NOON))
    for minute in range(400):
        begin = minute * 60
        bench.publish(pi, A, rates(*range(begin, begin + 60), first=begin))

    def nothing(device: Device, last: Spoken, to_ms: int) -> None:
        return None

    devices = [Device(1, "strap-1")]
    costs = []
    for from_minute in (10, 390):
        coverage = Coverage(bench.transaction, 1, "heart_rate", devices, nothing)
        begin_ms = NOON + from_minute * MINUTE
        assert coverage.gaps(begin_ms, begin_ms + 2 * MINUTE, 10_000) == (
            [],
            begin_ms + 2 * MINUTE,
        )
        costs.append(coverage.cost)
    assert costs[0] == costs[1]
    assert costs[0] <= 400
    coverage = Coverage(bench.transaction, 1, "heart_rate", devices, nothing)
    _, looked_ms = coverage.gaps(NOON, NOON + 400 * MINUTE, 500)
    assert looked_ms == NOON + 9 * MINUTE
