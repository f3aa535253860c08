"""Gaps are what is left between readings: pages, rights, causes of whole questions."""

from __future__ import annotations

from typing import Any

import pytest

from strapline_protocol.asking import GapsParams
from strapline_protocol.opening import Role
from strapline_server.store import gaps
from strapline_server.store.gaps import Known, read_gaps
from strapline_server.store.sources import put_link
from tests.unit.server.gap_kit import (
    MINUTE,
    SECOND,
    A,
    B,
    announce,
    bench_at,
    drop,
    end,
    page,
    pages,
    pieces,
    rates,
    reject,
    spell,
)
from tests.unit.server.store_kit import EPOCH, HOUR, NOON, Bench, zero_at


def heard(until_s: float = 3_600) -> Known:
    """The bridge has said that nothing waits."""
    return Known(heard_ms={"pi": NOON + round(until_s * SECOND)})


def test_what_is_left_between_readings_has_no_cause_without_evidence() -> None:
    bench, pi = bench_at(250)
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(*range(10), *range(20, 30), *range(31, 250)))
    found = page(bench, heard())
    assert pieces(found) == [(9, 20, "silent", None)]
    assert (found.next, found.position, found.complete_through_ms) == (None, (EPOCH, 1), None)
    bench.publish(pi, A, rates(*range(10, 20), first=4_000))
    assert page(bench, heard()).gaps == []


def test_before_the_first_reading_there_is_no_gap_and_after_the_last_it_lasts() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    assert page(bench, heard()).gaps == []
    bench.publish(pi, A, rates(100, 101, 102, 103))
    (gap,) = page(bench, heard()).gaps
    assert (gap.from_ms, gap.to_ms, gap.lasts) == (NOON + 103 * SECOND, NOON + HOUR, True)
    asked = page(bench, heard(), from_ms=NOON + 50 * SECOND, to_ms=NOON + 104 * SECOND)
    assert pieces(asked) == [(103, 104, "silent", None)]
    assert asked.gaps[0].lasts
    assert page(bench, heard(), from_ms=NOON, to_ms=NOON + 103 * SECOND).gaps == []
    assert page(bench, heard(), from_ms=bench.now_ms, to_ms=bench.now_ms + HOUR).gaps == []


def test_a_gap_that_ends_with_the_range_does_not_last() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(0, 1, 2, 3, 60, 61, 62))
    asked: dict[str, Any] = {"from_ms": NOON, "to_ms": NOON + 60 * SECOND}
    (gap,) = page(bench, heard(), **asked).gaps
    assert not gap.lasts
    asked["to_ms"] -= 1
    (gap,) = page(bench, heard(), **asked).gaps
    assert gap.lasts


def test_causes_cut_a_gap() -> None:
    bench, pi = bench_at(900)
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(*range(10)))
    bench.publish(pi, A, spell(9, 69, 10), spell(69, 200, 11, "radioLost", "adapterAway"))
    end(bench, pi, A, 210, clean=False)
    bench.declare(pi, B, zero_at(NOON + 300 * SECOND))
    bench.publish(pi, B, rates(*range(20, 600)))
    assert pieces(page(bench, heard())) == [
        (9, 69, "silent", "linkLost"),
        (69, 200, "radioLost", "adapterAway"),
        (200, 210, "silent", None),
        (210, 300, "bridgeDown", "killed"),
        (300, 320, "silent", None),
    ]


def test_lost_numbers_are_between_those_that_came() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(*range(10)), rates(60, 61, first=60), rates(90, first=90))
    announce(bench, pi, A, 91)
    drop(bench, pi, A, (10, 59))
    reject(bench, pi, A, (62, 70))
    found = page(bench, heard(), to_ms=NOON + 90 * SECOND)
    assert pieces(found) == [
        (9, 60, "dropped", "full"),
        (61, 90, "rejected", "malformed"),
    ]
    assert [gap.count for gap in found.gaps] == [50, 9]
    bench.publish(pi, A, rates(*range(10, 60), first=10))
    assert pieces(page(bench, heard(), to_ms=NOON + 90 * SECOND)) == [
        (61, 90, "rejected", "malformed")
    ]


def test_what_was_announced_and_what_was_not_heard_since_is_pending() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    announce(bench, pi, A, 1_000)
    bench.publish(pi, A, rates(*range(10)), rates(500, 501, first=500))
    found = page(bench)
    assert pieces(found) == [
        (9, 500, "pending", "announced"),
        (501, 3_600, "pending", "announced"),
    ]
    assert [gap.count for gap in found.gaps] == [490, 498]
    bench.publish(pi, A, rates(*range(10, 500), first=10))
    bench.publish(pi, A, rates(*range(502, 1_000), first=502))
    found = page(bench)
    assert pieces(found) == [(999, 3_600, "pending", "unheard")]
    assert pieces(page(bench, heard(2_000))) == [
        (999, 2_000, "silent", None),
        (2_000, 3_600, "pending", "unheard"),
    ]


def test_two_bridges_that_hear_one_strap_fill_each_others_holes() -> None:
    bench, pi = bench_at(100)
    den = bench.grant("den")
    bench.declare(pi, A, zero_at(NOON))
    bench.declare(den, B, zero_at(NOON))
    bench.publish(pi, A, rates(*range(40), *range(60, 100)))
    bench.publish(den, B, rates(*range(41, 70), device="strap-2"))
    known = Known(heard_ms={"pi": bench.now_ms, "den": bench.now_ms})
    assert page(bench, known).gaps == []
    assert pieces(page(bench, known, device="strap-1")) == [(39, 60, "silent", None)]
    put_link(bench.transaction, "strap-2", "strap-1")
    assert page(bench, known, device="strap-1").gaps == []
    assert page(bench, known, device="strap-2").gaps == []
    assert page(bench, known, device="nobody").gaps == []


def test_the_cause_is_that_of_who_spoke_last_and_others_are_asked_where_it_knows_none() -> None:
    bench, pi = bench_at(100)
    den = bench.grant("den")
    bench.declare(pi, A, zero_at(NOON))
    bench.declare(den, B, zero_at(NOON))
    bench.publish(pi, A, rates(*range(10)), spell(9, 40, 10, "radioLost", "heard"))
    bench.publish(den, B, rates(*range(20), device="strap-2"))
    bench.publish(den, B, spell(25, 35, 20, "notWorn", "contact", device="strap-2"))
    known = Known(heard_ms={"pi": bench.now_ms, "den": bench.now_ms})
    found = page(bench, known)
    assert pieces(found) == [
        (19, 25, "radioLost", "heard"),
        (25, 35, "notWorn", "contact"),
        (35, 40, "radioLost", "heard"),
        (40, 100, "silent", None),
    ]
    assert [gap.device for gap in found.gaps] == ["strap-1", "strap-2", "strap-1", None]


def test_what_speaks_on_change_lasts_until_there_is_evidence() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(0, 10, 400, on_change=True, metric="speed"))
    assert page(bench, heard(), metric="speed").gaps == []
    bench.publish(pi, A, spell(100, 160, 3), spell(160, 700, 4))
    assert pieces(page(bench, heard(), metric="speed")) == [(100, 400, "silent", "linkLost")]
    end(bench, pi, A, 1_000)
    bench.declare(pi, B, zero_at(NOON + 1_200 * SECOND))
    bench.publish(pi, B, rates(100, on_change=True, metric="speed"))
    assert pieces(page(bench, heard(), metric="speed"))[-2:] == [
        (1_000, 1_200, "bridgeDown", "stopped"),
        (1_200, 1_300, "silent", None),
    ]
    assert pieces(page(bench, heard(2_000), metric="speed"))[-1] == (
        2_000,
        3_600,
        "pending",
        "unheard",
    )


def test_a_corrected_zero_moves_all_of_it() -> None:
    bench, pi = bench_at(7_200)
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(*range(10), *range(100, 120)), spell(20, 80, 30))
    drop(bench, pi, A, (10, 12))
    end(bench, pi, A, 130)
    bench.declare(pi, B, zero_at(NOON + 7_000 * SECOND))
    bench.publish(pi, B, rates(0, 1, 2))
    before = pieces(page(bench, heard(7_200)))
    bench.declare(pi, A, zero_at(NOON + HOUR, version=2))
    after = pieces(page(bench, heard(7_200)))
    assert [kind[2:] for kind in before] == [kind[2:] for kind in after]
    moved = [(begin + 3_600, end_s + 3_600, *kind) for begin, end_s, *kind in before]
    # All but where the next run begins.
    assert after[:3] == moved[:3]
    assert after[-2][:2] == (3_730, 7_000)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_are_together_what_one_page_says(limit: int) -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(*range(10), 30, 31, *range(40, 50), 600))
    bench.publish(pi, A, spell(9, 20, 90), spell(49, 100, 91), spell(100, 200, 92, "off", None))
    whole = page(bench, heard())
    parts = pages(bench, heard(), limit=limit)
    assert [len(one.gaps) for one in parts[:-1]] == [limit] * (len(parts) - 1)
    assert pieces(*parts) == pieces(whole)
    assert len(parts) == -(-len(whole.gaps) // limit)


def test_a_page_reads_only_so_much_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    for place in range(30):
        begin = place * 100
        bench.publish(pi, A, rates(*range(begin, begin + 50), first=begin))
    whole = page(bench, heard())
    assert len(whole.gaps) == 30
    monkeypatch.setattr(gaps, "MOST_READ", 200)
    parts = pages(bench, heard())
    assert len(parts) > 4
    assert pieces(*parts) == pieces(whole)


def test_a_long_silence_costs_what_is_evident_of_it() -> None:
    bench, pi = bench_at(400 * 86_400)
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(0, 1, 2))
    steps: list[str] = []
    bench.connection.set_trace_callback(steps.append)
    assert len(page(bench, heard(400 * 86_400)).gaps) == 1
    bench.connection.set_trace_callback(None)
    assert len(steps) < 250


def test_rights_are_those_of_the_metric_that_is_asked_about() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(0, 1, 2), spell(2, 60, 3))
    bench.grant("eye", Role.VIEWER, metrics=["heart_rate"])
    assert pieces(page(bench, heard(), "eye"))[0] == (2, 60, "silent", "linkLost")
    others = {"metric": "steps"}, {"metric": "gap"}, {"user": "ben"}
    for asked in others:
        whole: dict[str, Any] = {"user": "ana", "from_ms": 0, "to_ms": NOON, **asked}
        params = GapsParams(**whole)
        assert read_gaps(bench.transaction, EPOCH, "eye", params, Known()) is None
    params = GapsParams(user="ana", from_ms=0, to_ms=NOON)
    assert read_gaps(bench.transaction, EPOCH, "nobody", params, Known()) is None


def test_what_is_said_is_never_missing() -> None:
    bench, _ = bench_at()
    with pytest.raises(ValueError, match="mark is said, not measured"):
        page(bench, metric="mark")


@pytest.mark.parametrize("change", [{"from_ms": 1}, {"device": "strap-1"}, {"metric": "steps"}])
def test_a_cursor_is_of_its_own_question(change: dict[str, Any]) -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(0, 1, 2, 20, 40))
    after = page(bench, limit=1).next
    assert after is not None
    with pytest.raises(ValueError, match="ends no page of this question"):
        page(bench, limit=1, after=after, **change)


def one_per_minute(bench: Bench) -> None:
    pi = bench.grant()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(*(minute * 60 for minute in range(30))))


def test_the_pace_is_known_wherever_a_range_begins() -> None:
    bench, _ = bench_at(29 * 60)
    one_per_minute(bench)
    late: dict[str, Any] = {"from_ms": NOON + 20 * MINUTE, "to_ms": NOON + 29 * MINUTE}
    assert page(bench, heard(), **late).gaps == []
    # Three minutes are not enough to know it.
    assert pieces(page(bench, heard())) == [
        (0, 60, "silent", None),
        (60, 120, "silent", None),
        (120, 180, "silent", None),
    ]
