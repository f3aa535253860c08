"""The digest of readings: the same however they are laid out, another for any difference."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_protocol.digest import digest, digest_of_lines, lines_of
from strapline_protocol.series import Counter, Series
from tests.unit.protocol.strategies import series


def made(**fields: Any) -> Series:
    heading = {"user": "ada", "device": "d1", "metric": "heart_rate"}
    return Series(**(heading | {"seq": [4, 1], "elapsed_ms": [900, 1_000]} | fields))


@given(series(), st.data())
def test_readings_cut_anywhere_and_in_any_order_have_one_digest(
    one: Series, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(one))))
    assert digest([one.take([index]) for index in order]) == digest([one])


@given(series())
def test_what_has_been_json_has_the_same(one: Series) -> None:
    again = Series.model_validate_json(one.model_dump_json(by_alias=True))
    assert digest([again]) == digest([one])


def test_a_line_is_what_the_page_of_the_protocol_says() -> None:
    one = made(value=[72.0, None], rr=[[800, 810], None], contact=[True, False], on_change=True)
    first, second = (line for _, line in lines_of(one))
    assert first == (
        '[4,900,"ada","d1","heart_rate",72,{"contact":true,"onChange":true,"rr":[800,810]}]'
    )
    assert second == '[5,1900,"ada","d1","heart_rate",null,{"contact":false,"onChange":true}]'
    sha = hashlib.sha256(f"{first}\n{second}\n".encode()).hexdigest()
    assert digest([one]) == digest_of_lines([first, second]) == sha


def test_nothing_said_is_left_out() -> None:
    assert digest([made(value=[1, 2], quality=[None, []], rr=[[], None])]) == digest(
        [made(value=[1, 2])]
    )


def test_the_digest_of_nothing() -> None:
    assert digest([]) == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        {"value": [72, 74]},
        {"value": [72, None]},
        {"seq": [4, 2]},
        {"elapsed_ms": [900, 1_001]},
        {"user": "bob"},
        {"device": "d2"},
        {"metric": "cadence"},
        {"contact": [None, True]},
        {"rr": [[800], None]},
        {"energy_kj": [None, 1]},
        {"quality": [["zero"], None]},
        {"counter": Counter(id="c", from_=0)},
        {"on_change": True},
        {"oxygen": [97, None]},
        {"oxygen": 97},
    ],
    ids=str,
)
def test_any_difference_shows(other: dict[str, Any]) -> None:
    plain: dict[str, Any] = {"value": [72, 73]}
    assert digest([made(**(plain | other))]) != digest([made(**plain)])


def test_a_reading_that_is_there_twice_shows() -> None:
    one = made(value=[72, 73])
    assert digest([one, one.take([1])]) != digest([one])
