"""Strict numbers, camelCase on the wire, bounded text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from strapline_protocol import base
from strapline_protocol.base import SAFE_INTEGER, WireModel, absent, check_numbers
from tests.unit.protocol.strategies import CONTENT


class Example(WireModel):
    """Each kind of field."""

    long_name: int
    number: base.Number = 0
    silent: str | None = absent()
    switched: bool = absent(False)
    counted: int = absent(0)


def taken(kind: Any, value: object) -> bool:
    """Whether a type takes a value that stood in JSON."""
    try:
        TypeAdapter(kind, config=WireModel.model_config).validate_json(
            TypeAdapter(object).dump_json(value)
        )
    except ValidationError:
        return False
    return True


def test_a_field_is_snake_case_here_and_camel_case_there() -> None:
    example = Example(long_name=1)
    assert example.model_dump(by_alias=True) == {"longName": 1, "number": 0}
    assert Example.model_validate_json('{"longName":1}') == example


def test_what_says_nothing_is_left_out() -> None:
    assert Example(long_name=1, silent=None, switched=False, counted=0).model_dump() == {
        "long_name": 1,
        "number": 0,
    }
    said = Example(long_name=1, silent="", switched=True, counted=2)
    assert said.model_dump(exclude={"long_name", "number"}) == {
        "silent": "",
        "switched": True,
        "counted": 2,
    }


def test_a_message_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Example(long_name=1).long_name = 2


@pytest.mark.parametrize("wrong", ["1", True, 1.0, None, [1]])
def test_a_whole_number_is_nothing_else(wrong: object) -> None:
    assert not taken(base.SafeInt, wrong)
    assert not taken(base.Count, wrong)


def test_counts_and_times_are_not_negative() -> None:
    for kind in (base.Count, base.WallMs, base.DurationMs):
        assert taken(kind, 0)
        assert taken(kind, SAFE_INTEGER)
        assert not taken(kind, -1)
        assert not taken(kind, SAFE_INTEGER + 1)


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_taken_as_it_is_or_not_at_all(number: float) -> None:
    adapter = TypeAdapter[float](base.Number, config=WireModel.model_config)
    if abs(number) > SAFE_INTEGER:
        assert not taken(base.Number, number)
    else:
        again = adapter.validate_json(adapter.dump_json(number))
        assert (again, type(again)) == (number, type(number))


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), True, "1", 2**53, -(2**53)])
def test_a_number_made_here_is_as_strict(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        Example(long_name=1, number=wrong)


@given(CONTENT)
def test_open_content_passes(content: dict[str, Any]) -> None:
    check_numbers(content)


@given(
    CONTENT,
    st.sampled_from([float("nan"), float("inf"), -float("inf"), 2**53, -(2**53), 1e300]),
    st.integers(0, 50),
)
def test_a_bad_number_is_found_at_any_depth(
    content: dict[str, Any], bad: float, depth: int
) -> None:
    hidden: Any = bad
    for level in range(depth):
        hidden = [1, hidden] if level % 2 else {"in": hidden}
    with pytest.raises(ValueError, match="not finite or beyond"):
        check_numbers({**content, "": hidden})


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (base.StreamId, ["A" * 22, "_-" * 11], ["A" * 21, "A" * 23, "=" * 22, "A" * 22 + "\n"]),
        (base.DeviceId, ["d", "A-_9"], ["", "a:b", "d" * 65, "AA:BB:CC:DD:EE:FF"]),
        (base.UserId, ["ada", "a@b.example", "0"], ["", "-a", "a b", "a/b", "a" * 129, "ä"]),
        (base.MetricName, ["heart_rate", "x2"], ["", "Heart", "2x", "_x", "heart-rate"]),
        (base.Code, ["notWorn", "a"], ["", "Not", "not worn", "a" * 65]),
        (base.RequestId, ["1", "~" * 64], ["", " ", "a b", "a\n", "é", "~" * 65]),
        (base.Label, ["", "Ada's strap ♥"], ["a\x00", "\x1b[2J", "a\nb", "\x9b", "x" * 129]),
        (base.Sentence, ["", "a\tb\nc"], ["\x00", "\x1b[2J", "\r", "\x85", "x" * 1001]),
        (base.Token, ["a.b.c", "x" * 16_384], ["", "a b", "a\n", "é", "x" * 16_385]),
    ],
    ids=["stream", "device", "user", "metric", "code", "request", "label", "sentence", "token"],
)
def test_text_is_bounded(kind: Any, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not taken(kind, text)] == []
    assert [text for text in bad if taken(kind, text)] == []
