"""Whatever the order of batches, repeats and corrections of time, the state is the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from strapline_protocol.publishing import Acknowledged
from strapline_protocol.series import Counter, Series, differences
from strapline_protocol.watching import HeartRateData, StepsData
from strapline_server.days import day_of, zone_named
from strapline_server.store.accounts import Accounts
from tests.unit.server.store_kit import HOUR, NOON, Bench, stream_named, zero_at

DAY_BEGINS, DAY_ENDS = day_of(NOON, zone_named("Europe/Vienna"))
STREAMS = [stream_named("A"), stream_named("B")]
#: How far each stream's first idea of its time is off.
FIRST_ERROR_MS = 2 * HOUR + 1_234


@dataclass(frozen=True)
class Taken:
    """One reading, as it was taken."""

    stream: int
    seq: int
    device: str
    metric: str
    elapsed_ms: int
    value: int | None
    contact: bool
    counter: int


@st.composite
def recordings(draw: st.DrawFn) -> list[Taken]:
    """What two runs of a bridge took over two days, with two straps."""
    readings: list[Taken] = []
    totals: dict[tuple[str, int], int] = {}
    for stream in range(2):
        elapsed = 0
        for seq in range(draw(st.integers(1, 14))):
            elapsed += draw(st.sampled_from([0, 900, 1_000, 61_000, 3_700_000, 9 * HOUR]))
            device = draw(st.sampled_from(["strap-1", "strap-2"]))
            metric = draw(st.sampled_from(["heart_rate", "steps"]))
            value = draw(st.sampled_from([None, 0, 24, 60, 61, 180, 251]))
            counter = draw(st.integers(0, 1))
            if metric == "steps":
                # Each run of a strap's counter only ever grows.
                counter += 10 * stream
                total = totals.get((device, counter), 100) + draw(st.integers(0, 500))
                totals[device, counter] = value = total
            contact = draw(st.booleans())
            readings.append(Taken(stream, seq, device, metric, elapsed, value, contact, counter))
    return readings


def as_series(taken: Sequence[Taken]) -> Series:
    first = taken[0]
    columns: dict[str, Any] = {}
    if first.metric == "steps":
        columns["counter"] = Counter(id=f"c{first.counter}", from_=100)
    else:
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
    """All of it in series that the wire allows: one stream, device, metric and counter each."""
    groups: dict[object, list[Taken]] = {}
    for one in taken:
        counter = one.counter if one.metric == "steps" else None
        groups.setdefault((one.stream, one.device, one.metric, counter), []).append(one)
    return list(groups.values())


def begin(stream: int) -> int:
    """The wall time at which a stream really began."""
    return NOON - (40 - 7 * stream) * HOUR


def wall(one: Taken) -> int:
    return begin(one.stream) + one.elapsed_ms


def is_usable(one: Taken) -> bool:
    if one.metric == "steps":
        return True
    return one.contact and one.value is not None and 25 <= one.value <= 250


def expected_rate(taken: Sequence[Taken], order: list[str]) -> tuple[Any, ...]:
    """count, average, min, max: in each minute the source that was heard first."""
    by_minute: dict[int, dict[str, list[int]]] = {}
    for one in taken:
        at = wall(one)
        if one.metric != "heart_rate" or not is_usable(one) or one.value is None:
            continue
        if DAY_BEGINS <= at < DAY_ENDS:
            by_minute.setdefault(at // 60_000, {}).setdefault(one.device, []).append(one.value)
    values = [
        value for devices in by_minute.values() for value in devices[min(devices, key=order.index)]
    ]
    if not values:
        return None, None, None
    return round(sum(values) / len(values), 1), min(values), max(values)


def expected_steps(taken: Sequence[Taken], order: list[str]) -> int | None:
    """Of the one device that counts today, the differences within each counter."""
    steps = [one for one in taken if one.metric == "steps"]
    today = [one for one in steps if DAY_BEGINS <= wall(one) < DAY_ENDS]
    if not today:
        return None
    device = min({one.device for one in today}, key=order.index)
    total = 0
    for counter in {one.counter for one in today if one.device == device}:
        mine = [one for one in steps if (one.device, one.counter) == (device, counter)]
        mine.sort(key=lambda one: (wall(one), one.seq))
        before = [one.value for one in mine if wall(one) < DAY_BEGINS]
        last = [one.value for one in mine if wall(one) < DAY_ENDS][-1]
        assert last is not None
        total += last - (before[-1] if before and before[-1] is not None else 100)
    return total


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_order_of_batches_repeats_and_corrections_ends_in_the_same_state(
    data: st.DataObject,
) -> None:
    taken = data.draw(recordings())
    whole = batches(taken)
    parts = [
        batch[begin:end]
        for batch in whole
        for begin, end in [
            sorted(data.draw(st.tuples(*[st.integers(0, len(batch))] * 2)))
            for _ in range(data.draw(st.integers(0, 3)))
        ]
        if begin < end
    ]
    sent = data.draw(st.permutations([*parts, *whole]))
    corrections = {data.draw(st.integers(0, len(sent))): stream for stream in range(2)}
    bench = Bench()
    bench.add_user()
    grant = bench.grant()
    off = [stream in corrections.values() for stream in range(2)]
    for stream in range(2):
        error = FIRST_ERROR_MS if off[stream] else 0
        bench.declare(grant, STREAMS[stream], zero_at(begin(stream) + error))
    order: dict[str, list[str]] = {"heart_rate": [], "steps": []}
    for number in range(len(sent) + 1):
        if number in corrections:
            stream = corrections[number]
            bench.declare(grant, STREAMS[stream], zero_at(begin(stream), version=2))
        if data.draw(st.integers(0, 3)) == 0:
            bench.cool()
        if number < len(sent):
            batch = sent[number]
            outcome = bench.publish(grant, STREAMS[batch[0].stream], as_series(batch))
            (answer,) = outcome.answers[0]
            assert isinstance(answer, Acknowledged)
            assert answer.ranges == as_series(batch).ranges()
            if batch[0].device not in order[batch[0].metric]:
                order[batch[0].metric].append(batch[0].device)

    check_ledger(bench, taken)
    check_history(bench, taken)
    state = bench.state()
    rate = state.get("heart_rate")
    if rate is not None:
        assert isinstance(rate, HeartRateData)
        found = (rate.average, rate.min, rate.max)
        assert found == expected_rate(taken, order["heart_rate"])
    steps = state.get("steps")
    if steps is not None:
        assert isinstance(steps, StepsData)
        assert steps.today == expected_steps(taken, order["steps"])
    check_latest(bench, taken)


def check_ledger(bench: Bench, taken: Sequence[Taken]) -> None:
    for stream in range(2):
        numbers = sorted(one.seq for one in taken if one.stream == stream)
        row = bench.transaction.one("stream", id=STREAMS[stream])
        assert row is not None
        held = Accounts(bench.transaction, row["stream_key"]).held(10)
        assert held == [(numbers[0], numbers[-1])]
    assert bench.rows("SELECT sum(count) FROM blocks") == [(len(taken),)]


def check_history(bench: Bench, taken: Sequence[Taken]) -> None:
    for metric in ("heart_rate", "steps"):
        found: list[tuple[int, str, Any]] = []
        after = None
        while True:
            page = bench.history(metric=metric, limit=5, after=after)
            assert sum(map(len, page.series)) <= 5
            times = [at for series in page.series for at in series.at()]
            assert not found or not times or min(times) >= found[-1][0]
            rows = [
                (at, series.device, value)
                for series in page.series
                for at, value in zip(series.at(), series.value, strict=True)
            ]
            found += sorted(rows, key=lambda row: row[0])
            after = page.next
            if after is None:
                break
        expected = [(wall(one), one.device, one.value) for one in taken if one.metric == metric]
        assert sorted(found, key=repr) == sorted(expected, key=repr)


def check_latest(bench: Bench, taken: Sequence[Taken]) -> None:
    for metric in ("heart_rate", "steps"):
        for device in ("strap-1", "strap-2"):
            mine = [
                one
                for one in taken
                if (one.metric, one.device) == (metric, device) and wall(one) <= NOON + 5_000
            ]
            rows = [
                (row["newest_ms"], row["usable_ms"])
                for row in bench.transaction.all("latest", user_key=1, metric=metric)
                if row["device"] == device
            ]
            newest = max(map(wall, mine), default=None)
            fit = max((wall(one) for one in mine if is_usable(one)), default=None)
            assert (rows or [(None, None)]) == [(newest, fit)]
