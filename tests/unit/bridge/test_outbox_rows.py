"""Readings become series with adjoining numbers, and rows are joined without changing a reading."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from strapline_bridge.intake import Arrived
from strapline_bridge.outbox.rows import LONGEST_ROW, Row, elapsed_ms, merged, rows_of
from strapline_bridge.readings import Reading
from strapline_bridge.steps import Counter
from strapline_protocol.series import LONGEST_SERIES, Series
from tests.integration.bridge_kit import a_reading, readings_of

STREAM = "s" * 22

_arrivals = st.lists(
    st.builds(
        a_reading,
        st.integers(0, 250),
        device=st.sampled_from(["a", "b"]),
        user=st.sampled_from(["anna", "bo"]),
        metric=st.sampled_from(["heart_rate", "battery"]),
        boot_ns=st.integers(0, 10**15),
    ),
    max_size=40,
)


def rows(arrivals: list[Arrived], next_seq: int = 0, zero_ns: int = 0) -> list[Row]:
    return rows_of(arrivals, stream=STREAM, next_seq=next_seq, zero_ns=zero_ns)


@given(_arrivals, st.integers(0, 10_000))
def test_numbers_adjoin_in_a_row_and_from_row_to_row(
    arrivals: list[Arrived], next_seq: int
) -> None:
    found = rows(arrivals, next_seq)
    for row in found:
        assert row.series.ranges() == [(row.first_seq, row.last_seq)]
        assert row.first_seq == next_seq
        next_seq = row.last_seq + 1
    assert sum(len(row.series) for row in found) == len(arrivals)


def test_a_row_is_of_one_wearer_device_and_metric_in_order_of_arrival() -> None:
    found = rows(
        [
            a_reading(61, device="a", boot_ns=5_000_000),
            a_reading(71, device="b", boot_ns=6_000_000),
            a_reading(62, device="a", boot_ns=4_000_000),
            a_reading(63, device="a", user="bo", boot_ns=7_000_000),
        ],
        zero_ns=1_000_000,
    )
    assert [(r.series.user, r.series.device, r.series.value) for r in found] == [
        ("anna", "a", [61, 62]),
        ("anna", "b", [71]),
        ("bo", "a", [63]),
    ]
    assert found[0].series.elapsed() == [4, 3]


def test_columns_and_marks_stand_beside_the_value_and_null_where_missing() -> None:
    bare = a_reading(60)
    marked = replace(
        bare,
        reading=Reading("heart_rate", 0, {"contact": False, "energy_kj": 3}, ("noContact", "zero")),
    )
    (row,) = rows([bare, marked])
    assert row.series.rr == [[1_000, 990], None]
    assert row.series.contact == [True, False]
    assert row.series.energy_kj == [None, 3]
    assert row.series.quality == [None, ["noContact", "zero"]]
    assert rows([bare])[0].series.quality is None


def test_totals_of_different_counters_are_different_series() -> None:
    first = replace(a_reading(100, metric="steps"), counter=Counter("c1", 40), on_change=True)
    second = replace(a_reading(3, metric="steps"), counter=Counter("c2", -65_000), on_change=True)
    found = rows([first, second])
    counters = [row.series.counter for row in found]
    assert [(c.id, c.from_) for c in counters if c] == [("c1", 40), ("c2", -65_000)]
    assert all(row.series.on_change for row in found)


def test_a_row_stays_small() -> None:
    found = rows([a_reading(60)] * (2 * LONGEST_ROW + 1))
    assert [len(row.series) for row in found] == [LONGEST_ROW, LONGEST_ROW, 1]


def test_what_no_series_may_hold_is_refused() -> None:
    with pytest.raises(ValidationError):
        rows([replace(a_reading(60), reading=Reading("heart_rate", float("nan")))])


def test_elapsed_is_whole_ms_since_zero_also_before_it() -> None:
    assert elapsed_ms(5_999_999, 1_000_000) == 4
    assert elapsed_ms(0, 1_000_000) == -1


@given(_arrivals)
def test_joining_rows_changes_no_reading(arrivals: list[Arrived]) -> None:
    series = [row.series for one in arrivals for row in rows([one])]
    numbered = [
        Series.model_validate({**one.model_dump(), "seq": [at * 3]})
        for at, one in enumerate(series)
    ]
    joined = merged(numbered)
    assert readings_of(STREAM, joined) == readings_of(STREAM, numbered)
    assert len(joined) <= 8


def test_a_joined_series_is_no_longer_than_the_wire_allows() -> None:
    arrivals = [a_reading(60, boot_ns=at * 10**6) for at in range(LONGEST_SERIES + LONGEST_ROW)]
    assert [len(one) for one in merged(row.series for row in rows(arrivals))] == [
        LONGEST_SERIES,
        LONGEST_ROW,
    ]


def test_columns_that_this_version_does_not_know_are_never_joined() -> None:
    (row,) = rows([a_reading(60)])
    strange = [
        Series.model_validate({**row.series.model_dump(), "seq": [at], "stressIndex": [at]})
        for at in (0, 1)
    ]
    assert merged(strange) == strange


def test_statements_about_silences_keep_their_columns_and_are_joined_with_nothing() -> None:
    def statement(boot_ms: int, cause: str) -> Arrived:
        columns = {"durationMs": 60_000, "cause": cause, "evidence": "linked"}
        reading = Reading("gap", None, columns)
        return replace(a_reading(boot_ns=boot_ms * 1_000_000), reading=reading)

    (row,) = rows_of(
        [statement(0, "silent"), statement(5, "off")], stream=STREAM, next_seq=0, zero_ns=0
    )
    assert row.series.model_extra == {
        "durationMs": [60_000, 60_000],
        "cause": ["silent", "off"],
        "evidence": ["linked", "linked"],
    }
    (later,) = rows_of([statement(9, "silent")], stream=STREAM, next_seq=2, zero_ns=0)
    assert merged([row.series, later.series]) == [row.series, later.series]
