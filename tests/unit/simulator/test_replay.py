"""A capture played again: each value when it was sent, reads as they were."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from strapline_bridge.radio import Offered
from strapline_bridge.radio.captures import Capture, CapturedValue, CaptureError, dumps
from strapline_simulator import replay, replay_file
from strapline_simulator.replay import ReplaySensor

_BASE = "-0000-1000-8000-00805f9b34fb"
_RATE, _BATTERY, _MODEL = (f"0000{short}{_BASE}" for short in ("2a37", "2a19", "2a24"))
_CAPTURE = Capture(
    (
        Offered(f"0000180d{_BASE}", _RATE, ("notify",)),
        Offered(f"0000180d{_BASE}", f"00002a39{_BASE}", ("write",)),
        Offered(f"0000180f{_BASE}", _BATTERY, ("notify", "read")),
        Offered(f"0000180a{_BASE}", _MODEL, ("read",)),
    ),
    (
        CapturedValue(_BATTERY, 0, b"\x50", was_read=True),
        CapturedValue(_RATE, 400, b"\0\x48"),
        CapturedValue(_RATE, 1_400, b"\0\x49"),
        CapturedValue(_BATTERY, 1_500, b"\x4f"),
    ),
)


def test_values_are_sent_when_they_were_sent() -> None:
    sensor = ReplaySensor([one for one in _CAPTURE.values if one.characteristic == _RATE])
    assert sensor.value == b""
    assert sensor.advance(0.399) == []
    assert sensor.advance(0.001) == [b"\0\x48"]
    assert sensor.advance(0.9) == []
    assert sensor.advance(5) == [b"\0\x49"]
    assert sensor.advance(1_000) == []
    assert sensor.value == b"\0\x49"


def test_what_was_read_is_read_and_not_sent() -> None:
    sensor = ReplaySensor([one for one in _CAPTURE.values if one.characteristic == _BATTERY])
    assert sensor.value == b"\x50"
    assert sensor.advance(2) == [b"\x4f"]


def test_a_profile_has_what_the_wearable_had_and_its_own_make() -> None:
    profile = replay("again", _CAPTURE)
    assert [twin.characteristic for twin in profile.twins] == [_RATE, _BATTERY]
    assert profile.twins[1].properties == {"notify", "read"}
    assert not profile.has_battery
    assert not profile.heart_rate
    made = profile.twins[0].make(profile, lambda: date(2026, 1, 1))
    assert made.advance(1) == [b"\0\x48"]


def test_nothing_to_play_is_no_profile() -> None:
    with pytest.raises(ValueError, match="measures nothing"):
        replay("empty", Capture((), ()))


def test_a_file_is_played_by_number(tmp_path: Path) -> None:
    path = tmp_path / "capture.jsonl"
    path.write_text(dumps([Capture((), ()), _CAPTURE]))
    # A wearable of which nothing is known leaves no line, and so no number.
    assert len(replay_file("again", path).twins) == 2
    with pytest.raises(CaptureError, match="has 1 wearables, and none of number 2"):
        replay_file("again", path, 2)
