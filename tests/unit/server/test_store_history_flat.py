"""What a page of history, a live reading and a correction cost does not grow with what is stored.

Counted in steps of SQLite's machine and in blocks that were read, not in time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import pytest

from strapline_protocol.asking import Resolution
from strapline_protocol.series import Counter
from strapline_server.store.aggregates import Aggregates
from strapline_server.store.columns import pack, sound
from strapline_server.store.people import find_user
from strapline_server.store.sources import put_order
from tests.unit.server.store_kit import HOUR, NOON, Bench, series_of, stream_named, zero_at

MINUTE = 60_000
AMOUNTS = {"hour": 1, "month": 30 * 24, "year": 365 * 24}
METRICS = ["heart_rate", "steps"]
#: Two wearables that are worn together, all the time; one of them counts steps.
DEVICES = {1: "strap", 2: "watch"}
LIVE = stream_named("L")
BLOCK = 1_800

_MINUTES = """
WITH RECURSIVE spans (minute) AS (
    SELECT :first UNION ALL SELECT minute + 1 FROM spans WHERE minute + 1 < :end
)
INSERT INTO minutes
SELECT 1, :metric, minute, :device, :counter, 60, 60, 60 * (minute - :first) + 120, 5400,
       minute * 60000 + 59000, 60 * minute, 60 * (minute - :first) + 120
FROM spans
"""
_HOURS = """
INSERT INTO hours
SELECT user_key, metric, minute / 60, device_key, counter,
       sum(count), min(low), max(high), sum(total), sum(1 << (minute % 60))
FROM minutes GROUP BY user_key, metric, minute / 60, device_key, counter
"""


class Stored(Bench):
    """A store that has been filled at 1 Hz up to noon."""

    def __init__(self, hours: int) -> None:
        super().__init__()
        self.add_user(zone="UTC")
        self.bridge = self.grant()
        run = self.connection.execute
        run("BEGIN")
        for key, device in DEVICES.items():
            run("INSERT INTO devices (device_key, id) VALUES (?, ?)", (key, device))
        for metric in METRICS:
            for key in DEVICES if metric == "heart_rate" else [1]:
                self._fold(metric, key, hours)
            self._insert(metric, hours)
        run(_HOURS)
        run("INSERT INTO counters VALUES (1, 1, 'c', 0)")
        run("COMMIT")
        self.declare(self.bridge, LIVE, zero_at(NOON))

    def _fold(self, metric: str, key: int, hours: int) -> None:
        span = {"first": NOON // MINUTE - 60 * hours, "end": NOON // MINUTE}
        counter = "c" if metric == "steps" else ""
        named = {**span, "metric": metric, "device": key, "counter": counter}
        self.connection.execute(_MINUTES, named)
        self.connection.execute(
            "INSERT INTO latest (user_key, metric, device_key, rank) VALUES (1, ?, ?, ?)",
            (metric, key, key),
        )
        self.connection.execute("INSERT OR IGNORE INTO heads VALUES (1, ?, 0, 0)", (metric,))

    def _insert(self, metric: str, hours: int) -> None:
        """Each half hour's readings, one block of a stream of its own."""
        times = range(0, BLOCK * 1_000, 1_000)
        columns: dict[str, Any] = {"counter": Counter(id="c", from_=0)} if metric == "steps" else {}
        series = series_of([100] * BLOCK, times, device="strap", metric=metric, **columns)
        data = pack(series, for_good=True)
        last_ms = times[-1]
        for begins_ms in range(NOON - hours * HOUR, NOON, HOUR // 2):
            (stream_key,) = self.connection.execute(
                "INSERT INTO streams (id, owner, next_seq, zero_version, zero) "
                "VALUES (?, 'pi', ?, 1, ?) RETURNING stream_key",
                (
                    f"{metric[0]}{begins_ms:021}",
                    BLOCK,
                    zero_at(begins_ms).model_dump_json(by_alias=True),
                ),
            ).fetchone()
            self.connection.execute(
                "INSERT INTO blocks (user_key, stream_key, device_key, metric, first_seq, last_seq,"
                " first_elapsed_ms, last_elapsed_ms, from_ms, to_ms, count, low, high, total,"
                " committed_ms, judged_ms, data)"
                " VALUES (1, ?, 1, ?, 0, ?, 0, ?, ?, ?, ?, 100, 100, 180000, ?, ?, ?)",
                (
                    stream_key,
                    metric,
                    BLOCK - 1,
                    last_ms,
                    begins_ms,
                    begins_ms + last_ms,
                    BLOCK,
                    begins_ms,
                    begins_ms,
                    data,
                ),
            )

    def cost(self, deed: Callable[[], object]) -> int:
        """How many steps SQLite's machine makes for it."""
        steps = count()
        self.connection.set_progress_handler(lambda: next(steps) and 0, 1)
        deed()
        self.connection.set_progress_handler(None, 0)
        return next(steps)


@pytest.fixture(scope="module")
def stores() -> dict[str, Stored]:
    return {name: Stored(hours) for name, hours in AMOUNTS.items()}


@pytest.fixture
def blocks_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The blocks that were unpacked."""
    read: list[int] = []

    def counted(block_key: int, data: bytes) -> Any:
        read.append(block_key)
        return sound(block_key, data)

    monkeypatch.setattr("strapline_server.store.ordered.sound", counted)
    return read


def pages(bench: Bench, **question: Any) -> list[str | None]:
    """Two pages, the second in the middle of what there is."""
    first = bench.history(**question).next
    return [first, bench.history(**question, after=first).next]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("resolution", "back_ms", "most"),
    [
        (Resolution.RAW, HOUR // 2, 500),
        (Resolution.SECOND, HOUR // 2, 5_000),
        (Resolution.MINUTE, HOUR // 2, 5_000),
        (Resolution.HOUR, HOUR, 3_000),
        (Resolution.DAY, 12 * HOUR, 3_000),
    ],
)
def test_the_same_page_costs_the_same_of_an_hour_and_of_a_year(
    stores: dict[str, Stored],
    blocks_read: list[int],
    metric: str,
    resolution: Resolution,
    back_ms: int,
    most: int,
) -> None:
    costs, read = {}, {}
    question: dict[str, Any] = {"metric": metric, "resolution": resolution, "limit": 10}
    for name, bench in stores.items():
        blocks_read.clear()
        span = {"from_ms": NOON - back_ms, "to_ms": NOON}
        costs[name] = bench.cost(partial(pages, bench, **span, **question))
        read[name] = len(blocks_read)
    assert costs["month"] == costs["year"], costs
    # A day of one hour is read sooner than one of twelve.
    assert costs["hour"] <= costs["year"] <= most, costs
    # Seconds look back for who was speaking: into the block before.
    assert max(read.values()) <= (4 if resolution is Resolution.SECOND else 2), read


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("resolution", Resolution)
def test_a_page_of_everything_costs_what_is_on_it(
    stores: dict[str, Stored], blocks_read: list[int], metric: str, resolution: Resolution
) -> None:
    costs, read = {}, {}
    for name in ("month", "year"):
        blocks_read.clear()
        question: dict[str, Any] = {"metric": metric, "resolution": resolution, "limit": 10}
        costs[name] = stores[name].cost(partial(pages, stores[name], **question))
        read[name] = len(blocks_read)
    # Each block read names its stream, found in a tree that is a little deeper.
    assert abs(costs["year"] - costs["month"]) <= 0.1 * costs["month"], costs
    assert costs["year"] <= 20_000, costs
    assert max(read.values()) <= 2, read


def test_a_live_reading_costs_the_same_after_an_hour_and_after_a_year(
    stores: dict[str, Stored],
) -> None:
    for metric, first, most in (("heart_rate", 0, 2_000), ("steps", 3, 3_000)):
        costs = {}
        counter: dict[str, Any] = {"counter": Counter(id="c", from_=0)} if metric == "steps" else {}
        for name, bench in stores.items():
            spent = []
            for number in range(first, first + 3):
                bench.now_ms = NOON + number * 1_000
                series = series_of(
                    [100], [number * 1_000], first=number, device="strap", metric=metric, **counter
                )
                spent.append(bench.cost(partial(bench.publish, bench.bridge, LIVE, series)))
            # The first of a metric finds nothing kept.
            costs[name] = spent[-1]
        assert costs["month"] == costs["year"], costs
        assert costs["hour"] <= costs["year"] <= most, costs


def test_what_a_session_asks_costs_the_same_after_an_hour_and_after_a_year(
    stores: dict[str, Stored],
) -> None:
    costs = {
        name: bench.cost(
            partial(
                Aggregates(bench.transaction).between, 1, "heart_rate", NOON - 2_222_222, NOON - 777
            )
        )
        for name, bench in stores.items()
    }
    assert costs["month"] == costs["year"] <= 3_000, costs
    assert costs["year"] - costs["hour"] <= 10, costs


def test_another_order_of_sources_reads_no_minute_but_those_of_two_hours(
    stores: dict[str, Stored],
) -> None:
    costs = {}
    for name, bench in stores.items():
        user = find_user(bench.transaction, "ana")
        assert user is not None
        order = partial(put_order, bench.transaction, user, "heart_rate")
        costs[name] = bench.cost(partial(order, ["watch"]))
        (told,) = order([])
        assert told.from_ms == NOON - AMOUNTS[name] * HOUR
    # Two sums an hour.
    assert costs["year"] <= 35 * 2 * AMOUNTS["year"], costs


def test_a_correction_of_time_costs_what_moves(
    stores: dict[str, Stored], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bridge without a clock began in 1970: what lies between then and now is not read."""
    read: list[int] = []

    def counted(block_key: int, data: bytes) -> Any:
        read.append(block_key)
        return sound(block_key, data)

    monkeypatch.setattr("strapline_server.store.blocks.sound", counted)
    bench = stores["year"]
    stream = stream_named("P")
    bench.declare(bench.bridge, stream, zero_at(40_000))
    bench.publish(bench.bridge, stream, series_of([77] * 9, range(9), device="strap"))
    bench.declare(bench.bridge, stream, zero_at(NOON - 90_000, version=2))
    # The moved one, twice, those of its hour, and those of the device's newest readings.
    assert len(read) <= 16
    page = bench.history(from_ms=NOON - 90_000, to_ms=NOON - 89_990)
    assert [value for series in page.series for value in series.value].count(77) == 9
