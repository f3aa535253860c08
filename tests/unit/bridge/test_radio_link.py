"""One link through its life: lost, silent, phantom, useless, odd."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from bleak.exc import BleakDBusError, BleakError

from strapline_bridge.decoders import DESCRIPTIONS, Description
from strapline_bridge.radio import LinkChange, LinkState, Notification, Radio, Timing
from tests.unit.bridge.radio_fakes import (
    BATTERY,
    BATTERY_SERVICE,
    HEART_RATE,
    INFORMATION_SERVICE,
    MODEL,
    STEPS,
    STEPS_SERVICE,
    Chosen,
    FakeAir,
    FakeStrap,
    Heard,
    eventually,
)

_ADDRESS = "C0:FF:EE:00:00:01"
_S = 1_000_000_000
_QUICK = Timing(window_s=100, backoff_first_s=0.001, backoff_most_s=0.002, operation_s=1)
#: Looks at the clock a hundred times a second; what it finds there is up to the test.
_WATCHFUL = Timing(
    window_s=100,
    backoff_first_s=0.001,
    backoff_most_s=0.002,
    operation_s=0.05,
    steady_silence_s=0.02,
    steady_limit_s=300,
    quiet_silence_s=0.02,
    poll_s=600,
)
_CONNECTED, _SEARCHING = LinkState.CONNECTED, LinkState.SEARCHING


class _Clock:
    """A boot clock that a test sets."""

    def __init__(self) -> None:
        self.at_s = 100.0

    def now_ns(self) -> int:
        return int(self.at_s * _S)


@dataclass
class _Bench:
    strap: FakeStrap
    air: FakeAir
    heard: Heard = field(default_factory=Heard)
    clock: _Clock = field(default_factory=_Clock)

    @property
    def states(self) -> list[LinkState]:
        return self.heard.states("strap")

    async def until_armed(
        self, times: int = 1, *, what: frozenset[str] = frozenset({HEART_RATE, BATTERY})
    ) -> None:
        """Wait until the link made for the given time is armed in full."""
        await eventually(lambda: self.strap.connects == times and what <= self.strap.armed)

    async def until_asked_after(self, seconds: float) -> None:
        """Let time pass, and wait for the question whether the strap is still there."""
        before = self.strap.reads.count(MODEL)
        self.clock.at_s += seconds
        await eventually(lambda: self.strap.reads.count(MODEL) > before)


@asynccontextmanager
async def _linked(
    strap: FakeStrap | None = None,
    timing: Timing = _QUICK,
    descriptions: Mapping[str, Description] | None = None,
) -> AsyncIterator[_Bench]:
    strap = strap or FakeStrap(_ADDRESS)
    bench = _Bench(strap, FakeAir(strap))
    radio = Radio(
        bench.air.backend(),
        [Chosen("strap", (_ADDRESS,))],
        bench.heard,
        clock=bench.clock,
        descriptions=descriptions or {},
        timing=timing,
    )
    task = asyncio.create_task(radio.run())
    try:
        yield bench
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert strap.clients == []
        assert bench.air.scanning == 0


async def test_what_arrives_is_stamped_with_the_boot_clock() -> None:
    async with _linked() as bench:
        await bench.until_armed()
        bench.clock.at_s = 123.5
        bench.strap.notify(HEART_RATE, b"\0\x48")
        assert bench.heard.notifications == [
            Notification("strap", BATTERY, b"\x50", 100 * _S, True),
            Notification("strap", HEART_RATE, b"\0\x48", 123_500_000_000, False),
        ]


async def test_states_are_told_in_order() -> None:
    async with _linked() as bench:
        await bench.until_armed()
        bench.strap.awake = False
        bench.strap.drop()
        assert bench.states == [_SEARCHING, _CONNECTED, _SEARCHING]
    assert bench.states == [_SEARCHING, _CONNECTED, _SEARCHING]


async def test_a_lost_link_is_made_and_armed_again_for_ever() -> None:
    async with _linked() as bench:
        for times in range(1, 6):
            await bench.until_armed(times)
            bench.strap.notify(HEART_RATE, bytes([0, times]))
            bench.strap.drop()
        await bench.until_armed(6)
    rates = [one.value[1] for one in bench.heard.notifications if one.characteristic == HEART_RATE]
    assert rates == [1, 2, 3, 4, 5]
    assert bench.states == [_SEARCHING, _CONNECTED] * 6 + [_SEARCHING]


async def test_a_sleeping_strap_is_waited_for() -> None:
    async with _linked() as bench:
        await bench.until_armed()
        bench.strap.awake = False
        bench.strap.drop()
        await eventually(lambda: bench.air.scanning == 1)
        bench.air.wake(bench.strap)
        await bench.until_armed(2)


async def test_failed_attempts_are_repeated_with_growing_jittered_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def backoff_s(self: Timing, failures: int, random: float) -> float:
        asked.append(failures)
        return 0

    monkeypatch.setattr(Timing, "backoff_s", backoff_s)
    strap = FakeStrap(_ADDRESS, connect_errors=[BleakError("no")] * 6)
    async with _linked(strap) as bench:
        # The connector tries twice in each attempt of ours.
        await eventually(lambda: HEART_RATE in bench.strap.armed)
    assert asked == [1, 2, 3]
    assert bench.strap.connects == 7
    assert bench.states == [_SEARCHING, _CONNECTED, _SEARCHING]


async def test_waits_start_over_once_a_link_has_brought_something(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def backoff_s(self: Timing, failures: int, random: float) -> float:
        asked.append(failures)
        return 0

    monkeypatch.setattr(Timing, "backoff_s", backoff_s)
    async with _linked() as bench:
        for times in (1, 2):
            await bench.until_armed(times)
            bench.strap.drop()
        await bench.until_armed(3)
        bench.strap.notify(HEART_RATE, b"\0\x48")
        bench.strap.drop()
        await bench.until_armed(4)
        bench.strap.drop()
        await bench.until_armed(5)
    assert asked == [1, 2, 1]


async def test_a_link_that_lasted_was_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def backoff_s(self: Timing, failures: int, random: float) -> float:
        asked.append(failures)
        return 0

    monkeypatch.setattr(Timing, "backoff_s", backoff_s)
    async with _linked() as bench:
        await bench.until_armed(1)
        bench.clock.at_s += _QUICK.worth_s
        bench.strap.drop()
        await bench.until_armed(2)
    assert asked == []


async def test_a_phantom_link_is_ended_and_made_anew() -> None:
    async with _linked(timing=_WATCHFUL) as bench:
        await bench.until_armed()
        bench.strap.stalled = True
        bench.strap.awake = False
        bench.clock.at_s += 31
        await eventually(lambda: bench.strap.clients == [])
        bench.strap.stalled = False
        bench.air.wake(bench.strap)
        await bench.until_armed(2)


async def test_a_link_that_ends_without_a_word_is_told_all_the_same() -> None:
    async with _linked(timing=_WATCHFUL) as bench:
        await bench.until_armed()
        bench.strap.stalled = bench.strap.vanishes = True
        bench.strap.awake = False
        bench.clock.at_s += 31
        await bench.heard.until(lambda: bench.states == [_SEARCHING, _CONNECTED, _SEARCHING])


async def test_a_silent_strap_that_answers_keeps_its_link() -> None:
    async with _linked(timing=_WATCHFUL) as bench:
        await bench.until_armed()
        for _ in range(3):
            await bench.until_asked_after(60)
        assert bench.strap.connects == 1
        assert BATTERY in bench.strap.armed


async def test_a_strap_that_answers_but_stays_silent_is_armed_anew() -> None:
    async with _linked(timing=_WATCHFUL) as bench:
        await bench.until_armed()
        bench.clock.at_s += 301
        await bench.until_armed(2)


async def test_a_strap_that_speaks_is_not_asked() -> None:
    async with _linked(timing=_WATCHFUL) as bench:
        await bench.until_armed()
        for _ in range(10):
            bench.clock.at_s += 0.015
            bench.strap.notify(HEART_RATE, b"\0\x48")
            await asyncio.sleep(0.002)
        assert MODEL not in bench.strap.reads


async def test_a_device_that_speaks_on_change_may_be_silent_for_ever() -> None:
    strap = FakeStrap(
        _ADDRESS,
        services={
            BATTERY_SERVICE: [(BATTERY, ["read", "notify"])],
            INFORMATION_SERVICE: [(MODEL, ["read"])],
        },
    )
    async with _linked(strap, _WATCHFUL) as bench:
        await eventually(lambda: BATTERY in strap.armed)
        for _ in range(3):
            await bench.until_asked_after(86_400)
        assert strap.connects == 1


async def test_what_cannot_be_subscribed_to_is_read_now_and_then() -> None:
    strap = FakeStrap(_ADDRESS, services={BATTERY_SERVICE: [(BATTERY, ["read"])]})
    timing = Timing(window_s=100, poll_s=0.01, quiet_silence_s=10**9)
    async with _linked(strap, timing) as bench:
        await bench.heard.until(lambda: len(bench.heard.notifications) == 1)
        bench.clock.at_s += 700
        await bench.heard.until(lambda: len(bench.heard.notifications) == 2)
    assert bench.heard.notifications[1].boot_ns == 800 * _S


async def test_a_device_without_anything_known_is_left_and_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    strap = FakeStrap(_ADDRESS, services={INFORMATION_SERVICE: [(MODEL, ["read"])]})
    with caplog.at_level(logging.INFO):
        async with _linked(strap):
            await eventually(lambda: strap.connects >= 2)
    assert "offers nothing known" in caplog.text


async def test_an_unexpected_fault_does_not_end_the_link(
    caplog: pytest.LogCaptureFixture,
) -> None:
    strap = FakeStrap(_ADDRESS, connect_errors=[ZeroDivisionError()])
    async with _linked(strap) as bench:
        await bench.until_armed(2)
    assert "ZeroDivisionError" in caplog.text


async def test_no_address_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    strap = FakeStrap(
        _ADDRESS,
        connect_errors=[BleakDBusError("org.bluez.Error.Failed", [f"{_ADDRESS} refused"])] * 2,
        subscribe_errors={BATTERY: BleakError(f"{_ADDRESS} refused")},
    )
    with caplog.at_level(logging.INFO):
        async with _linked(strap) as bench:
            await bench.until_armed(3, what=frozenset({HEART_RATE}))
            strap.drop()
            await bench.until_armed(4, what=frozenset({HEART_RATE}))
    assert "not reached: BleakConnectionError (Failed)" in caplog.text
    assert _ADDRESS not in caplog.text


async def test_what_a_wearable_says_of_itself_is_asked_once_a_run() -> None:
    serial = "00002a25-0000-1000-8000-00805f9b34fb"
    strap = FakeStrap(_ADDRESS)
    strap.services[INFORMATION_SERVICE].append((serial, ["read"]))
    async with _linked(strap, descriptions=DESCRIPTIONS) as bench:
        await eventually(lambda: MODEL in strap.reads)
        strap.drop()
        await bench.until_armed(2)
        strap.notify(HEART_RATE, b"\0\x48")
    assert strap.reads == [BATTERY, MODEL, BATTERY]
    told = [one for one in bench.heard.notifications if one.characteristic == MODEL]
    assert [(one.value, one.was_read) for one in told] == [(b"model", True)]


async def test_a_link_that_came_tells_all_that_the_wearable_has() -> None:
    async with _linked() as bench:
        await bench.until_armed()
    changes = [event for event in bench.heard.events if isinstance(event, LinkChange)]
    assert [len(change.offered) for change in changes] == [0, 3, 0]
    assert changes[1].offered[1].service == BATTERY_SERVICE
    assert changes[1].offered[1].characteristic == BATTERY
    assert changes[1].offered[1].properties == ("read", "notify")


def _watch_that_does_not_notify() -> FakeStrap:
    return FakeStrap(
        _ADDRESS,
        services={STEPS_SERVICE: [(STEPS, ["read", "notify"])]},
        values={STEPS: b"\x10\0\0\0"},
    )


_POLLING = Timing(
    window_s=100, poll_s=0.01, poll_total_s=0.01, quiet_silence_s=10**9, operation_s=1
)


async def test_a_total_that_changes_without_a_word_is_polled_and_no_longer_subscribed() -> None:
    strap = _watch_that_does_not_notify()
    async with _linked(strap, _POLLING) as bench:
        await eventually(lambda: STEPS in strap.armed)
        strap.values[STEPS] = b"\x20\0\0\0"
        bench.clock.at_s += 700
        await bench.heard.until(lambda: len(bench.heard.notifications) == 2)
        await eventually(lambda: STEPS not in strap.armed)
        strap.values[STEPS] = b"\x30\0\0\0"
        bench.clock.at_s += 700
        await bench.heard.until(lambda: len(bench.heard.notifications) == 3)
        assert STEPS not in strap.armed
    assert [one.value[0] for one in bench.heard.notifications] == [0x10, 0x20, 0x30]


async def test_a_total_that_stands_still_stays_subscribed_to() -> None:
    strap = _watch_that_does_not_notify()
    async with _linked(strap, _POLLING) as bench:
        await eventually(lambda: STEPS in strap.armed)
        for _ in range(3):
            looks = len(strap.reads)
            bench.clock.at_s += 700
            await eventually(lambda looks=looks: len(strap.reads) > looks)  # type: ignore[misc]  # bound now
            await eventually(lambda: STEPS in strap.armed)
        strap.notify(STEPS, b"\x11\0\0\0")
        looks = len(strap.reads)
        for _ in range(3):
            bench.clock.at_s += 700
            await asyncio.sleep(0.03)
        # One that has notified is never read while it is subscribed to, nor looked at again.
        assert len(strap.reads) == looks
    assert [one.value[0] for one in bench.heard.notifications] == [0x10, 0x11]


async def test_what_refuses_the_subscription_is_polled() -> None:
    strap = _watch_that_does_not_notify()
    strap.subscribe_errors[STEPS] = BleakError("no")
    async with _linked(strap, _POLLING) as bench:

        def polled_as_time_goes_by() -> bool:
            bench.clock.at_s += 700
            return len(bench.heard.notifications) >= 2

        await eventually(polled_as_time_goes_by)
    assert strap.armed == set()
