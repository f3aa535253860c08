"""Each twin through radio and intake, indications and polls too; a capture and its replay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from strapline_bridge.capturing import Anything, Recorder
from strapline_bridge.clock import BootClock, SystemBootClock
from strapline_bridge.decoders import DECODERS, DESCRIPTIONS, Decoder, heart_rate, running
from strapline_bridge.intake import Arrived, Described, Intake
from strapline_bridge.radio import LinkChange, LinkState, Radio, RadioSink, Timing
from strapline_bridge.radio.captures import dumps, loads
from strapline_simulator import (
    Conditions,
    Profile,
    activity_monitor,
    chest_strap,
    foot_pod,
    mi_band,
    replay,
    simulation,
    step_climber,
    watch,
)
from strapline_simulator.assembly import Simulation
from strapline_simulator.strap import VirtualStrap
from strapline_simulator.uuids import BATTERY_LEVEL

_PATIENCE_S = 20.0
_TIMING = Timing(window_s=5, backoff_first_s=0.01, backoff_most_s=0.05)
_BRISK = Conditions(advertising_interval_ms=20)


@dataclass(frozen=True)
class _Chosen:
    device: str
    addresses: tuple[str, ...]


class _Clock:
    """A boot clock that goes on a second with each tick of a strap."""

    def __init__(self) -> None:
        self.at_ns = SystemBootClock().now_ns()

    def now_ns(self) -> int:
        return self.at_ns


class _Kept:
    """What an intake delivers."""

    def __init__(self) -> None:
        self.items: list[Arrived | LinkChange | Described] = []
        self._news = asyncio.Event()

    def __call__(self, item: Arrived | LinkChange | Described) -> None:
        self.items.append(item)
        self._news.set()

    def readings(self, metric: str) -> list[Arrived]:
        return [
            one for one in self.items if isinstance(one, Arrived) and one.reading.metric == metric
        ]

    @property
    def described(self) -> dict[str, str]:
        return {one.field: one.text for one in self.items if isinstance(one, Described)}

    async def until_described(self, count: int) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while len(self.described) < count:
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def _radio(
    running_: Simulation,
    sink: RadioSink,
    decoders: Mapping[str, Decoder] = DECODERS,
    clock: BootClock | None = None,
) -> AsyncIterator[VirtualStrap]:
    strap = running_.straps[0]
    radio = Radio(
        running_.backend,
        [_Chosen("d", (strap.address,))],
        sink,
        clock=clock,
        decoders=decoders,
        descriptions=DESCRIPTIONS if decoders is DECODERS else {},
        timing=_TIMING,
    )
    task = asyncio.create_task(radio.run())
    try:
        yield strap
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def _listening(
    profile: Profile, clock: _Clock | None = None
) -> AsyncIterator[tuple[VirtualStrap, _Kept, Intake]]:
    kept = _Kept()
    intake = Intake({"d": "ada"}.get, kept, {}, boot_id="b")
    async with simulation((profile,), pace=None, conditions=_BRISK) as air:
        async with _radio(air, intake, clock=clock) as strap:
            await _subscribed(strap, [twin.characteristic for twin in profile.twins if twin.sends])
            yield strap, kept, intake


async def _subscribed(strap: VirtualStrap, characteristics: Sequence[str]) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        for characteristic in (*characteristics, BATTERY_LEVEL):
            await strap.wait_subscribed(characteristic)


@pytest.mark.parametrize(
    ("profile", "quality"),
    [
        (step_climber("climber", number=3), ()),
        (activity_monitor("monitor", number=3), ()),
        (mi_band("band", number=3), ()),
        (foot_pod("pod", number=3), ("derived",)),
    ],
    ids=lambda value: value.name if isinstance(value, Profile) else "",
)
async def test_the_steps_of_each_twin_arrive_in_one_count(
    profile: Profile, quality: tuple[str, ...]
) -> None:
    clock = _Clock()
    async with _listening(profile, clock) as (strap, kept, intake):
        for _ in range(120):
            clock.at_ns += 1_000_000_000
            await strap.tick()
        steps = kept.readings("steps")
        assert len(steps) > 5
        assert len({one.counter for one in steps}) == 1
        assert {one.reading.quality for one in steps} == {quality}
        totals = [one.reading.value for one in steps]
        assert totals == sorted(totals, key=lambda total: total or 0)
        assert intake.undecodable == {}
        assert intake.counting.superseded == 0
        if profile.name != "pod":
            uuid = profile.twins[0].characteristic
            sent = [DECODERS[uuid].decode(one.value).value for one in strap.sent]
            told = [DECODERS[one.characteristic].metric for one in strap.sent]
            expected = [v for v, metric in zip(sent, told, strict=True) if metric == "steps"]
            assert totals[-len(expected) :] == expected


async def test_a_pod_tells_speed_cadence_and_distance() -> None:
    async with _listening(foot_pod("pod")) as (strap, kept, _):
        for _ in range(30):
            await strap.tick()
        sent = [one for one in strap.sent if one.characteristic == running.CHARACTERISTIC]
        expected = [running.decode(one.value) for one in sent]
        assert len(expected) == 30
        assert [one.reading.value for one in kept.readings("speed")] == [
            one.value for one in expected
        ]
        assert [one.reading.value for one in kept.readings("cadence")] == [
            one.also[0].value for one in expected
        ]
        assert [one.reading.value for one in kept.readings("distance")] == [
            one.also[1].value for one in expected
        ]


async def test_an_indication_that_nobody_answers_any_more_is_lost_and_the_next_arrives() -> None:
    async with _listening(activity_monitor("monitor")) as (strap, kept, _):
        for _ in range(3):
            await strap.tick(2.0)
            await strap.drop_link()
            await _subscribed(strap, [strap.profile.twins[0].characteristic])
        before = len(kept.readings("steps"))
        for _ in range(3):
            await strap.tick(60.0)
        assert len(kept.readings("steps")) > before
        states = [one.state for one in kept.items if isinstance(one, LinkChange)]
        assert states == [LinkState.SEARCHING, LinkState.CONNECTED] * 4


async def test_what_a_strap_says_of_itself_arrives_and_what_it_must_not_say_does_not() -> None:
    async with _listening(chest_strap("strap")) as (strap, kept, _):
        await kept.until_described(3)
        assert kept.described == {
            "model": "VW-Chest",
            "firmware": "1.0.0",
            "body_location": "chest",
        }
        said = repr(kept.items)
        for secret in (strap.profile.serial_number, strap.profile.manufacturer, strap.address):
            assert secret not in said


async def test_a_capture_replayed_brings_the_same_values_again() -> None:
    async with simulation((watch("secret name"),), pace=None, conditions=_BRISK) as air:
        strap = air.straps[0]
        recorder = Recorder({"d": (strap.address, strap.name)}, SystemBootClock().now_ns())
        async with _radio(air, recorder, Anything()):
            await _subscribed(strap, [heart_rate.CHARACTERISTIC])
            for _ in range(40):
                await strap.tick()
        sent = [(one.characteristic, one.value) for one in strap.sent]
        secrets = (strap.profile.serial_number, strap.profile.manufacturer, strap.name)
        address = bytes.fromhex(strap.address.replace(":", ""))
    captures, _ = recorder.captures()
    text = dumps(captures)
    for secret in (*(word.encode() for word in secrets), address, address[::-1]):
        assert secret.hex() not in text

    kept = _Kept()
    intake = Intake({"d": "ada"}.get, kept, {}, boot_id="b")
    again = replay("again", loads(text)[0])
    async with simulation((again,), pace=None, conditions=_BRISK) as air:
        async with _radio(air, intake) as strap:
            await _subscribed(strap, [heart_rate.CHARACTERISTIC])
            # The first run was ticked without waiting, so all of it is due soon.
            await strap.tick(60.0)
            replayed = [(one.characteristic, one.value) for one in strap.sent]
    assert sorted(replayed) == sorted(sent)
    rates = [
        heart_rate.decode(value).value for uuid, value in sent if uuid == heart_rate.CHARACTERISTIC
    ]
    assert [one.reading.value for one in kept.readings("heart_rate")] == rates
    assert all(one.on_change for one in kept.readings("heart_rate"))
    assert intake.undecodable == {}
