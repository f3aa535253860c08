"""What a capture keeps, and that it never keeps who somebody is."""

from __future__ import annotations

import pytest

from strapline_bridge.capturing import MOST_VALUES, Anything, Recorder
from strapline_bridge.decoders import DESCRIPTIONS, UndecodableError
from strapline_bridge.decoders.describing import MAKER, MODEL, PNP_ID, SERIAL_NUMBER, SYSTEM_ID
from strapline_bridge.radio import LinkChange, LinkState, Notification, Offered
from strapline_bridge.radio.captures import CapturedValue, dumps

_MS = 1_000_000
_BASE = "-0000-1000-8000-00805f9b34fb"
_NAME = f"00002a00{_BASE}"
_RATE = f"00002a37{_BASE}"
_VENDORS = "12345678-9abc-def0-1234-56789abcdef0"
_ADDRESS = "C0:FF:EE:01:02:03"


def _recorder(*names: str) -> Recorder:
    return Recorder({"d": (_ADDRESS, *names)}, 1_000 * _MS)


def _hear(
    recorder: Recorder, characteristic: str, value: bytes, at_ms: int = 1_000, *, read: bool = False
) -> None:
    recorder(Notification("d", characteristic, value, at_ms * _MS, was_read=read))


def _kept(recorder: Recorder) -> list[bytes]:
    captures, _ = recorder.captures()
    return [value.value for value in captures[0].values]


def test_values_are_kept_with_their_time_since_the_beginning() -> None:
    recorder = _recorder()
    _hear(recorder, _RATE, b"\0\x48", 1_250)
    _hear(recorder, _VENDORS, b"\1\2", 1_300, read=True)
    captures, left_out = recorder.captures()
    assert captures[0].values == (
        CapturedValue(_RATE, 250, b"\0\x48"),
        CapturedValue(_VENDORS, 300, b"\1\2", was_read=True),
    )
    assert left_out == 0


@pytest.mark.parametrize(
    "value",
    [
        bytes.fromhex("c0ffee010203"),
        bytes.fromhex("00030201eeffc0ff"),
        b"I am C0:FF:EE:01:02:03!",
        b"id=C0FFEE010203",
        b"hello anna's strap",
        b"Polar H10 A1B2C3D4",
        b"..88447711..",
        b"number 556677 of them",
    ],
)
def test_a_value_that_tells_which_device_it_is_is_left_out(value: bytes) -> None:
    recorder = _recorder("Anna's strap", "H10 88447711")
    _hear(recorder, _VENDORS, value)
    _hear(recorder, SERIAL_NUMBER, b"556677\0", read=True)
    _hear(recorder, _NAME, b"Polar H10 A1B2C3D4", read=True)
    captures, left_out = recorder.captures()
    assert captures[0].values == ()
    assert left_out == 1
    text = dumps(captures)
    for secret in ("556677", "88447711", "c0ffee010203", b"556677".hex(), b"A1B2".hex()):
        assert secret not in text.lower()


def test_what_a_wearable_says_of_its_make_is_kept_where_it_may_leave() -> None:
    recorder = _recorder()
    _hear(recorder, MODEL, b"H10", read=True)
    _hear(recorder, MODEL, b"H10 00123456", read=True)
    _hear(recorder, MODEL, b"\xff\xff", read=True)
    assert _kept(recorder) == [b"H10"]


def test_anything_is_listened_to_but_what_tells_of_maker_and_link() -> None:
    anything = Anything()
    assert _VENDORS in anything
    assert _RATE in anything
    assert {SERIAL_NUMBER, _NAME} <= {one for one in (SERIAL_NUMBER, _NAME) if one in anything}
    for never in (MAKER, SYSTEM_ID, PNP_ID, f"00002a05{_BASE}", f"00002a04{_BASE}"):
        assert never not in anything
    # Read at once: what must be known to be left out, and what is told once.
    assert anything[SERIAL_NUMBER].read_first
    assert anything[MODEL].read_first
    assert not anything[_VENDORS].read_first
    assert all(anything[uuid].on_change for uuid in DESCRIPTIONS)
    with pytest.raises(UndecodableError):
        anything[_RATE].decode(b"")


def test_offers_leave_out_what_is_never_recorded() -> None:
    recorder = _recorder()
    offered = (
        Offered(f"00001800{_BASE}", _NAME, ("read",)),
        Offered(f"0000180a{_BASE}", SERIAL_NUMBER, ("read",)),
        Offered(f"0000180a{_BASE}", MAKER, ("read",)),
        Offered(f"0000180d{_BASE}", _RATE, ("notify",)),
    )
    recorder(LinkChange("d", LinkState.CONNECTED, 0, offered))
    recorder(LinkChange("d", LinkState.SEARCHING, 0))
    captures, _ = recorder.captures()
    assert captures[0].offers == offered[3:]


def test_it_is_bounded() -> None:
    recorder = _recorder()
    for _ in range(MOST_VALUES + 5):
        _hear(recorder, _RATE, b"\0\x48")
    assert recorder.full
    assert len(_kept(recorder)) == recorder.recorded == MOST_VALUES
