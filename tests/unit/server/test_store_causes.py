"""A gap in pieces, each with the cause that there is evidence of."""

from __future__ import annotations

import pytest

from strapline_server.store import causes
from strapline_server.store.gaps import Known
from tests.unit.server.gap_kit import A, B, bench_at, end, page, pieces, rates, spell
from tests.unit.server.store_kit import NOON, zero_at

DAY_S = 86_400


@pytest.mark.parametrize(("gap_s", "cause"), [(3_600, "pending"), (2 * DAY_S, "silent")])
def test_a_device_that_was_put_away_long_ago_explains_nobody_elses_gap(
    gap_s: int, cause: str
) -> None:
    bench, pi = bench_at(gap_s + 1_000)
    den = bench.grant("den")
    bench.declare(den, B, zero_at(NOON))
    bench.publish(den, B, rates(*range(5), device="strap-2"))
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(*range(gap_s, gap_s + 10)))
    known = Known(heard_ms={"pi": bench.now_ms})
    found = pieces(page(bench, known, from_ms=NOON + gap_s * 1_000))
    assert [piece[2] for piece in found] == [cause]


def test_a_year_of_the_same_is_one_piece_and_soon_told() -> None:
    days = 60
    bench, pi = bench_at(days * DAY_S)
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(0, 1, 2))
    times = range(2, days * DAY_S - 600, 600)
    for number, begin in enumerate(times, 3):
        cause = "radioLost" if number == 700 else "silent"
        bench.publish(pi, A, spell(begin, begin + 600, number, cause))
    known = Known(heard_ms={"pi": bench.now_ms})
    steps: list[int] = []
    bench.connection.set_progress_handler(lambda: steps.append(1), 1_000)
    found = pieces(page(bench, known))
    bench.connection.set_progress_handler(None, 0)
    assert [piece[2:] for piece in found] == [
        ("silent", "linkLost"),
        ("radioLost", "linkLost"),
        ("silent", "linkLost"),
        ("silent", None),
    ]
    # Each thing noticed is read once or twice, and compared with those about it.
    assert len(steps) < len(times)


def test_an_on_change_value_lasts_over_what_others_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(causes, "_STRIDE_MS", 10_000)
    bench, pi = bench_at(3_600)
    bench.declare(pi, A, zero_at(NOON))
    bench.publish(pi, A, rates(0, 10, metric="speed", on_change=True))
    bench.publish(pi, A, spell(20, 60, 2, device="strap-2"), spell(9, 15, 3))
    known = Known(heard_ms={"pi": bench.now_ms})
    assert page(bench, known, metric="speed").gaps == []
    bench.publish(pi, A, spell(300, 360, 4))
    assert pieces(page(bench, known, metric="speed")) == [
        (300, 360, "silent", "linkLost"),
        (360, 3_600, "silent", None),
    ]
    end(bench, pi, A, 200)
    bench.declare(pi, B, zero_at(NOON + 250_000))
    assert pieces(page(bench, known, metric="speed"))[0] == (200, 250, "bridgeDown", "stopped")
