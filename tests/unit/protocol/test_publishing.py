"""Messages between a bridge and the server: a stream's time above all."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from strapline_protocol.base import SAFE_INTEGER
from strapline_protocol.codec import decode_client
from strapline_protocol.errors import MalformedMessageError
from strapline_protocol.publishing import (
    Anchor,
    ClockSource,
    Dropped,
    Moment,
    Readings,
    Zero,
)
from tests.unit.protocol.strategies import wire

STREAM = "A" * 22
MOMENTS = st.integers(-SAFE_INTEGER, SAFE_INTEGER)


def anchored(*anchors: tuple[int, int], source: ClockSource = ClockSource.SYSTEM) -> Zero:
    return Zero(
        version=1,
        anchors=[
            Anchor(elapsed_ms=elapsed, wall_ms=wall, uncertainty_ms=0, source=source)
            for elapsed, wall in anchors
        ],
    )


def test_one_anchor_is_an_offset_everywhere() -> None:
    zero = anchored((1_000, 50_000))
    assert [zero.wall_ms(at) for at in (0, 1_000, 9_000)] == [49_000, 50_000, 58_000]


def test_between_two_it_is_linear_and_outside_the_nearests_offset_holds() -> None:
    zero = anchored((1_000, 50_000), (2_000, 52_000), (3_000, 52_000))
    assert [zero.wall_ms(at) for at in (0, 1_000)] == [49_000, 50_000]
    assert [zero.wall_ms(at) for at in (1_001, 1_500, 2_000)] == [50_002, 51_000, 52_000]
    assert [zero.wall_ms(at) for at in (2_500, 3_000, 4_000)] == [52_000, 52_000, 53_000]


@given(wire(Zero), MOMENTS)
def test_a_wall_time_is_one_that_the_wire_carries(body: dict[str, Any], moment: int) -> None:
    zero = Zero.model_validate_json(json.dumps(body))
    assert 0 <= zero.wall_ms(moment) <= SAFE_INTEGER
    for anchor in zero.anchors:
        assert zero.wall_ms(anchor.elapsed_ms) == anchor.wall_ms


@given(wire(Zero), MOMENTS)
def test_a_wall_time_is_the_exact_one_rounded_down(body: dict[str, Any], moment: int) -> None:
    zero = Zero.model_validate_json(json.dumps(body))
    anchors = zero.anchors
    later = [one for one in anchors if one.elapsed_ms >= moment]
    earlier = [one for one in anchors if one.elapsed_ms <= moment]
    if later and earlier and later[0] is not earlier[-1]:
        low, high = earlier[-1], later[0]
        slope = Fraction(high.wall_ms - low.wall_ms, high.elapsed_ms - low.elapsed_ms)
        exact = low.wall_ms + slope * (moment - low.elapsed_ms)
    else:
        near = (earlier or later)[-1 if earlier else 0]
        exact = Fraction(moment + near.wall_ms - near.elapsed_ms)
    assert zero.wall_ms(moment) == min(max(0, exact // 1), SAFE_INTEGER)


@pytest.mark.parametrize("elapsed", [(1_000, 1_000), (2_000, 1_000)])
def test_anchors_ascend(elapsed: tuple[int, int]) -> None:
    with pytest.raises(ValidationError, match="anchors ascend"):
        anchored((elapsed[0], 0), (elapsed[1], 1))


def test_there_is_always_an_anchor() -> None:
    with pytest.raises(ValidationError, match="at least 1"):
        anchored()


@given(st.lists(st.sampled_from(ClockSource), min_size=1, max_size=4))
def test_a_time_is_as_good_as_its_weakest_anchor(sources: list[ClockSource]) -> None:
    zero = Zero(
        version=0,
        anchors=[
            Anchor(elapsed_ms=at, wall_ms=at, uncertainty_ms=0, source=source)
            for at, source in enumerate(sources)
        ],
    )
    worst = ["system", "server", "serverUnsynchronised", "estimate"]
    assert zero.source == max(sources, key=worst.index)


@pytest.mark.parametrize(
    "ranges", [[], [[2, 1]], [[1]], [[1, 2, 3]], [1, 2], [[0, 0]] * 10_001], ids=str
)
def test_what_is_dropped_is_told_in_whole_ranges(ranges: Any) -> None:
    text = json.dumps({"type": "DROPPED", "stream": STREAM, "ranges": ranges, "reason": "full"})
    with pytest.raises(MalformedMessageError, match="ranges"):
        decode_client(text)


def test_ranges_need_neither_order_nor_distance() -> None:
    dropped = Dropped(stream=STREAM, ranges=[(5, 9), (0, 6), (7, 7)], reason="full")
    assert dropped.ranges == [(5, 9), (0, 6), (7, 7)]


def test_readings_hold_one_to_256_series() -> None:
    heading = {"user": "ada", "device": "d", "metric": "steps"}
    body = {**heading, "seq": [1], "elapsedMs": [1], "value": [1]}
    message = {"type": "READINGS", "stream": STREAM, "lane": "live", "series": [body] * 256}
    readings = decode_client(json.dumps(message), largest=2**24)
    assert isinstance(readings, Readings)
    assert len(readings.series) == 256
    for count in (0, 257):
        with pytest.raises(MalformedMessageError, match="series"):
            decode_client(json.dumps(message | {"series": [body] * count}), largest=2**24)


@pytest.mark.parametrize("lane", ["Live", "", "express", 1, None])
def test_there_are_two_lanes(lane: Any) -> None:
    message = {"type": "READINGS", "stream": STREAM, "lane": lane, "series": []}
    with pytest.raises(MalformedMessageError, match="lane"):
        decode_client(json.dumps(message))


def test_a_moment_may_be_before_the_streams_own_beginning() -> None:
    assert Moment(stream=STREAM, elapsed_ms=-5).elapsed_ms == -5
