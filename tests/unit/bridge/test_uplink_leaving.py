"""The allow-list: every frame that a bridge can make may leave, and nothing else can."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.uplink.leaving import ALLOWED, MayNotLeaveError, let_out, looks_like_address
from strapline_protocol.base import WireModel
from strapline_protocol.codec import encode
from strapline_protocol.opening import Authenticate, Client, Refresh, Request
from strapline_protocol.publishing import (
    Anchor,
    ClockSource,
    ClockStatus,
    DeviceAbout,
    DeviceState,
    DeviceStatus,
    Dropped,
    Ended,
    Lane,
    Moment,
    Readings,
    Status,
    Stream,
    Zero,
)
from strapline_protocol.series import Counter, Series

_STREAM = "s" * 22
_MOMENT = Moment(stream=_STREAM, elapsed_ms=1)
_SERIES = Series(
    user="anna",
    device="d" * 22,
    metric="heart_rate",
    seq=[0],
    elapsed_ms=[0],
    value=[60],
    rr=[[1_000]],
    contact=[True],
    energy_kj=[1],
    quality=[["zero"]],
    counter=Counter(id="c", from_=-1),
    on_change=True,
)
#: Every message that a bridge sends, with every field said.
_GAP = Series(
    user="anna",
    device="d" * 22,
    metric="gap",
    seq=[1],
    elapsed_ms=[0],
    value=[None],
    durationMs=[60_000],  # type: ignore[call-arg]  # columns of its own
    cause=["radioLost"],
    evidence=["heard"],
)
_FULL: list[WireModel] = [
    Authenticate(token="t", client=Client(name="bridge", version="1", metrics=["steps"])),
    Refresh(token="t"),
    Stream(
        stream=_STREAM,
        next_seq=1,
        zero=Zero(
            version=0,
            anchors=[Anchor(elapsed_ms=0, wall_ms=0, uncertainty_ms=0, source=ClockSource.SYSTEM)],
        ),
        ended=Ended(elapsed_ms=1, clean=True),
    ),
    Readings(stream=_STREAM, lane=Lane.LIVE, series=[_SERIES, _GAP]),
    Dropped(stream=_STREAM, ranges=[(0, 1)], reason="sizeBound"),
    Request(request="r", method="m", params={"stream": _STREAM, "first": 0, "ranges": [[0, 1]]}),
    Status(
        devices=[
            DeviceStatus(
                device="d" * 22,
                user="anna",
                name="Anna's strap",
                state=DeviceState.CONNECTED,
                state_age_ms=1,
                battery=1,
                about=DeviceAbout(
                    model="H10",
                    firmware="1.0",
                    hardware="A",
                    software="2.0",
                    body_location="chest",
                ),
                last=_MOMENT,
                complete_through=_MOMENT,
            )
        ],
        pending=0,
        oldest_pending_ms=0,
        clock=ClockStatus(source=ClockSource.SYSTEM, uncertainty_ms=1),
        request="r",
    ),
]


@pytest.mark.parametrize("message", _FULL, ids=lambda message: type(message).__name__)
def test_every_field_of_every_message_may_leave(message: WireModel) -> None:
    frame = encode(message)
    assert let_out(frame) == frame


def _paths(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """The objects of a frame, by the way to them."""
    if isinstance(value, dict):
        yield path
        for name, inner in value.items():
            yield from _paths(inner, (*path, name))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _paths(inner, (*path, at))


_PLACES = [
    (index, path) for index, one in enumerate(_FULL) for path in _paths(json.loads(encode(one)))
]


@pytest.mark.parametrize(("index", "path"), _PLACES, ids=str)
@given(
    name=st.sampled_from(["address", "serialNumber", "manufacturer", "localName", "rssi"])
    | st.text(min_size=1, max_size=20),
    content=st.none() | st.integers() | st.text(max_size=10) | st.lists(st.integers(), max_size=2),
)
def test_a_field_that_is_not_on_the_list_stops_the_frame_wherever_it_stands(
    index: int, path: tuple[str | int, ...], name: str, content: object
) -> None:
    frame = json.loads(encode(_FULL[index]))
    place = frame
    for step in path:
        place = place[step]
    if name in place:
        return
    place[name] = content
    with pytest.raises(MayNotLeaveError):
        let_out(json.dumps(frame).encode())


@given(
    octets=st.lists(st.integers(0, 255), min_size=6, max_size=6),
    separator=st.sampled_from([":", "-", "_"]),
    upper=st.booleans(),
    around=st.sampled_from(["{}", "strap {}", "Polar {} H10", "{}."]),
)
def test_an_address_never_leaves_in_whatever_text(
    octets: list[int], separator: str, upper: bool, around: str
) -> None:
    address = separator.join(f"{octet:02X}" if upper else f"{octet:02x}" for octet in octets)
    text = around.format(address)
    assert looks_like_address(text)
    status = json.loads(encode(_FULL[-1]))
    status["devices"][0]["name"] = text
    with pytest.raises(MayNotLeaveError, match=r"STATUS\.devices\.name") as refused:
        let_out(json.dumps(status).encode())
    assert address not in str(refused.value)


def test_a_message_of_the_other_side_may_not_leave() -> None:
    for frame in (b'{"type":"SUBSCRIBE","request":"r"}', b'{"a":1}'):
        with pytest.raises(MayNotLeaveError):
            let_out(frame)


def test_an_object_where_a_value_belongs_may_not_leave() -> None:
    frame = json.loads(encode(_FULL[4]))
    frame["reason"] = {"address": 1}
    with pytest.raises(MayNotLeaveError):
        let_out(json.dumps(frame).encode())


def test_ids_and_names_of_every_day_are_no_addresses() -> None:
    for text in ("kP3xqv0bQmKXyYyA0nqT9w", "Anna's strap", "12:30", "2026-11-24", "a-b-c-d-e-f"):
        assert not looks_like_address(text)


def test_the_list_names_no_field_that_the_models_do_not_have() -> None:
    known: dict[str, set[str]] = {}
    for message in _FULL:
        frame = json.loads(encode(message))
        known[frame["type"]] = {name for path in [frame] for name in _names(path)}
    for kind, fields in ALLOWED.items():
        assert set(_listed(fields)) == known[kind]


def _names(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from _names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner)


def _listed(fields: Mapping[str, object]) -> Iterator[str]:
    for name, inner in fields.items():
        yield name
        if isinstance(inner, Mapping):
            yield from _listed(inner)
