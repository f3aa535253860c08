"""Steps of a day: one device, and nothing that falls is taken back."""

from __future__ import annotations

from strapline_protocol.series import Counter
from strapline_server.store.steps import Steps, Taken
from strapline_server.store.sums import MINUTE_MS, Folded
from tests.unit.server.store_kit import HOUR, NOON, Bench, series_of, stream_named, zero_at

A = stream_named("A")
DAY = 24 * HOUR
MIDNIGHT = NOON - NOON % DAY


def walked(*readings: tuple[str, int, int]) -> Steps:
    """Totals of devices, by hours since midnight."""
    bench = Bench(now_ms=MIDNIGHT + 2 * DAY)
    bench.add_user()
    grant = bench.grant()
    bench.declare(grant, A, zero_at(MIDNIGHT))
    for seq, (device, hour, total) in enumerate(readings):
        counter = Counter(id=device, from_=50)
        one = series_of(
            [total], [hour * HOUR], first=seq, device=device, metric="steps", counter=counter
        )
        bench.publish(grant, A, one)
    folded = Folded(bench.transaction, 1, "steps")

    def day_of(minute: int) -> tuple[int, int]:
        begins_ms = minute * MINUTE_MS // DAY * DAY
        return begins_ms, begins_ms + DAY

    return Steps(bench.transaction, folded, day_of)


def test_a_total_that_falls_takes_nothing_back() -> None:
    steps = walked(("pod", 1, 100), ("pod", 2, 80), ("pod", 3, 90), ("pod", 4, 130))
    first = MIDNIGHT // HOUR
    taken = [taken.steps for _, taken in steps.hours(first, first + 24)]
    assert taken == [50, 0, 0, 30]
    assert steps.day(MIDNIGHT // MINUTE_MS) == Taken(4, 80)


def test_a_page_that_begins_within_a_day_knows_how_far_counters_were() -> None:
    steps = walked(("pod", 1, 100), ("pod", 5, 150))
    first = MIDNIGHT // HOUR
    assert [taken for _, taken in steps.hours(first + 5, first + 6)] == [Taken(1, 50)]


def test_each_day_has_one_device() -> None:
    steps = walked(("pod", 1, 100), ("watch", 2, 900), ("watch", 26, 950))
    today = MIDNIGHT // MINUTE_MS
    assert (steps.day(today), steps.day(today + 1_440)) == (Taken(1, 50), Taken(1, 50))
    assert steps.device_key == 2
    assert [steps.device_of(today + 1_440 * day) for day in range(3)] == [1, 2, None]
