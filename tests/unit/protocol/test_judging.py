"""READINGS of which a series cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_protocol.codec import decode_client
from strapline_protocol.errors import MalformedMessageError
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.judging import judged
from strapline_protocol.series import Series
from tests.unit.protocol.strategies import columns

STREAM = "A" * 22
BODIES = st.lists(st.tuples(columns("elapsedMs"), st.booleans()), min_size=1, max_size=3)


def frame(*series: Any, **envelope: Any) -> str:
    message = {"type": "READINGS", "stream": STREAM, "lane": "live", "series": series}
    return json.dumps(message | envelope)


def one(**fields: Any) -> dict[str, Any]:
    body = {"user": "ada", "device": "d", "metric": "steps", "seq": [1, 1], "elapsedMs": [1, 1]}
    return {**body, "value": [1, 2], **fields}


@given(BODIES)
def test_each_series_is_judged_alone(bodies: list[tuple[dict[str, Any], bool]]) -> None:
    sent = [body | {"value": ["?"]} if bad else body for body, bad in bodies]
    verdict = judged(frame(*sent))
    assert verdict is not None
    good = [Series.model_validate_json(json.dumps(body)) for body, bad in bodies if not bad]
    assert (verdict.readings.series if verdict.readings else []) == good
    refused = [Series.model_validate_json(json.dumps(body)) for body, bad in bodies if bad]
    assert [one.ranges for one in verdict.rejected] == [bad.ranges() for bad in refused]
    assert {one.stream for one in verdict.rejected} <= {STREAM}


@given(BODIES)
def test_no_number_is_lost_between_the_two(bodies: list[tuple[dict[str, Any], bool]]) -> None:
    verdict = judged(frame(*(body | {"user": "-"} if bad else body for body, bad in bodies)))
    assert verdict is not None
    sent = [n for body, _ in bodies for n in Series.model_validate_json(json.dumps(body)).numbers()]
    told = IntervalSet()
    for rejected in verdict.rejected:
        told.update(rejected.ranges)
    for series in verdict.readings.series if verdict.readings else []:
        told.update(series.ranges())
    assert told == IntervalSet.of(sent)


def test_the_reason_names_the_field_and_not_the_value() -> None:
    verdict = judged(frame(one(value=["secret", 1])))
    assert verdict is not None
    (rejected,) = verdict.rejected
    assert rejected.code == "malformed"
    assert rejected.message.startswith("value.0")
    assert "secret" not in rejected.message


@pytest.mark.parametrize(
    "bad",
    [
        one(user="not a name"),
        one(elapsedMs=[1]),
        one(elapsed_ms=[1, 1]),
        one(atMs=[1, 1]),
        one(value=[float("nan"), 1]),
        one(value=[True, 1]),
        one(onChange=1),
        {"seq": [1, 1]},
    ],
    ids=str,
)
def test_it_is_as_strict_as_the_codec(bad: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessageError):
        decode_client(frame(bad))
    verdict = judged(frame(bad, one()))
    assert verdict is not None
    assert verdict.readings is not None
    assert [len(series) for series in verdict.readings.series] == [2]
    assert [rejected.ranges for rejected in verdict.rejected] == [[(1, 2)]]


UNREADABLE = {
    "nothing": "",
    "half an object": "{",
    "a list": "[]",
    "no envelope": '{"type":"READINGS"}',
    "no series": frame(),
    "no stream": frame(one(), stream="short"),
    "no lane": frame(one(), lane="express"),
    "too many": frame(*[one()] * 257),
    "no object": frame(7),
    "another message": frame(one(value=[]), type="REFRESH"),
    "no numbers": frame({}),
    "numbers that do not ascend": frame(one(seq=[1, 0])),
    "a surrogate": "\ud800",
    "deep": "[" * 100_000,
}
BAD_NUMBERS: list[Any] = [[], [-1], [2**53], ["1"], [True], [1.0], None, 5]


@pytest.mark.parametrize("case", UNREADABLE)
def test_of_what_tells_no_numbers_nothing_can_be_said(case: str) -> None:
    assert judged(UNREADABLE[case]) is None


@pytest.mark.parametrize("seq", BAD_NUMBERS, ids=str)
def test_numbers_are_as_strict_as_in_a_series(seq: Any) -> None:
    assert judged(frame(one(seq=seq))) is None
