"""Pages of history: whose they are, where they end, and what is refused."""

from __future__ import annotations

import base64
import json
import sqlite3
from typing import Any

import pytest

from strapline_protocol.asking import HistoryParams, Resolution
from strapline_protocol.opening import Role
from strapline_server.store import history
from strapline_server.store.coarse import Coarse
from strapline_server.store.columns import sound
from strapline_server.store.history import read_history
from strapline_server.store.people import Grant, change_user
from strapline_server.store.queries import load_migrations
from tests.unit.server.store_kit import (
    EPOCH,
    HOUR,
    NOON,
    Bench,
    series_of,
    stream_named,
    zero_at,
)

A, B = stream_named("A"), stream_named("B")
COARSE = [Resolution.SECOND, Resolution.MINUTE, Resolution.HOUR, Resolution.DAY]


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.add_user()
    return bench


@pytest.fixture
def bridge(bench: Bench) -> Grant:
    grant = bench.grant()
    for stream in (A, B):
        bench.declare(grant, stream, zero_at(NOON - 48 * HOUR))
    return grant


def measure(bench: Bench, bridge: Grant, hours: int = 5) -> None:
    """A rate of 60, 61, … at the beginning of each of the last hours."""
    times = [(48 - hours + hour) * HOUR for hour in range(hours)]
    bench.publish(bridge, A, series_of([60 + hour for hour in range(hours)], times))


def refusal(bench: Bench, **params: Any) -> str:
    asked: dict[str, Any] = {"user": "ana", "metric": "heart_rate", "from_ms": 0, "to_ms": 2**52}
    with pytest.raises(ValueError, match=r".") as caught:
        read_history(bench.transaction, EPOCH, "pi", HistoryParams(**{**asked, **params}))
    return str(caught.value)


def test_a_page_is_as_the_protocol_says(bench: Bench, bridge: Grant) -> None:
    measure(bench, bridge)
    page = bench.history(resolution=Resolution.HOUR, limit=3)
    (told,) = page.stretches
    assert told.at_ms == [NOON - 5 * HOUR, HOUR, HOUR]
    assert (told.count, told.average) == ([1, 1, 1], [60, 61, 62])
    assert told.min == told.max == told.average
    assert (told.device, told.taken, page.series, page.zone) == (None, None, [], None)
    assert (page.resolution, page.position) == (Resolution.HOUR, (EPOCH, 1))
    rest = bench.history(resolution=Resolution.HOUR, limit=2, after=page.next)
    assert [one.average for one in rest.stretches] == [[63, 64]]
    assert rest.next is None
    empty = bench.history(resolution=Resolution.HOUR, from_ms=NOON, to_ms=NOON)
    assert (empty.stretches, empty.next) == ([], None)


def test_days_are_those_of_a_zone_that_is_named(bench: Bench, bridge: Grant) -> None:
    measure(bench, bridge, 24)
    page = bench.history(resolution=Resolution.DAY)
    assert page.zone == "Europe/Vienna"
    # Noon in UTC is 13:00 in Vienna.
    assert [(one.at_ms, one.count) for one in page.stretches] == [
        ([NOON - 37 * HOUR, 24 * HOUR], [11, 13])
    ]


def test_raw_readings_name_their_stream(bench: Bench, bridge: Grant) -> None:
    bench.publish(bridge, A, series_of([60, 61], [0, 2_000]))
    bench.publish(bridge, B, series_of([70], [1_000], first=7, device="watch"))
    page = bench.history()
    assert [(one.stream, one.numbers(), one.value) for one in page.series] == [
        (A, [0, 1], [60, 61]),
        (B, [7], [70]),
    ]


@pytest.mark.parametrize("resolution", Resolution)
def test_a_cursor_is_of_one_question(bench: Bench, bridge: Grant, resolution: Resolution) -> None:
    measure(bench, bridge)
    bench.add_user("ben")
    asked: dict[str, Any] = {"resolution": resolution, "from_ms": NOON - 30 * HOUR}
    after = bench.history(limit=1, **asked).next
    if resolution is Resolution.DAY:
        assert after is None
        asked["from_ms"] = NOON - 80 * HOUR
        bench.publish(bridge, A, series_of([99], [0], first=50))
        after = bench.history(limit=1, **asked).next
    assert after is not None
    assert len(after) <= 128
    # As many as are wanted of the rest.
    assert bench.history(limit=9_999, after=after, **asked).next is None
    others: list[dict[str, Any]] = [
        *({"resolution": other} for other in Resolution if other is not resolution),
        {"user": "ben"},
        {"metric": "cadence"},
        {"from_ms": asked["from_ms"] + 1},
        {"to_ms": 2**51},
    ]
    for other in others:
        assert "begins anew without after" in refusal(bench, after=after, **{**asked, **other})
    if resolution is Resolution.DAY:
        change_user(bench.transaction, "ana", None, "Asia/Tokyo")
        assert "no page of this question" in refusal(bench, after=after, **asked)


def forged(cursor: str, *place: object) -> str:
    padded = cursor + "=" * (-len(cursor) % 4)
    question = json.loads(base64.urlsafe_b64decode(padded))[0]
    return base64.urlsafe_b64encode(json.dumps([question, *place]).encode()).decode().rstrip("=")


@pytest.mark.parametrize("resolution", [Resolution.RAW, Resolution.HOUR])
def test_what_is_no_cursor_is_refused(bench: Bench, bridge: Grant, resolution: Resolution) -> None:
    measure(bench, bridge)
    good = bench.history(limit=1, resolution=resolution).next
    assert good is not None
    bad = [
        "none",
        "W10",
        forged(good),
        forged(good, 1),
        forged(good, "1", 2),
        forged(good, 2**53, 1),
        forged(good, 1, 10**30),
        forged(good, 1, "s", -(2**60)),
        forged(good, 1.5, 2),
        base64.urlsafe_b64encode(b"[" * 90).decode().rstrip("="),
    ]
    for after in bad:
        assert "no page of this question" in refusal(bench, after=after, resolution=resolution)


@pytest.mark.parametrize("metric", ["session", "mark", "summary"])
def test_what_is_said_has_no_stretches(bench: Bench, bridge: Grant, metric: str) -> None:
    assert bridge.sub == "pi"
    for resolution in COARSE:
        said = refusal(bench, metric=metric, resolution=resolution)
        assert said.startswith(f"{metric} is said, not measured")
        assert "resolution raw" in said
    assert bench.history(metric=metric).series == []


@pytest.mark.parametrize("resolution", Resolution)
def test_what_is_not_granted_looks_like_what_there_is_not(
    bench: Bench, bridge: Grant, resolution: Resolution
) -> None:
    measure(bench, bridge)
    bench.add_user("ben")
    bench.grant("eye", Role.VIEWER, users=["ben"], metrics=["heart_rate", "steps"])
    asked: dict[str, Any] = {"from_ms": 0, "to_ms": 2**52, "after": "none"}
    asked["resolution"] = resolution
    params = HistoryParams(user="ana", metric="heart_rate", **asked)
    for user, metric in [("ana", "heart_rate"), ("nobody", "steps"), ("ben", "session")]:
        params = HistoryParams(user=user, metric=metric, **asked)
        assert read_history(bench.transaction, EPOCH, "eye", params) is None
    assert read_history(bench.transaction, EPOCH, "nobody", params) is None


def test_a_page_may_end_between_two_devices(bench: Bench, bridge: Grant) -> None:
    for device, stream in (("strap", A), ("watch", B)):
        levels = series_of([90, 80], [0, HOUR], device=device, metric="battery")
        bench.publish(bridge, stream, levels)
    asked: dict[str, Any] = {"metric": "battery", "resolution": Resolution.HOUR, "limit": 1}
    found = []
    after = None
    for _ in range(4):
        page = bench.history(after=after, **asked)
        (told,) = page.stretches
        found.append((told.at_ms[0] - NOON + 48 * HOUR, told.device, told.min))
        after = page.next
    assert after is None
    assert found == [
        (0, "strap", [90]),
        (0, "watch", [90]),
        (HOUR, "strap", [80]),
        (HOUR, "watch", [80]),
    ]
    whole = bench.history(**{**asked, "limit": 9}).stretches
    assert [(one.device, one.at_ms[1]) for one in whole] == [("strap", HOUR), ("watch", HOUR)]


def test_a_page_that_had_to_read_much_is_shorter(
    bench: Bench, bridge: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = range(0, 2_000_000, 1_000)
    bench.publish(bridge, A, series_of([60] * 2_000, times))
    monkeypatch.setattr(history, "_MOST_READ", 150)
    found: list[int] = []
    after: str | None = None
    while sum(found) < 2_000:
        page = bench.history(resolution=Resolution.SECOND, after=after)
        after = page.next
        found += [len(one.at_ms) for one in page.stretches]
    assert after is None
    assert sum(found) == 2_000
    assert len(found) == 14
    assert all(140 <= length <= 150 for length in found[:-1])


@pytest.mark.parametrize("second", [False, True])
def test_a_page_of_a_strap_on_the_table_is_empty_and_bounded(
    bench: Bench, bridge: Grant, monkeypatch: pytest.MonkeyPatch, second: bool
) -> None:
    """Ten days of zeros, of one source or beside another, between two readings of a body."""
    days, block = 10, 1_800
    for index in range(days * 48):
        times = range(index * block * 1_000, (index + 1) * block * 1_000, 1_000)
        bench.publish(bridge, A, series_of([0] * block, times, first=index * block))
    ends_ms = days * 24 * HOUR
    if second:
        bench.publish(bridge, B, series_of([0], [0], device="watch"))
    bench.publish(bridge, A, series_of([61], [ends_ms], first=days * 48 * block))
    read: list[int] = []

    def counted(block_key: int, data: bytes) -> Any:
        read.append(block_key)
        return sound(block_key, data)

    monkeypatch.setattr("strapline_server.store.ordered.sound", counted)
    after: str | None = None
    pages = []
    while True:
        read.clear()
        page = bench.history(resolution=Resolution.SECOND, limit=1, after=after)
        # 100,000 readings, and those of the blocks at either end of them.
        assert len(read) <= 60
        pages.append(page.stretches)
        assert page.next != after
        if (after := page.next) is None:
            break
    assert len(pages) == 9
    assert pages[:-1] == [[]] * 8
    ((told,),) = pages[-1:]
    assert (told.count, told.average) == ([1], [61])


@pytest.mark.parametrize("resolution", COARSE)
def test_a_page_of_steps_that_count_nothing_is_empty_and_bounded(
    bench: Bench, bridge: Grant, monkeypatch: pytest.MonkeyPatch, resolution: Resolution
) -> None:
    times = range(0, 40 * 24 * HOUR, HOUR // 2)
    values = list(range(len(times)))
    bench.publish(bridge, A, series_of(values, times, metric="steps"))
    monkeypatch.setattr(history, "_MOST_READ", 100)
    made: list[Coarse] = []

    def kept(*question: Any) -> Coarse:
        made.append(Coarse(*question))
        return made[-1]

    monkeypatch.setattr(history, "Coarse", kept)
    after: str | None = None
    pages = 0
    while True:
        page = bench.history(metric="steps", resolution=resolution, after=after)
        assert page.stretches == []
        pages += 1
        if (after := page.next) is None:
            break
    # A day's sums are read in one, up to its hours and the minutes of one.
    assert max(one.cost for one in made) <= 100 + 2 * 24 + 60
    assert pages > 5


def test_a_page_holds_as_many_stretches_as_it_may(bench: Bench, bridge: Grant) -> None:
    for part in range(6):
        times = range(part * 2_000_000, (part + 1) * 2_000_000, 1_000)
        bench.publish(bridge, A, series_of([60] * 2_000, times, first=part * 2_000))
    page = bench.history(resolution=Resolution.SECOND, limit=10_000)
    assert [len(one.at_ms) for one in page.stretches] == [10_000]
    rest = bench.history(resolution=Resolution.SECOND, limit=10_000, after=page.next)
    assert [len(one.at_ms) for one in rest.stretches] == [2_000]


def test_the_end_of_time_has_days_too(bench: Bench, bridge: Grant) -> None:
    for number, (stream, wall_ms) in enumerate(
        ((stream_named("X"), 2**53), (stream_named("Y"), 0))
    ):
        bench.declare(bridge, stream, zero_at(min(wall_ms, 2**53 - 1)))
        bench.publish(bridge, stream, series_of([60 + number], [0]))
    for resolution in COARSE:
        page = bench.history(resolution=resolution, to_ms=2**53 - 1)
        # 1970 begins in Vienna with an hour of the day before.
        first = [] if resolution is Resolution.DAY else [61]
        assert [value for one in page.stretches for value in one.average or []] == [*first, 60]


def test_an_average_lies_within_what_it_is_of(bench: Bench, bridge: Grant) -> None:
    values = [0.12349, 0.12349, 0.12349]
    bench.publish(bridge, A, series_of(values, [0, 1, 2], metric="x_new"))
    (told,) = bench.history(metric="x_new", resolution=Resolution.MINUTE).stretches
    assert (told.average, told.min, told.max) == ([0.12349], [0.12349], [0.12349])
    bench.publish(
        bridge, A, series_of([1, 2, 2], [60_000, 60_001, 60_002], first=9, metric="x_new")
    )
    (told,) = bench.history(metric="x_new", resolution=Resolution.MINUTE).stretches
    assert told.average == [0.12349, 1.667]


def test_hours_of_a_store_that_had_none_are_made_of_its_minutes(
    bench: Bench, bridge: Grant
) -> None:
    times = [0, 59_000, 60_000, HOUR - 1, HOUR, 3 * HOUR + 7]
    bench.publish(bridge, A, series_of([60, 70, 80, 90, 100, 110], times))
    bench.publish(bridge, B, series_of([5, 6], [0, HOUR], device="pod", metric="cadence"))
    minutes = bench.rows("SELECT * FROM minutes")
    old = sqlite3.connect(":memory:")
    for number, _, script in load_migrations():
        if number == 4:
            marks = ", ".join("?" * len(minutes[0]))
            old.executemany(f"INSERT INTO minutes VALUES ({marks})", minutes)  # noqa: S608  # ours
        old.executescript(script)
    assert old.execute("SELECT * FROM hours").fetchall() == bench.rows("SELECT * FROM hours")
    assert len(bench.rows("SELECT * FROM hours")) == 5
    old.close()
