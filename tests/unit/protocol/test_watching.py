"""Messages between a viewer and the server: the state's shapes, positions and pages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from strapline_protocol.asking import HistoryParams
from strapline_protocol.base import WireModel
from strapline_protocol.codec import decode_client, encode
from strapline_protocol.errors import MalformedMessageError
from strapline_protocol.watching import (
    BatteryData,
    HeartRateData,
    MarkData,
    MetricData,
    Position,
    SessionData,
    StepsData,
    Subscribe,
    SummaryData,
    SyncAsked,
    UserSnapshot,
    ValueData,
)

HEART_RATE = {
    "current": None,
    "last": {"value": 72, "atMs": 1},
    "average": 70.5,
    "min": 60,
    "max": 90,
    "over": "day",
    "dayEndsMs": 2,
    "freshForMs": 5_000,
    "onChange": False,
}
STEPS = {"today": 1, "last": None, "dayEndsMs": 2, "freshForMs": 60_000, "onChange": False}
BATTERY: dict[str, Any] = {"devices": [], "freshForMs": 1}
VALUE = {"current": 1.5, "last": None, "freshForMs": 1, "onChange": True}
STATUS = {
    "status": "realtime",
    "hops": {"server": {"state": "ok", "sinceMs": 1}},
    "pending": 0,
    "completeThroughMs": None,
    "lastSyncAt": None,
}


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        (HEART_RATE, HeartRateData),
        (STEPS, StepsData),
        (BATTERY, BatteryData),
        ({"session": None}, SessionData),
        ({"mark": {"atMs": 1, "label": "lap"}}, MarkData),
        ({"summary": {"steps": 1, "heartRate": {"average": 75}}, "atMs": 2}, SummaryData),
        (VALUE, ValueData),
    ],
)
def test_a_state_is_known_by_its_shape_and_not_by_its_metric(
    body: dict[str, Any], shape: type[Any]
) -> None:
    adapter = TypeAdapter[Any](MetricData)
    state = adapter.validate_json(json.dumps(body))
    assert type(state) is shape
    assert adapter.validate_python(state) is state
    assert adapter.validate_json(encode(state)) == state


@pytest.mark.parametrize(
    ("field", "shape"),
    [("over", "HeartRateData"), ("today", "StepsData"), ("devices", "BatteryData")],
)
def test_one_field_tells_the_shape(field: str, shape: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter[Any](MetricData).validate_json(json.dumps({field: "?"}))
    assert {fault["loc"][0] for fault in caught.value.errors()} == {shape}


def test_a_newer_metrics_state_is_a_value_with_more_to_say() -> None:
    state = TypeAdapter[Any](MetricData).validate_json(json.dumps({**VALUE, "trend": "up"}))
    assert type(state) is ValueData


def test_a_snapshot_says_null_where_nothing_is_known_and_nothing_where_changes_follow() -> None:
    body = {"name": "Ada", "position": ["e", 5], "reset": False, "status": STATUS}
    snapshot = UserSnapshot.model_validate_json(json.dumps(body))
    again = json.loads(encode(snapshot))
    assert "state" not in again
    assert again["status"]["completeThroughMs"] is None
    full = UserSnapshot.model_validate_json(
        json.dumps({**body, "reset": True, "state": {"heart_rate": HEART_RATE}})
    )
    assert json.loads(encode(full))["state"]["heart_rate"] == HEART_RATE


@pytest.mark.parametrize("wrong", [["e"], ["e", -1], ["e", "1"], [1, 1], ["e", 1, 1], {"e": 1}])
def test_a_position_is_an_epoch_and_a_number(wrong: Any) -> None:
    adapter = TypeAdapter[tuple[str, int]](Position, config=WireModel.model_config)
    with pytest.raises(ValidationError):
        adapter.validate_json(json.dumps(wrong))
    assert adapter.validate_json('["e",1]') == ("e", 1)


def test_a_subscription_is_to_everything_unless_it_says_less() -> None:
    everything = decode_client('{"type":"SUBSCRIBE","request":"r"}')
    assert everything == Subscribe(request="r")
    assert encode(everything) == b'{"type":"SUBSCRIBE","request":"r","since":{}}'
    # To nobody is not to everybody.
    assert decode_client('{"type":"SUBSCRIBE","request":"r","users":[]}') != everything


@pytest.mark.parametrize("field", ["users", "metrics", "since"])
def test_a_subscription_names_a_bounded_number(field: str) -> None:
    names = [f"u{i}" for i in range(1_001)]
    much: Any = {name: ["e", 1] for name in names} if field == "since" else names
    with pytest.raises(MalformedMessageError, match=field):
        decode_client(json.dumps({"type": "SUBSCRIBE", "request": "r", field: much}))


def test_the_originals_form_asks_for_a_sync_and_says_nothing_else() -> None:
    assert decode_client('{"type":"SYNC_STATUS_UPDATE","status":"syncing"}') == SyncAsked(
        status="syncing"
    )
    with pytest.raises(MalformedMessageError, match="status"):
        decode_client('{"type":"SYNC_STATUS_UPDATE","status":"synced"}')


@pytest.mark.parametrize("limit", [0, 10_001, 1.0, True])
def test_a_page_of_history_is_bounded(limit: Any) -> None:
    asked = {"user": "ada", "metric": "heart_rate", "fromMs": 0, "toMs": 1}
    assert HistoryParams.model_validate_json(json.dumps(asked)).limit == 2_000
    with pytest.raises(ValidationError):
        HistoryParams.model_validate_json(json.dumps(asked | {"limit": limit}))


@pytest.mark.parametrize("after", ["", "a b", "a/b", "x" * 129])
def test_a_cursor_is_opaque_and_bounded(after: str) -> None:
    with pytest.raises(ValidationError):
        HistoryParams(user="ada", metric="m", from_ms=0, to_ms=1, after=after)
