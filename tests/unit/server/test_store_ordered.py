"""Readings come in order of time out of blocks that overlap, and no earlier than needed."""

from __future__ import annotations

import pytest

from strapline_server.store.ordered import counter_of, in_order
from tests.unit.server.store_kit import HOUR, NOON, Bench, series_of, stream_named, zero_at

A, B = stream_named("A"), stream_named("B")


def filled() -> Bench:
    bench = Bench()
    bench.add_user()
    grant = bench.grant()
    for stream in (A, B):
        bench.declare(grant, stream, zero_at(NOON))
    bench.publish(grant, A, series_of([60, 61, 62], [5_000, 0, 9_000]))
    bench.publish(grant, B, series_of([70, 71], [0, 7_000], device="watch"))
    bench.publish(grant, A, series_of([63], [HOUR], first=3))
    return bench


def test_overlapping_blocks_are_told_as_one() -> None:
    found = list(in_order(filled().transaction, 1, "heart_rate", NOON, NOON + HOUR))
    assert [(one.at_ms - NOON, one.stream[0], one.number, one.value) for one in found] == [
        (0, "A", 1, 61),
        (0, "B", 0, 70),
        (5_000, "A", 0, 60),
        (7_000, "B", 1, 71),
        (9_000, "A", 2, 62),
    ]


def test_who_stops_early_has_not_read_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    bench = filled()
    bench.connection.execute("UPDATE blocks SET data = x'00' WHERE block_key = 3")
    readings = in_order(bench.transaction, 1, "heart_rate", 0, 2**52)
    assert [next(readings).value for _ in range(5)] == [61, 70, 60, 71, 62]
    assert "damaged" not in caplog.text
    assert list(readings) == []
    assert "block 3 is damaged" in caplog.text


@pytest.mark.parametrize(
    ("counter", "named"),
    [(None, ""), ({"id": "c", "from": 0}, "c"), ({"id": "c", "from": -(2**32) - 1}, "")],
)
def test_a_counter_that_cannot_be_is_none(counter: dict[str, object] | None, named: str) -> None:
    series = series_of([1], [0], metric="steps")
    told = series.model_dump(mode="json", by_alias=True) | {"counter": counter}
    assert counter_of(type(series).model_validate(told)) == named
