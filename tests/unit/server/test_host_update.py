"""What a host application says: names, types, ranges, bounds; each fault names its field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_server import UpdateError
from strapline_server.host.update import DEEPEST, LARGEST_BYTES, MOST_FIELDS, camel, checked

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abcXYZ_1é ", min_size=1, max_size=8), inner, max_size=3)
    ),
    max_leaves=10,
)


@pytest.mark.parametrize(
    "data",
    [
        {"steps": 10000, "heart_rate": {"average": 75}},
        {"steps": 10000, "heartRate": {"average": 75}},
        {"heartRate": {"average": 75}, "steps": 10000.0},
    ],
)
def test_the_originals_example_in_either_spelling(data: Mapping[str, object]) -> None:
    found = checked(data)
    assert found == {"steps": 10000, "heartRate": {"average": 75}}
    assert type(found["steps"]) is int


def test_all_that_is_known_and_what_is_not() -> None:
    data = {
        "steps": 0,
        "floors": 12,
        "distance": 1234.5,
        "calories": 2_100,
        "active_minutes": 45,
        "battery": 100,
        "heart_rate": {
            "current": None,
            "average": 71.5,
            "min": 44,
            "max": 181,
            "resting": 48,
            "recovery_30s": 22,
        },
        "sleep": {"deep_minutes": 90, "stages": [{"from_ms": 0}, "light"], "2026-11-25": True},
        "mood": "fine",
        "note": None,
    }
    assert checked(data) == {
        "steps": 0,
        "floors": 12,
        "distance": 1234.5,
        "calories": 2_100,
        "activeMinutes": 45,
        "battery": 100,
        "heartRate": {
            "current": None,
            "average": 71.5,
            "min": 44,
            "max": 181,
            "resting": 48,
            "recovery30s": 22,
        },
        "sleep": {"deepMinutes": 90, "stages": [{"fromMs": 0}, "light"], "2026-11-25": True},
        "mood": "fine",
        "note": None,
    }


@pytest.mark.parametrize(
    ("data", "field", "text"),
    [
        (["steps"], "", "is a list. Give a dict"),
        (None, "", "is a NoneType. Give a dict"),
        ({}, "", "is empty. Leave the call out"),
        ({"steps": -1}, "steps", "-1 is not plausible. Give a whole number from 0 to 1000000"),
        ({"steps": 1.5}, "steps", "1.5 is not plausible. Give a whole number"),
        ({"steps": 10**9}, "steps", "is not plausible"),
        ({"steps": "10000"}, "steps", "is a str. Give a whole number"),
        ({"steps": True}, "steps", "is a bool. Give a whole number"),
        ({"steps": float("nan")}, "steps", "nan is not plausible"),
        ({"steps": float("inf")}, "steps", "inf is not plausible"),
        ({"heart_rate": 75}, "heart_rate", "is an int. Give a dict of current, average"),
        ({"heart_rate": {"average": 7}}, "heart_rate.average", "7 is not plausible. Give a number"),
        ({"heartRate": {"resting": 260}}, "heartRate.resting", "from 25 to 250 (bpm)"),
        ({"heartRate": {"max": "x"}}, "heartRate.max", "is a str"),
        ({"battery": 101}, "battery", "from 0 to 100 (%)"),
        ({"distance": -0.1}, "distance", "from 0 to 1000000 (m)"),
        ({"calories": 1e9}, "calories", "(kcal)"),
        ({"active_minutes": 1441}, "active_minutes", "from 0 to 1440 (min)"),
        ({"heartrate": {"average": 75}}, "heartrate", "looks like heartRate. Write heartRate"),
        ({"heart_rate": {}, "heartRate": {}}, "heartRate", "is given twice, as heartRate too"),
        ({"x": {"a_b": 1, "aB": 2}}, "x.aB", "is given twice, as aB too"),
        ({"Steps": 1}, "", "'Steps' is no name of a field"),
        ({"a-b": 1}, "", "'a-b' is no name of a field"),
        ({"": 1}, "", "'' is no name of a field"),
        ({1: 1}, "", "1 is no name of a field"),
        ({"x" * 65: 1}, "", "is no name of a field"),
        ({"x": {"": 1}}, "x", "'' is no name. Use text of 1 to 64"),
        ({"x": {1: 1}}, "x", "1 is no name. Use text"),
        ({"x": {"\ud800": 1}}, "x", "half a character"),
        ({"x": float("nan")}, "x", "is no finite number"),
        ({"x": [1, -float("inf")]}, "x[1]", "is no finite number"),
        ({"x": 2**53}, "x", "is no finite number under 2^53"),
        ({"x": -(2**70)}, "x", "is no finite number under 2^53"),
        ({"x": b"1"}, "x", "is a bytes, which is no JSON"),
        ({"x": {"y": object()}}, "x.y", "is an object, which is no JSON"),
        ({"x": "\ud800"}, "x", "half a character"),
        ({"x": "y" * LARGEST_BYTES}, "", f"bytes as JSON. Send {LARGEST_BYTES} bytes"),
        ({"x": "y" * 2 * LARGEST_BYTES}, "", f"{2 * LARGEST_BYTES} characters in x"),
        ({"x": [0] * LARGEST_BYTES}, "", "over 8192 values"),
        ({f"x{n}": n for n in range(MOST_FIELDS + 1)}, "", "65 fields. Send no more than 64"),
    ],
    ids=range(40),
)
def test_what_is_wrong_is_named_with_its_remedy(data: Any, field: str, text: str) -> None:
    with pytest.raises(UpdateError) as caught:
        checked(data)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: " if field else "")
    assert text in str(caught.value)


def test_how_deep_and_how_large_it_may_be() -> None:
    data: dict[str, object] = {"x": 1}
    for _ in range(DEEPEST - 1):
        data = {"x": data}
    assert checked(data) == data
    with pytest.raises(UpdateError, match=f"nested deeper than {DEEPEST}"):
        checked({"x": data})
    room = LARGEST_BYTES - len(json.dumps({"summary": {"x": ""}}))
    assert checked({"x": "y" * room}) == {"x": "y" * room}
    with pytest.raises(UpdateError, match="bytes as JSON"):
        checked({"x": "y" * (room + 1)})


def test_a_list_that_holds_itself_has_an_end() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(UpdateError, match="nested deeper"):
        checked({"x": endless})


def test_what_was_checked_is_a_copy() -> None:
    inner = {"a": [1]}
    found = checked({"x": inner})
    inner["a"].append(2)
    assert found == {"x": {"a": [1]}}


@given(st.dictionaries(st.text("abcZ_1", min_size=1, max_size=8), JSON, min_size=1, max_size=5))
def test_it_is_refused_with_reason_or_is_json_that_stays_itself(data: dict[str, object]) -> None:
    try:
        found = checked(data)
    except UpdateError as error:
        assert str(error)  # noqa: PT017  # either way is right
        return
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert checked(found) == found


@pytest.mark.parametrize(
    ("name", "shown"),
    [("heart_rate", "heartRate"), ("heartRate", "heartRate"), ("a_b_c", "aBC"), ("x1", "x1")],
)
def test_names_in_camel_case(name: str, shown: str) -> None:
    assert camel(name) == shown
