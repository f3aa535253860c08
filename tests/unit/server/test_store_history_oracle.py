"""Whatever came, and however it came: every resolution says what the readings say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from strapline_protocol.asking import HistoryPage, Resolution
from strapline_protocol.publishing import Anchor, ClockSource, Zero
from strapline_protocol.series import Counter, Series, differences
from strapline_server.store import history
from strapline_server.store.aggregates import Aggregates
from strapline_server.store.people import Grant, find_user
from tests.unit.server.history_oracle import HOUR, MINUTE, Oracle, Reading
from tests.unit.server.store_kit import Bench, stream_named

METRICS = ["heart_rate", "steps", "battery", "speed"]
DEVICES = ["strap-1", "watch-2", "pod-3"]
STREAMS = [stream_named(letter) for letter in "ABC"]
#: Zones and moments: clocks that are set, midnights that come twice or never, odd offsets.
PLACES = [
    ("UTC", "2026-11-24T23:40"),
    ("Europe/Vienna", "2026-10-24T21:50"),
    ("Europe/Vienna", "2026-03-28T22:50"),
    ("Asia/Kathmandu", "2026-06-01T18:00"),
    ("America/St_Johns", "2010-11-07T02:00"),
    ("America/St_Johns", "2026-03-08T03:00"),
    ("America/Havana", "2024-11-03T03:30"),
    ("Pacific/Chatham", "2026-04-04T10:00"),
    ("Pacific/Apia", "2011-12-29T09:00"),
]


@dataclass(frozen=True)
class Taken:
    """One reading, as it was taken."""

    stream: int
    seq: int
    device: str
    metric: str
    elapsed_ms: int
    value: float | None
    contact: bool
    on_change: bool
    counter: str


@st.composite
def recordings(draw: st.DrawFn) -> list[Taken]:
    """What three runs of bridges took with three devices, some of it side by side."""
    readings: list[Taken] = []
    for stream in range(3):
        elapsed = 0
        # Mostly one metric of one device, as it is; else little would ever meet.
        metrics = [draw(st.sampled_from(METRICS))] * 6 + METRICS
        devices = [draw(st.sampled_from(DEVICES))] * 3 + DEVICES
        for seq in range(draw(st.integers(0, 16))):
            steps = [0, 300, 1_000, 1_000, 2_500, 4_999, 5_000, 61_000, 17 * MINUTE, 5 * HOUR]
            elapsed += draw(st.sampled_from(steps))
            metric = draw(st.sampled_from(metrics))
            device = draw(st.sampled_from(devices))
            value: float | None = draw(st.sampled_from([None, 0, 24, 60, 61, 180, 251]))
            counter = ""
            if metric == "steps":
                counter = draw(st.sampled_from(["", *[f"{device}-a"] * 4, f"{device}-b"]))
                # Mostly it grows; a device may do anything.
                value = draw(st.sampled_from([100, 90, 140])) + 20 * seq
            elif metric == "battery":
                value = draw(st.sampled_from([None, 0, 55, 100]))
            elif metric == "speed":
                value = draw(st.sampled_from([None, 0, 0.25, 2.75, 15]))
            on_change = metric == "speed" and device == "pod-3"
            contact = metric != "heart_rate" or draw(st.booleans())
            one = (stream, seq, device, metric, elapsed, value, contact, on_change, counter)
            readings.append(Taken(*one))
    return readings


@st.composite
def zeros(draw: st.DrawFn, base_ms: int) -> list[Zero]:
    """What was believed of a stream's time, the last of it being true."""
    begins_ms = base_ms + draw(st.sampled_from([0, 200, 3_100, 7 * MINUTE, -3 * HOUR]))
    stretched = [anchor(0, begins_ms), anchor(2_000, begins_ms + 9_000)]
    true = draw(st.sampled_from([[anchor(0, begins_ms)], stretched]))
    wrong = draw(
        st.lists(
            st.sampled_from([begins_ms + 500, begins_ms - 26 * HOUR, 40_000, begins_ms + HOUR]),
            max_size=2,
        )
    )
    believed = [*([anchor(0, wall_ms)] for wall_ms in wrong), true]
    return [Zero(version=version, anchors=anchors) for version, anchors in enumerate(believed)]


def anchor(elapsed_ms: int, wall_ms: int) -> Anchor:
    return Anchor(
        elapsed_ms=elapsed_ms, wall_ms=wall_ms, uncertainty_ms=10, source=ClockSource.SYSTEM
    )


def as_series(taken: Sequence[Taken]) -> Series:
    first = taken[0]
    columns: dict[str, Any] = {"on_change": first.on_change}
    if first.counter:
        columns["counter"] = Counter(id=first.counter, from_=100)
    if first.metric == "heart_rate":
        columns["contact"] = [one.contact for one in taken]
    return Series(
        user="ana",
        device=first.device,
        metric=first.metric,
        seq=differences([one.seq for one in taken]),
        elapsed_ms=differences([one.elapsed_ms for one in taken]),
        value=[one.value for one in taken],
        **columns,
    )


def batches(taken: Sequence[Taken]) -> list[list[Taken]]:
    """All of it in series that the wire allows."""
    groups: dict[object, list[Taken]] = {}
    for one in taken:
        groups.setdefault((one.stream, one.device, one.metric, one.counter), []).append(one)
    return list(groups.values())


def store(bench: Bench, grant: Grant, taken: Sequence[Taken], data: st.DataObject) -> list[Zero]:
    """Let it come in any order, with repeats and corrections of time; what time was in the end."""
    whole = batches(taken)
    single = [[one] for batch in whole for one in batch if data.draw(st.integers(0, 3)) == 0]
    deeds: list[Any] = [*whole, *single]
    believed = [data.draw(zeros(bench.now_ms)) for _ in STREAMS]
    for stream, ideas in enumerate(believed):
        bench.declare(grant, STREAMS[stream], ideas[0])
        deeds += [(stream, idea) for idea in ideas[1:]]
    for deed in data.draw(st.permutations(deeds)):
        bench.now_ms += data.draw(st.sampled_from([0, 0, 1_000, 3 * HOUR]))
        if isinstance(deed, tuple):
            stream, zero = deed
            bench.declare(grant, STREAMS[stream], zero)
        else:
            bench.publish(grant, STREAMS[deed[0].stream], as_series(deed))
        if data.draw(st.integers(0, 4)) == 0:
            bench.cool()
    return [ideas[-1] for ideas in believed]


def oracle_of(bench: Bench, taken: Sequence[Taken], truth: Sequence[Zero], zone: str) -> Oracle:
    readings = [
        Reading(
            at_ms=truth[one.stream].wall_ms(one.elapsed_ms),
            device=one.device,
            metric=one.metric,
            value=one.value,
            contact=one.contact,
            on_change=one.on_change,
            counter=one.counter,
            order=(STREAMS[one.stream], one.seq),
        )
        for one in taken
    ]
    order: dict[str, list[str]] = {}
    for metric, device in bench.rows(
        "SELECT metric, id FROM source_order JOIN devices USING (device_key) ORDER BY place"
    ):
        order.setdefault(metric, []).append(device)
    origins = {f"{device}-{letter}": 100 for device in DEVICES for letter in "ab"}
    return Oracle(readings, order, zone, origins)


def asked(bench: Bench, limit: int, **params: Any) -> dict[tuple[int, str], tuple[Any, ...]]:
    """All pages of one question, as the oracle says it."""
    found: dict[tuple[int, str], tuple[Any, ...]] = {}
    after: str | None = None
    while True:
        page = bench.history(limit=limit, after=after, **params)
        of_page = flat(page)
        assert len(of_page) <= limit
        told = [at for at, _ in found]
        assert not told or not of_page or min(of_page)[0] >= max(told)
        assert not found.keys() & of_page.keys()
        found |= of_page
        assert page.next is None or page.next != after
        if (after := page.next) is None:
            return found


def flat(page: HistoryPage) -> dict[tuple[int, str], tuple[Any, ...]]:
    found: dict[tuple[int, str], tuple[Any, ...]] = {}
    for told in page.stretches:
        at_ms = 0
        for row, step in enumerate(told.at_ms):
            at_ms += step
            if told.taken is not None:
                assert told.average is told.min is told.max is None
                what: tuple[Any, ...] = (told.count[row], told.taken[row])
            else:
                assert told.average is not None
                assert told.min is not None
                assert told.max is not None
                what = (told.count[row], told.average[row], told.min[row], told.max[row])
            found[at_ms, told.device or ""] = what
    return found


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_every_resolution_says_what_the_readings_say(data: st.DataObject) -> None:
    zone, moment = data.draw(st.sampled_from(PLACES))
    base_ms = int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()) * 1_000
    bench = Bench(now_ms=base_ms)
    bench.add_user(zone=zone)
    grant = bench.grant()
    taken = data.draw(recordings())
    truth = store(bench, grant, taken, data)
    shuffle_ranks(bench, data)
    oracle = oracle_of(bench, taken, truth, zone)
    if not taken:
        return
    times = [one.at_ms for one in oracle.readings]
    offsets = [-2 * HOUR, -1_500, -1, 0, 1, 700, 30_000, 9 * HOUR]
    ends = st.tuples(st.sampled_from(times), st.sampled_from(offsets)).map(sum)
    from_ms, to_ms = sorted((max(0, data.draw(ends)), max(0, data.draw(ends))))
    limit = data.draw(st.sampled_from([1, 2, 7, 10_000]))
    # A page that has read as much ends, be it empty.
    most_read = data.draw(st.sampled_from([0, 3, 100_000]))
    with patch.object(history, "_MOST_READ", most_read):
        check_pages(bench, oracle, from_ms, to_ms, limit)
    check_steps_add_up(bench)
    check_between(bench, oracle, from_ms, to_ms)


def check_pages(bench: Bench, oracle: Oracle, from_ms: int, to_ms: int, limit: int) -> None:
    for metric in METRICS:
        for resolution in (Resolution.SECOND, Resolution.MINUTE, Resolution.HOUR, Resolution.DAY):
            expected = {
                key: what
                for key, what in oracle.stretches(metric, resolution).items()
                if from_ms <= key[0] < to_ms
            }
            question: dict[str, Any] = {"metric": metric, "resolution": resolution}
            found = asked(bench, limit, from_ms=from_ms, to_ms=to_ms, **question)
            assert found == expected, (metric, resolution)


def shuffle_ranks(bench: Bench, data: st.DataObject) -> None:
    """The order of sources changes after all is stored, as when their owner says another."""
    for metric in METRICS:
        run = bench.connection.execute
        rows = run("SELECT device_key FROM latest WHERE metric = ?", (metric,)).fetchall()
        keys = data.draw(st.permutations([row["device_key"] for row in rows]))
        for rank, key in enumerate(keys):
            run(
                "UPDATE latest SET rank = ? WHERE metric = ? AND device_key = ?",
                (rank, metric, key),
            )


def check_steps_add_up(bench: Bench) -> None:
    """The steps of a day are those of its seconds, its minutes and its hours."""
    sums = {
        resolution: sum(
            taken
            for _, taken in asked(bench, 10_000, metric="steps", resolution=resolution).values()
        )
        for resolution in (Resolution.SECOND, Resolution.MINUTE, Resolution.HOUR, Resolution.DAY)
    }
    assert len(set(sums.values())) == 1, sums


def check_between(bench: Bench, oracle: Oracle, from_ms: int, to_ms: int) -> None:
    user = find_user(bench.transaction, "ana")
    assert user is not None
    aggregates = Aggregates(bench.transaction)
    for metric in ("heart_rate", "speed"):
        found = aggregates.between(user.key, metric, from_ms, to_ms)
        average = round(found.total / found.count, 3) if found.count else 0
        said = (found.count, average, found.low, found.high) if found.count else None
        assert said == oracle.between(metric, from_ms, to_ms)
