"""The radio through bleak against real GATT servers on a virtual link."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from strapline_bridge.decoders import DECODERS, battery, heart_rate, infinitime
from strapline_bridge.intake import Arrived, Described, Intake
from strapline_bridge.radio import (
    LinkChange,
    LinkState,
    Notification,
    Radio,
    RadioEvent,
    Timing,
    scan,
)
from strapline_simulator import Conditions, Profile, chest_strap, simulation, watch
from strapline_simulator.assembly import Simulation
from strapline_simulator.strap import VirtualStrap

_PATIENCE_S = 20.0
_TIMING = Timing(window_s=5, backoff_first_s=0.01, backoff_most_s=0.05)
_BRISK = Conditions(advertising_interval_ms=20)


@dataclass(frozen=True)
class _Chosen:
    device: str
    addresses: tuple[str, ...]


class _Bench:
    """A simulation, a radio on its backend, and what came of it."""

    def __init__(self, running: Simulation, chosen: Sequence[VirtualStrap]) -> None:
        self.simulation = running
        self.events: list[RadioEvent] = []
        self._news = asyncio.Event()
        self.radio = Radio(
            running.backend,
            [_Chosen(strap.name, (strap.address,)) for strap in chosen],
            self._take,
            timing=_TIMING,
        )

    def _take(self, event: RadioEvent) -> None:
        self.events.append(event)
        self._news.set()

    def states(self, strap: VirtualStrap) -> list[LinkState]:
        return [
            event.state
            for event in self.events
            if isinstance(event, LinkChange) and event.device_id == strap.name
        ]

    def notifications(
        self, strap: VirtualStrap, *, was_read: bool | None = None
    ) -> list[tuple[str, bytes]]:
        return [
            (event.characteristic, event.value)
            for event in self.events
            if isinstance(event, Notification)
            and event.device_id == strap.name
            and was_read in {None, event.was_read}
        ]

    async def until_state(self, strap: VirtualStrap, state: LinkState) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while self.states(strap)[-1:] != [state]:
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def _bench(
    *profiles: Profile, chosen: Sequence[str] | None = None
) -> AsyncIterator[tuple[_Bench, list[VirtualStrap]]]:
    async with simulation(profiles, pace=None, conditions=_BRISK) as running:
        wanted = [
            strap for strap in running.straps if chosen is None or strap.profile.name in chosen
        ]
        bench = _Bench(running, wanted)
        task = asyncio.create_task(bench.radio.run())
        try:
            async with asyncio.timeout(_PATIENCE_S):
                for strap in wanted:
                    await _armed(strap)
                yield bench, list(running.straps)
        finally:
            task.cancel()
            await asyncio.wait([task])
            assert not any(strap.is_connected for strap in running.straps)


async def _armed(strap: VirtualStrap) -> None:
    """Wait until all that the strap can send and a decoder knows is subscribed to."""
    if strap.profile.heart_rate:
        await strap.wait_subscribed(heart_rate.CHARACTERISTIC)
    if strap.profile.steps:
        await strap.wait_subscribed(infinitime.CHARACTERISTIC)
    await strap.wait_subscribed(battery.CHARACTERISTIC)


def _sent(strap: VirtualStrap) -> Counter[tuple[str, bytes]]:
    return Counter((sent.characteristic, sent.value) for sent in strap.sent)


async def test_every_notification_arrives_once_and_in_order() -> None:
    async with _bench(chest_strap("strap"), watch("watch", number=2)) as (bench, straps):
        for _ in range(60):
            for strap in straps:
                await strap.tick()
        for strap in straps:
            # What was read comes among what was sent, and was not sent.
            arrived = bench.notifications(strap, was_read=False)
            assert arrived == [(sent.characteristic, sent.value) for sent in strap.sent]
            assert strap.ledger.lost == 0
        assert sum(strap.ledger.total for strap in straps) >= 60


async def test_notifications_are_stamped_at_arrival() -> None:
    async with _bench(chest_strap("strap")) as (bench, straps):
        for bpm in (60, 61, 62):
            await straps[0].notify_heart_rate(bpm)
        stamps = [event.boot_ns for event in bench.events]
        assert stamps == sorted(stamps)
        assert len(set(stamps[-3:])) == 3


async def test_a_dropped_link_is_made_and_armed_again() -> None:
    async with _bench(chest_strap("strap")) as (bench, straps):
        strap = straps[0]
        for round_ in range(5):
            await strap.tick()
            await strap.drop_link()
            await bench.until_state(strap, LinkState.SEARCHING)
            await bench.until_state(strap, LinkState.CONNECTED)
            await _armed(strap)
            assert await strap.notify_heart_rate(60 + round_)
        arrived = Counter(bench.notifications(strap))
        assert arrived >= _sent(strap)
        assert bench.states(strap) == [LinkState.SEARCHING, LinkState.CONNECTED] * 6


async def test_a_sleeping_strap_is_found_when_it_wakes() -> None:
    async with _bench(chest_strap("strap")) as (bench, straps):
        strap = straps[0]
        await strap.sleep()
        await bench.until_state(strap, LinkState.SEARCHING)
        await strap.wake()
        await bench.until_state(strap, LinkState.CONNECTED)
        await _armed(strap)
        assert await strap.notify_heart_rate(64)
        assert bench.notifications(strap)[-1][0] == heart_rate.CHARACTERISTIC


async def test_one_that_goes_out_of_range_comes_back() -> None:
    async with _bench(chest_strap("one"), chest_strap("two", number=2)) as (bench, straps):
        gone, stays = straps
        await gone.leave()
        await bench.until_state(gone, LinkState.SEARCHING)
        assert await stays.notify_heart_rate(70)
        assert bench.states(stays)[-1] is LinkState.CONNECTED
        await gone.come_back()
        await bench.until_state(gone, LinkState.CONNECTED)
        await _armed(gone)


async def test_a_strap_that_was_not_chosen_is_left_alone() -> None:
    profiles = (chest_strap("mine"), chest_strap("theirs", number=2))
    async with _bench(*profiles, chosen=["mine"]) as (bench, straps):
        mine, theirs = straps
        await mine.drop_link()
        await bench.until_state(mine, LinkState.SEARCHING)
        await bench.until_state(mine, LinkState.CONNECTED)
        assert mine.is_connected
        assert not theirs.is_connected
        assert bench.notifications(theirs) == []


async def test_a_strap_chosen_later_is_found_and_one_removed_is_let_go() -> None:
    profiles = (chest_strap("one"), chest_strap("two", number=2))
    async with _bench(*profiles, chosen=["one"]) as (bench, straps):
        one, two = straps
        bench.radio.add(_Chosen(two.name, (two.address,)))
        await _armed(two)
        await bench.radio.remove(one.name)
        await one.wait_disconnected()
        assert await two.notify_heart_rate(66)


async def test_eight_straps_at_once() -> None:
    profiles = [chest_strap(f"strap {number}", number=number) for number in range(8)]
    async with _bench(*profiles) as (bench, straps):
        for _ in range(20):
            await asyncio.gather(*(strap.tick() for strap in straps))
        for strap in straps:
            assert Counter(bench.notifications(strap)) >= _sent(strap)


async def test_the_scan_shows_what_each_offers_and_connects_to_none() -> None:
    profiles = (chest_strap("strap"), watch("watch", number=2))
    async with simulation(profiles, pace=None, conditions=_BRISK) as running:
        found: dict[str, tuple[str, ...]] = {}
        async with asyncio.timeout(_PATIENCE_S), aclosing(scan(running.backend)) as sightings:
            async for seen in sightings:
                if seen.name:
                    found[seen.address] = seen.offers
                if len(found) == 2:
                    break
        assert set(found) == {strap.address for strap in running.straps}
        assert all("heart rate" in offers for offers in found.values())
        assert not any(strap.is_connected for strap in running.straps)


async def test_readings_say_what_the_straps_sent() -> None:
    """Through radio and intake: the recording's rates, whose they are, and the steps' count."""
    async with simulation((watch("watch"),), pace=None, conditions=_BRISK) as running:
        strap = running.straps[0]
        arrived: list[Arrived | LinkChange | Described] = []
        intake = Intake({"w": "ada"}.get, arrived.append, {}, boot_id="b")
        radio = Radio(running.backend, [_Chosen("w", (strap.address,))], intake, timing=_TIMING)
        task = asyncio.create_task(radio.run())
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await _armed(strap)
            for _ in range(30):
                await strap.tick()
        finally:
            task.cancel()
            await asyncio.wait([task])
        readings = [one for one in arrived if isinstance(one, Arrived)]
        assert {one.user for one in readings} == {"ada"}
        assert all(one.on_change for one in readings)
        decoded = [DECODERS[sent.characteristic].decode(sent.value).value for sent in strap.sent]
        assert [one.reading.value for one in readings][-len(decoded) :] == decoded
        counters = {one.counter for one in readings if one.reading.metric == "steps"}
        assert len(counters) == 1
        assert intake.undecodable == {}
