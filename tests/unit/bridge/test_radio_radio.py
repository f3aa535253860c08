"""Several links and one radio: only what was chosen, one attempt at a time, a clean end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
)

from strapline_bridge.radio import AdapterChange, NoAdapterError, Radio, RadioNotice, Timing
from strapline_bridge.radio import Heard as HeardWithoutLink
from tests.unit.bridge.radio_fakes import (
    HEART_RATE,
    Chosen,
    FakeAir,
    FakeStrap,
    Heard,
    eventually,
)

_ONE = "C0:FF:EE:00:00:01"
_TWO = "C0:FF:EE:00:00:02"
_THREE = "C0:FF:EE:00:00:03"
_QUICK = Timing(window_s=100, backoff_first_s=0.001, backoff_most_s=0.002, operation_s=1)


@asynccontextmanager
async def _running(radio: Radio) -> AsyncIterator[None]:
    task = asyncio.create_task(radio.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


def _radio(air: FakeAir, heard: Heard, *wearables: Chosen) -> Radio:
    return Radio(air.backend(), wearables, heard, timing=_QUICK)


async def test_connects_to_the_chosen_and_to_no_other() -> None:
    one, two, stranger = FakeStrap(_ONE), FakeStrap(_TWO), FakeStrap(_THREE)
    air, heard = FakeAir(stranger, one, two), Heard()
    async with _running(_radio(air, heard, Chosen("a", (_ONE,)), Chosen("b", (_TWO,)))):
        await eventually(lambda: HEART_RATE in one.armed and HEART_RATE in two.armed)
        one.notify(HEART_RATE, b"\0\x48")
        two.notify(HEART_RATE, b"\0\x49")
    assert stranger.connects == 0
    rates = [
        (n.device_id, n.value[1]) for n in heard.notifications if n.characteristic == HEART_RATE
    ]
    assert rates == [("a", 0x48), ("b", 0x49)]


async def test_nobody_chosen_means_no_scan() -> None:
    air = FakeAir(FakeStrap(_ONE))
    async with _running(_radio(air, Heard())):
        await asyncio.sleep(0.01)
    assert air.scans == 0


async def test_one_attempt_at_a_time_and_no_scan_meanwhile() -> None:
    straps = [FakeStrap(f"C0:FF:EE:00:00:{number:02X}") for number in range(1, 9)]
    air = FakeAir(*straps)
    chosen = [Chosen(strap.address[-2:], (strap.address,)) for strap in straps]
    async with _running(_radio(air, Heard(), *chosen)):
        await eventually(lambda: all(HEART_RATE in strap.armed for strap in straps))
    assert air.most_connecting == 1
    assert air.most_scanning == 1
    assert not air.scanned_while_connecting


async def test_a_turn_that_comes_too_late_is_used_to_look_again() -> None:
    straps = [FakeStrap(_ONE), FakeStrap(_TWO)]
    air = FakeAir(*straps)
    air.hold_connects = asyncio.Event()
    radio = Radio(
        air.backend(),
        [Chosen("a", (_ONE,)), Chosen("b", (_TWO,))],
        Heard(),
        timing=replace(_QUICK, stale_s=0.01),
    )
    async with _running(radio):
        await eventually(lambda: air.connecting == 1)
        await asyncio.sleep(0.02)
        scans = air.scans
        air.hold_connects.set()
        await eventually(lambda: all(HEART_RATE in strap.armed for strap in straps))
    assert air.scans == scans + 1
    assert [strap.connects for strap in straps] == [1, 1]


async def test_one_wearable_may_have_several_addresses() -> None:
    strap, air = FakeStrap(_TWO), FakeAir()
    async with _running(_radio(air, Heard(), Chosen("a", (_ONE, _TWO)))):
        await eventually(lambda: air.scanning == 1)
        air.wake(strap)
        await eventually(lambda: HEART_RATE in strap.armed)


async def test_a_wearable_can_be_added_while_it_runs_and_before() -> None:
    one, two = FakeStrap(_ONE), FakeStrap(_TWO)
    radio = _radio(FakeAir(one, two), Heard())
    radio.add(Chosen("a", (_ONE,)))
    async with _running(radio):
        await eventually(lambda: HEART_RATE in one.armed)
        radio.add(Chosen("b", (_TWO,)))
        radio.add(Chosen("b", (_TWO,)))
        await eventually(lambda: HEART_RATE in two.armed)
    assert two.connects == 1


async def test_a_removed_wearable_is_let_go() -> None:
    one, two = FakeStrap(_ONE), FakeStrap(_TWO)
    air = FakeAir(one, two)
    radio = _radio(air, Heard(), Chosen("a", (_ONE,)), Chosen("b", (_TWO,)))
    async with _running(radio):
        await eventually(lambda: HEART_RATE in one.armed and HEART_RATE in two.armed)
        await radio.remove("a")
        assert one.clients == []
        await radio.remove("a")
        air.advertise()
        two.notify(HEART_RATE, b"\0\x48")
        assert two.clients != []
    assert one.connects == 1


async def test_the_end_disconnects_everybody() -> None:
    straps = [FakeStrap(_ONE), FakeStrap(_TWO)]
    air = FakeAir(*straps)
    async with _running(_radio(air, Heard(), Chosen("a", (_ONE,)), Chosen("b", (_TWO,)))):
        await eventually(lambda: all(HEART_RATE in strap.armed for strap in straps))
    assert [strap.clients for strap in straps] == [[], []]
    assert air.scanning == 0


async def test_the_end_in_mid_connection_is_clean() -> None:
    strap = FakeStrap(_ONE)
    air = FakeAir(strap)
    air.hold_connects = asyncio.Event()
    async with _running(_radio(air, Heard(), Chosen("a", (_ONE,)))):
        await eventually(lambda: air.connecting == 1)
    assert (air.connecting, air.scanning, strap.clients) == (0, 0, [])


async def test_a_sink_that_fails_leaves_no_link_standing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(event: object) -> None:
        raise ZeroDivisionError

    strap = FakeStrap(_ONE)
    radio = Radio(FakeAir(strap).backend(), [Chosen("a", (_ONE,))], broken, timing=_QUICK)
    async with _running(radio):
        await eventually(lambda: HEART_RATE in strap.armed)
        strap.notify(HEART_RATE, b"\0\x48")
        strap.drop()
        await eventually(lambda: HEART_RATE in strap.armed)
    assert strap.clients == []
    assert strap.connects == 2
    assert "ZeroDivisionError" in caplog.text


async def test_a_radio_can_run_again() -> None:
    strap = FakeStrap(_ONE)
    radio = _radio(FakeAir(strap), Heard(), Chosen("a", (_ONE,)))
    for times in (1, 2):
        async with _running(radio):
            await eventually(lambda: HEART_RATE in strap.armed)
        assert strap.connects == times


async def test_bluetooth_that_is_off_is_said_once_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    off = BleakBluetoothNotAvailableError("", BleakBluetoothNotAvailableReason.POWERED_OFF)
    strap = FakeStrap(_ONE)
    air = FakeAir(strap)
    air.scan_errors = [off] * 5
    radio = _radio(air, Heard(), Chosen("a", (_ONE,)))
    with caplog.at_level(logging.INFO):
        async with _running(radio):
            await eventually(lambda: len(air.scan_errors) < 3)
            assert isinstance(radio.problem, NoAdapterError)
            await eventually(lambda: HEART_RATE in strap.armed)
            await eventually(lambda: radio.problem is None)
    assert caplog.text.count("bluetoothctl power on") == 1
    assert caplog.text.count("Bluetooth works again") == 1


async def test_it_tells_why_no_link_stands() -> None:
    off = BleakBluetoothNotAvailableError("", BleakBluetoothNotAvailableReason.POWERED_OFF)
    busy = BleakDBusError("org.bluez.Error.InProgress", [])
    strap = FakeStrap(_ONE)
    air = FakeAir(strap)
    air.scan_errors = [busy, off, off, busy]
    notices: list[RadioNotice] = []
    radio = Radio(
        air.backend(), [Chosen("a", (_ONE,))], Heard(), notice=notices.append, timing=_QUICK
    )
    async with _running(radio):
        await eventually(lambda: HEART_RATE in strap.armed)
        strap.drop()
        await eventually(lambda: strap.connects == 2 and HEART_RATE in strap.armed)
    # Another program's scan is no adapter that is away, and each finding is a word of the strap.
    assert [one.away if isinstance(one, AdapterChange) else one.device_id for one in notices] == [
        *(True, False),
        *("a", "a"),
    ]
    assert all(isinstance(one, HeardWithoutLink | AdapterChange) for one in notices)
    moments = [one.boot_ns for one in notices]
    assert moments == sorted(moments)
