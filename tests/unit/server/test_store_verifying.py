"""All of a database in one account: the gaps in it, and whether all is whole."""

from __future__ import annotations

from typing import Any

import pytest

from strapline_server.store import gaps
from strapline_server.store.verifying import verify_all
from strapline_server.verified import CauseCounted, Verified
from tests.unit.server.gap_kit import A, B, bench_at, drop, end, rates, spell
from tests.unit.server.store_kit import NOON, Bench, zero_at


def verified(bench: Bench, **asked: Any) -> Verified:
    return verify_all(bench.transaction, asked.get("user"), asked.get("stream"), lambda _: None)


def three_gaps() -> Bench:
    """Of ten seconds without a word, of twenty with the link lost, and a bridge that was down."""
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(*range(10), *range(20, 30), *range(50, 60)))
    bench.publish(pi, A, spell(30, 49, 40, "radioLost", "heard"))
    end(bench, pi, A, 60)
    bench.declare(pi, B, zero_at(NOON + 100_000))
    bench.publish(pi, B, rates(*range(1, 10)))
    return bench


@pytest.mark.parametrize("most", [5, 100_000])
def test_gaps_are_counted_by_their_causes(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaps, "MOST_READ", most)
    (found,) = verified(three_gaps()).gaps
    assert (found.user, found.metric) == ("ana", "heart_rate")
    assert (found.gaps, found.explained) == (3, 2)
    causes = {one.cause: one for one in found.causes}
    assert causes["bridgeDown"] == CauseCounted(cause="bridgeDown", gaps=1, duration_ms=40_000)
    assert causes["radioLost"].duration_ms == 19_000
    assert sum(one.duration_ms for one in found.causes) == 11_000 + 21_000 + 42_000


def test_a_gap_whose_every_part_has_a_cause_is_explained() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(*range(10)))
    bench.publish(pi, A, rates(*range(40, 50), first=30))
    drop(bench, pi, A, (10, 29))
    found = verified(bench)
    assert [(one.gaps, one.explained) for one in found.gaps] == [(1, 1)]
    assert found.whole


def test_where_nothing_is_missing_there_is_no_gap() -> None:
    bench, pi = bench_at()
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(*range(10)))
    assert [(one.gaps, one.causes) for one in verified(bench).gaps] == [(0, [])]


def test_who_has_no_heart_rate_has_no_gaps_and_of_one_run_none_are_told() -> None:
    bench = three_gaps()
    bench.add_user("ben")
    assert verified(bench, user="ben").gaps == []
    assert verified(bench, stream="A").gaps == []
