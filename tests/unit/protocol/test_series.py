"""The series: columns of one length, cut and timed without a change, refused where not exact."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from strapline_protocol.base import SAFE_INTEGER
from strapline_protocol.codec import encode
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.series import (
    LONGEST_SERIES,
    Counter,
    Series,
    TimedSeries,
    check_steps,
    differences,
    ranges_of,
)
from tests.unit.protocol.strategies import columns, series

HEADING = {"user": "ada", "device": "d1", "metric": "heart_rate"}


def made(**fields: Any) -> Series:
    """A series of what stood on the wire."""
    body = {**HEADING, "seq": [5, 1], "elapsedMs": [1_000, -20], "value": [72, None], **fields}
    return Series.model_validate_json(json.dumps(body), by_alias=True, by_name=False)


def refused(match: str, **fields: Any) -> None:
    with pytest.raises(ValidationError, match=match):
        made(**fields)


def readings(one: Series) -> dict[int, Any]:
    """By sequence number: time and all else that is said of a reading."""
    columns = one.columns(range(len(one)))
    return {
        number: (
            elapsed,
            {k: v[i] if isinstance(v, list) else v for k, v in columns.items()},
        )
        for i, (number, elapsed) in enumerate(zip(one.numbers(), one.elapsed(), strict=True))
    }


def test_columns_are_the_first_and_then_differences() -> None:
    one = made(seq=[5, 1, 3], elapsedMs=[1_000, -20, 500], value=[1, 2.5, None])
    assert one.numbers() == [5, 6, 9]
    assert one.ranges() == [(5, 6), (9, 9)]
    assert one.elapsed() == [1_000, 980, 1_480]
    assert len(one) == 3
    assert differences([5, 6, 9]) == [5, 1, 3]


@given(columns("elapsedMs"))
def test_what_is_not_known_is_kept_to_the_byte(body: dict[str, Any]) -> None:
    one = Series.model_validate_json(json.dumps(body), by_alias=True, by_name=False)
    encoded = encode(one)
    assert encode(one.take(range(len(one)))) == encoded
    again = Series.model_validate_json(encoded, by_alias=True, by_name=False)
    assert encode(again) == encoded
    unknown = {name: body[name] for name in body.keys() - known()}
    assert {name: json.loads(encoded)[name] for name in unknown} == unknown


def known() -> set[str]:
    return {field.alias or "" for field in Series.model_fields.values()}


@given(series(), st.data())
def test_take_keeps_each_reading_as_it_was(one: Series, data: st.DataObject) -> None:
    places = st.lists(st.integers(0, len(one) - 1), min_size=1, unique=True).map(sorted)
    indices = data.draw(places)
    some = one.take(indices)
    numbers = one.numbers()
    before = readings(one)
    assert readings(some) == {numbers[i]: before[numbers[i]] for i in indices}
    assert (some.counter, some.on_change) == (one.counter, one.on_change)


@given(series(), st.lists(st.tuples(st.integers(-2, 20), st.integers(0, 5)), max_size=4))
def test_within_takes_exactly_the_numbers_in_the_ranges(
    one: Series, offsets: list[tuple[int, int]]
) -> None:
    first = one.seq[0]
    ranges = [(first + at, first + at + span) for at, span in offsets]
    inside = [n for n in one.numbers() if any(low <= n <= high for low, high in ranges)]
    some = one.within(ranges)
    assert ([] if some is None else some.numbers()) == inside
    if len(inside) == len(one):
        assert some is one


def test_within_is_quick_where_both_sides_are_long() -> None:
    long = made(
        seq=[0] + [2] * 1_999, elapsedMs=[0] * LONGEST_SERIES, value=[None] * LONGEST_SERIES
    )
    odd = [(number, number) for number in range(1, 20_000, 2)]
    assert long.within(odd) is None
    assert long.within([*odd, (100, 100)]) == long.take([50])


@given(series(), st.data())
def test_timed_says_the_same_with_wall_times(one: Series, data: st.DataObject) -> None:
    walls = st.lists(st.integers(0, SAFE_INTEGER), min_size=len(one), max_size=len(one))
    at_ms = data.draw(walls)
    wall = one.timed(at_ms, received_ms=7, time_source="system")
    assert wall.at() == at_ms
    assert wall.seq == one.seq
    everything = range(len(one))
    unmarked = wall.columns(everything)
    assert unmarked == one.columns(everything)
    assert (wall.counter, wall.on_change, wall.received_ms) == (one.counter, one.on_change, 7)
    body = json.loads(encode(wall))
    assert "elapsedMs" not in body
    assert TimedSeries.model_validate_json(encode(wall), by_alias=True, by_name=False) == wall


def test_the_servers_marks_stand_beside_the_bridges() -> None:
    wall = made(quality=[["zero"], None]).timed(
        [1, 2], received_ms=3, time_source="estimate", server_marks=[None, ["future"]]
    )
    body = json.loads(encode(wall))
    assert (body["quality"], body["serverMarks"]) == ([["zero"], None], [None, ["future"]])
    assert wall.columns([1])["server_marks"] == [["future"]]
    # A stored block carries them in a series, where they are a column like any unknown one.
    stored = made(serverMarks=[None, ["future"]])
    timed = stored.timed([1, 2], received_ms=3, time_source="system")
    assert timed.server_marks == [None, ["future"]]


@pytest.mark.parametrize("name", ["atMs", "receivedMs", "timeSource"])
def test_a_bridge_says_nothing_that_is_the_servers(name: str) -> None:
    refused("the server's to say", **{name: [1, 2]})


@pytest.mark.parametrize("column", ["value", "rr", "contact", "energyKj", "quality", "elapsedMs"])
def test_all_columns_have_one_length(column: str) -> None:
    entry = 1 if column == "elapsedMs" else None
    for length in (1, 3):
        refused(f"a column has {length} entries, seq has 2", **{column: [entry] * length})


def test_an_unknown_column_has_that_length_too() -> None:
    refused("an unknown column has 1 entries, seq has 2", oxygen=[97])
    assert made(oxygen=[97, None]).model_extra == {"oxygen": [97, None]}
    assert made(setting={"a": [1]}, other="x").model_extra == {"setting": {"a": [1]}, "other": "x"}


@pytest.mark.parametrize("name", ["elapsed_ms", "energy_kj", "", "A", "a-b", "x" * 65, "é"])
def test_an_unknown_columns_name_is_camel_case_and_bounded(name: str) -> None:
    refused("camelCase or too long", **{name: [1, 2]})


def test_unknown_columns_are_bounded() -> None:
    sixteen = {f"c{i}": [i, i] for i in range(16)}
    assert made(**sixteen).model_extra == sixteen
    refused("more than 16", **sixteen, more=1)
    # As compact as it is on the wire: {"big":"…"} in UTF-8.
    room = 128 * 1024 - len('{"big":""}')
    assert made(big="x" * room)
    assert made(big="é" * (room // 2))
    refused("too large", big="x" * (room + 1))
    refused("too large", big="é" * (room // 2 + 1))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "9007199254740992"])
def test_an_unknown_column_has_strict_numbers(number: str) -> None:
    text = json.dumps({**HEADING, "seq": [1], "elapsedMs": [1], "value": [1], "x": [[{"y": "?"}]]})
    with pytest.raises(ValidationError, match="not finite or beyond"):
        Series.model_validate_json(text.replace('"?"', number))


def test_numbers_ascend_from_nought() -> None:
    assert made(seq=[0, 1])
    for wrong in ([-1, 1], [5, 0], [5, -1]):
        refused("seq: starts below 0 or has a difference below 1", seq=wrong)
    refused("below 0 or beyond", seq=[-1], elapsedMs=[0], value=[1])


def test_numbers_and_times_stay_below_2_to_the_53() -> None:
    assert made(seq=[SAFE_INTEGER - 1, 1], elapsedMs=[-SAFE_INTEGER, SAFE_INTEGER])
    assert made(elapsedMs=[SAFE_INTEGER, -SAFE_INTEGER])
    refused("seq: runs beyond", seq=[SAFE_INTEGER, 1])
    refused("times run beyond", elapsedMs=[SAFE_INTEGER, 1])
    # Each moment would do, but no reader of the column could hold the difference.
    refused("times run beyond", elapsedMs=[-SAFE_INTEGER, SAFE_INTEGER + 1])
    for beyond in ({"seq": [2**53]}, {"elapsedMs": [2**53]}, {"elapsedMs": [-(2**53)]}):
        refused("beyond 2\\^53", **{"seq": [1], "elapsedMs": [1], "value": [1], **beyond})


@pytest.mark.parametrize("column", ["seq", "elapsedMs"])
@pytest.mark.parametrize("wrong", [1.0, True, "1", None, float("nan")])
def test_whole_numbers_are_whole(column: str, wrong: Any) -> None:
    refused("valid integer", **{column: [1, wrong]})


@pytest.mark.parametrize("wrong", [True, "72", float("nan"), float("inf"), [72], 2**53, -1e300])
def test_a_value_is_a_number_or_null(wrong: Any) -> None:
    refused("valid integer|valid number|finite|less than|greater than", value=[72, wrong])


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        ("rr", 800),
        ("rr", [-1]),
        ("rr", [65_536]),
        ("rr", [1.5]),
        ("rr", [0] * 65),
        ("contact", 1),
        ("contact", "true"),
        ("energyKj", -1),
        ("energyKj", 1.5),
        ("quality", "zero"),
        ("quality", ["Zero"]),
        ("quality", ["a"] * 9),
    ],
)
def test_a_column_holds_its_kind_only(column: str, wrong: Any) -> None:
    refused(column, **{column: [None, wrong]})


@pytest.mark.parametrize("missing", ["user", "device", "metric", "seq", "elapsedMs", "value"])
def test_what_every_series_says_is_required(missing: str) -> None:
    body = {**HEADING, "seq": [1], "elapsedMs": [1], "value": [1]}
    del body[missing]
    with pytest.raises(ValidationError, match="Field required"):
        Series.model_validate_json(json.dumps(body))


@pytest.mark.parametrize("length", [0, LONGEST_SERIES + 1])
def test_a_series_has_one_to_two_thousand_readings(length: int) -> None:
    ones = [1] * length
    refused("at least 1|at most 2000", seq=ones, elapsedMs=ones, value=ones)


def test_the_longest_series_passes() -> None:
    longest = made(
        seq=[1] * LONGEST_SERIES, elapsedMs=[1_000] * LONGEST_SERIES, value=[72] * LONGEST_SERIES
    )
    assert longest.ranges() == [(1, LONGEST_SERIES)]
    assert longest.elapsed()[-1] == 1_000 * LONGEST_SERIES


def test_a_counter_is_a_name_and_a_total() -> None:
    assert made(counter={"id": "k", "from": 7}).counter == Counter(id="k", from_=7)
    # After a wrap it counts from below nought.
    assert made(counter={"id": "k", "from": -(2**32)}).counter == Counter(id="k", from_=-(2**32))
    for wrong in ({"id": "", "from": 1}, {"id": "k", "from": 1.0}, {"id": "k"}, 7):
        refused("counter", counter=wrong)


@given(st.sets(st.integers(0, 60), min_size=1))
def test_ranges_of_a_column_are_its_numbers(numbers: set[int]) -> None:
    column = differences(sorted(numbers))
    check_steps(column)
    assert IntervalSet(ranges_of(column)) == IntervalSet.of(numbers)
