"""The file of a capture: what goes in comes out, and what is none says which line and why."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.radio.captures import Capture, CapturedValue, CaptureError, dumps, loads
from strapline_bridge.radio.events import Offered

_RATE = "00002a37-0000-1000-8000-00805f9b34fb"
_SERVICE = "0000180d-0000-1000-8000-00805f9b34fb"
_HEAD = '{"format": "strapline-capture", "version": 1}\n'

_values = st.lists(
    st.builds(
        CapturedValue, st.just(_RATE), st.integers(0, 10**9), st.binary(max_size=20), st.booleans()
    ),
    max_size=20,
).map(lambda values: tuple(sorted(values, key=lambda one: one.offset_ms)))
_captures = st.builds(Capture, st.just((Offered(_SERVICE, _RATE, ("notify", "read")),)), _values)


@given(st.lists(_captures, max_size=4))
def test_what_goes_in_comes_out(captures: list[Capture]) -> None:
    assert loads(dumps(captures)) == captures


def test_the_lines_stand_in_order_of_time() -> None:
    captures = [
        Capture((), (CapturedValue(_RATE, 20, b"\0\x49"),)),
        Capture((), (CapturedValue(_RATE, 10, b"\0\x48", was_read=True),)),
    ]
    assert [json.loads(line) for line in dumps(captures).splitlines()] == [
        {"format": "strapline-capture", "version": 1},
        {"device": 2, "characteristic": _RATE, "offsetMs": 10, "hex": "0048", "read": True},
        {"device": 1, "characteristic": _RATE, "offsetMs": 20, "hex": "0049"},
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "first line"),
        ("{}", "first line"),
        (_HEAD.replace("1", "2"), "first line"),
        (_HEAD + "nonsense", "line 2"),
        (_HEAD + '{"device": 1, "characteristic": "2a37", "offsetMs": 0, "hex": "00"}', "line 2"),
        (_HEAD + f'{{"device": 0, "characteristic": "{_RATE}", "offsetMs": 0, "hex": ""}}', "2"),
        (_HEAD + f'{{"device": 1, "characteristic": "{_RATE}", "offsetMs": 0, "hex": "0"}}', "2"),
        (_HEAD + f'{{"device": 1, "characteristic": "{_RATE}", "offsetMs": -1, "hex": ""}}', "2"),
    ],
)
def test_what_is_none_is_refused_with_the_line(text: str, said: str) -> None:
    with pytest.raises(CaptureError, match=said) as refused:
        loads(text)
    assert refused.value.remedy


@given(st.text(max_size=200))
def test_no_text_raises_anything_else(text: str) -> None:
    for candidate in (text, _HEAD + text):
        try:
            loads(candidate)
        except CaptureError:
            continue
