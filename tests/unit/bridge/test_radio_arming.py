"""Arming: what is read, what is subscribed to, and what is left alone."""

from __future__ import annotations

import pytest
from bleak import BleakClient
from bleak.backends.device import BLEDevice
from bleak.exc import BleakDBusError, BleakError, BleakGATTProtocolError, BleakGATTProtocolErrorCode

from strapline_bridge.decoders import DECODERS
from strapline_bridge.radio.arming import Armed, answers, arm
from tests.unit.bridge.radio_fakes import (
    BATTERY,
    BATTERY_SERVICE,
    HEART_RATE,
    HEART_RATE_SERVICE,
    INFORMATION_SERVICE,
    MODEL,
    STEPS,
    STEPS_SERVICE,
    FakeAir,
    FakeStrap,
)

_ADDRESS = "C0:FF:EE:00:00:01"


class _Listener:
    def __init__(self) -> None:
        self.heard: list[tuple[str, str, bytes, bool]] = []

    def notified(self, characteristic: str, value: bytes, *, on_change: bool) -> None:
        self.heard.append(("notified", characteristic, value, on_change))

    def was_read(self, characteristic: str, value: bytes, *, on_change: bool) -> None:
        self.heard.append(("read", characteristic, value, on_change))


async def _connected(strap: FakeStrap) -> BleakClient:
    backend = FakeAir(strap).backend()
    return await backend.connect(BLEDevice(strap.address, None, None), "strap", lambda _: None)


async def _armed(strap: FakeStrap, listener: _Listener, operation_s: float = 5) -> Armed:
    return await arm(await _connected(strap), DECODERS, listener, operation_s)


async def test_a_strap_is_subscribed_to_and_its_battery_read_first() -> None:
    strap, listener = FakeStrap(_ADDRESS), _Listener()
    armed = await _armed(strap, listener)
    assert strap.armed == set(armed.listening) == {HEART_RATE, BATTERY}
    assert listener.heard == [("read", BATTERY, b"\x50", True)]
    assert strap.reads == [BATTERY]
    assert armed.steady
    assert armed.polled == []
    assert armed.probe is not None
    assert armed.probe.uuid == MODEL


async def test_notifications_arrive_as_bytes_of_their_own() -> None:
    strap, listener = FakeStrap(_ADDRESS), _Listener()
    await _armed(strap, listener)
    strap.notify(HEART_RATE, b"\0\x48")
    assert listener.heard[-1] == ("notified", HEART_RATE, b"\0\x48", False)
    assert type(listener.heard[-1][2]) is bytes


async def test_a_watch_that_speaks_on_change_is_never_expected_to_speak() -> None:
    strap = FakeStrap(
        _ADDRESS,
        services={
            HEART_RATE_SERVICE: [(HEART_RATE, ["read", "notify"])],
            STEPS_SERVICE: [(STEPS, ["read", "notify"])],
        },
        values={STEPS: b"\x10\x27\0\0"},
    )
    listener = _Listener()
    armed = await _armed(strap, listener)
    strap.notify(HEART_RATE, b"\0\x48")
    assert not armed.steady
    assert listener.heard == [
        ("read", STEPS, b"\x10\x27\0\0", True),
        ("notified", HEART_RATE, b"\0\x48", True),
    ]


async def test_a_value_without_notifications_is_polled() -> None:
    strap = FakeStrap(_ADDRESS, services={BATTERY_SERVICE: [(BATTERY, ["read"])]})
    armed = await _armed(strap, _Listener())
    assert [one.uuid for one in armed.polled] == [BATTERY]
    assert armed.listening == []
    assert not armed.steady


async def test_indications_are_subscribed_to_as_well() -> None:
    strap = FakeStrap(_ADDRESS, services={HEART_RATE_SERVICE: [(HEART_RATE, ["indicate"])]})
    assert (await _armed(strap, _Listener())).listening == [HEART_RATE]


async def test_of_two_of_a_kind_the_first_counts() -> None:
    strap = FakeStrap(
        _ADDRESS,
        services={BATTERY_SERVICE: [(BATTERY, ["read", "notify"]), (BATTERY, ["read", "notify"])]},
    )
    listener = _Listener()
    assert (await _armed(strap, listener)).listening == [BATTERY]
    assert len(listener.heard) == 1


async def test_what_cannot_be_armed_leaves_the_rest() -> None:
    strap = FakeStrap(
        _ADDRESS,
        subscribe_errors={HEART_RATE: BleakDBusError("org.bluez.Error.NotPermitted", [])},
        values={BATTERY: BleakError("no"), MODEL: b""},
    )
    listener = _Listener()
    armed = await _armed(strap, listener)
    assert armed.listening == [BATTERY]
    assert not armed.steady
    assert listener.heard == []


async def test_a_device_that_never_answers_is_not_waited_for() -> None:
    strap = FakeStrap(_ADDRESS, stalled=True)
    assert (await _armed(strap, _Listener(), operation_s=0.002)).listening == []


async def test_a_device_without_anything_known_gives_nothing() -> None:
    strap = FakeStrap(_ADDRESS, services={INFORMATION_SERVICE: [(MODEL, ["read"])]})
    armed = await _armed(strap, _Listener())
    assert (armed.listening, armed.polled) == ([], [])


@pytest.mark.parametrize(
    ("value", "alive"),
    [
        (b"model", True),
        (BleakGATTProtocolError(BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHENTICATION), True),
        (BleakError("not connected"), False),
        (TimeoutError(), False),
    ],
)
async def test_any_answer_is_a_sign_of_life(value: bytes | Exception, alive: bool) -> None:
    strap = FakeStrap(_ADDRESS)
    client = await _connected(strap)
    armed = await arm(client, DECODERS, _Listener(), 5)
    strap.values[MODEL] = value
    assert await answers(client, armed, 5) is alive


async def test_no_answer_is_none() -> None:
    strap = FakeStrap(_ADDRESS)
    client = await _connected(strap)
    armed = await arm(client, DECODERS, _Listener(), 5)
    strap.stalled = True
    assert not await answers(client, armed, 0.002)
    assert not await answers(client, Armed(), 5)
