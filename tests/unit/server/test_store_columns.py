"""Cutting, merging and gathering series: every reading stays, with all its columns."""

from __future__ import annotations

import zlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from strapline_protocol.publishing import Anchor, ClockSource, Zero
from strapline_protocol.series import Counter, Series, differences
from strapline_server.store.columns import (
    LONGEST_BLOCK_MS,
    Piece,
    cut,
    gather,
    marked,
    merge,
    pack,
    sound,
    wall_times,
    without_marks,
)
from tests.unit.server.store_kit import NOON, series_of, stream_named, zero_at


@st.composite
def manifold(draw: st.DrawFn, first: int = 0) -> Series:
    """A series with any of its columns, numbers from ``first`` on with holes."""
    size = draw(st.integers(1, 12))
    steps = draw(st.lists(st.integers(1, 3), min_size=size, max_size=size))
    columns: dict[str, Any] = {}
    if draw(st.booleans()):
        columns["contact"] = draw(st.lists(st.none() | st.booleans(), min_size=size, max_size=size))
    if draw(st.booleans()):
        columns["rr"] = [[800 + index] for index in range(size)]
    if draw(st.booleans()):
        columns["mood"] = [f"m{index}" for index in range(size)]
    if draw(st.booleans()):
        columns["site"] = draw(st.sampled_from(["chest", "wrist"]))
    if draw(st.booleans()):
        columns["counter"] = Counter(id=draw(st.sampled_from("ab")), from_=0)
    return Series(
        user="ana",
        device="strap-1",
        metric="heart_rate",
        seq=[first + steps[0], *steps[1:]],
        elapsed_ms=draw(
            st.lists(st.integers(-90_000_000, 90_000_000), min_size=size, max_size=size)
        ),
        value=list(range(60, 60 + size)),
        on_change=draw(st.booleans()),
        **columns,
    )


def rows(*series: Series) -> list[tuple[Any, ...]]:
    """Each reading with all that is said of it."""
    found = []
    for one in series:
        columns = one.columns(range(len(one)))
        for index, (number, at) in enumerate(zip(one.numbers(), one.elapsed(), strict=True)):
            said = {
                name: column[index] if isinstance(column, list) else column
                for name, column in columns.items()
            }
            told = {name: value for name, value in said.items() if value is not None}
            found.append((number, at, repr(sorted(told.items())), repr(one.counter), one.on_change))
    return sorted(found)


@given(st.data())
def test_merging_keeps_every_reading(data: st.DataObject) -> None:
    pieces = [data.draw(manifold(1_000 * number)) for number in range(data.draw(st.integers(1, 5)))]
    merged = merge(data.draw(st.permutations(pieces)))
    assert rows(*merged) == rows(*pieces)
    assert len(merged) <= len(pieces)


@given(manifold())
def test_cutting_keeps_every_reading_and_bounds_each_block(series: Series) -> None:
    at_ms = [max(0, NOON + moment) for moment in series.elapsed()]
    parts = cut(series, at_ms)
    assert rows(*(part for part, _ in parts)) == rows(series)
    assert [at for _, times in parts for at in times] == at_ms
    assert all(max(times) - min(times) < LONGEST_BLOCK_MS for _, times in parts)


@given(manifold())
def test_a_block_is_what_it_was(series: Series) -> None:
    text = series.model_dump_json(by_alias=True)
    assert sound(1, pack(series)) == (series, len(text))
    assert sound(1, pack(series)[:-9]) is None
    assert sound(1, zlib.compress(b"{}")) is None


def test_merging_stops_at_the_longest_series() -> None:
    pieces = [series_of([60] * 1_500, range(1_500), first=1_500 * number) for number in range(3)]
    assert [len(one) for one in merge(pieces)] == [2_000, 2_000, 500]


def test_times_stay_on_the_wire() -> None:
    early, late = zero_at(0), zero_at(2**53 - 1)
    assert wall_times(early, [-5, 0, 5]) == [0, 0, 5]
    assert wall_times(late, [-1, 0, 5]) == [2**53 - 2, 2**53 - 1, 2**53 - 1]


def test_one_anchor_and_several_agree_with_the_protocol() -> None:
    anchors = [
        Anchor(
            elapsed_ms=at, wall_ms=NOON + at + drift, uncertainty_ms=1, source=ClockSource.SYSTEM
        )
        for at, drift in ((0, 0), (1_000, 7), (5_000, 3))
    ]
    moments = [-10, 0, 400, 1_000, 3_333, 5_000, 9_000]
    for zero in (Zero(version=1, anchors=anchors), Zero(version=1, anchors=anchors[:1])):
        assert wall_times(zero, moments) == [zero.wall_ms(moment) for moment in moments]


def test_marks_are_ours_alone() -> None:
    series = series_of([70, 300], [0, 1], serverMarks=[["x"], None], mood=["a", "b"])
    clean = without_marks(series)
    assert clean.model_extra == {"mood": ["a", "b"]}
    assert without_marks(clean) is clean
    ours = marked(clean, [NOON, NOON], NOON)
    assert ours.model_extra == {"mood": ["a", "b"], "serverMarks": [None, ["implausible"]]}
    assert marked(series_of([70], [0]), [NOON], NOON).model_extra == {}


def test_a_page_tells_what_came_live_from_what_was_filled_in() -> None:
    zero = zero_at(NOON)
    offsets = differences([0, 1_000, 2_000])
    assert offsets == [0, 1_000, 1_000]

    def piece(number: int, received_ms: int, stream: str = "A") -> Piece:
        series = series_of([60 + number], [1_000 * number], first=number)
        times = [NOON + 1_000 * number]
        return Piece(stream_named(stream), series, times, received_ms, received_ms, zero)

    live = [piece(number, NOON + 1_000 * number + 300) for number in range(3)]
    late = [piece(3, NOON + 60_000), piece(4, NOON + 60_000), piece(5, NOON + 61_000)]
    other = [piece(6, NOON + 6_300, "B")]
    page = gather([*late, *other, *live])
    assert [(one.value, one.received_ms) for one in page] == [
        ([60, 61, 62], NOON + 300),
        ([63, 64], NOON + 60_000),
        ([65], NOON + 61_000),
        ([66], NOON + 6_300),
    ]
