"""The air: late but in order, gone while out of range, never in the wrong link."""

from __future__ import annotations

import asyncio
import logging

import pytest
from bumble.controller import Controller

from strapline_simulator import Conditions, simulation, straps, uuids
from strapline_simulator.lane import LANE_LIMIT
from tests.integration.simulator_kit import (
    QUICK,
    client_for,
    find,
    listening,
    sent,
    turns,
    until_gone,
)

RATE = uuids.HEART_RATE_MEASUREMENT


async def test_latency_delays_and_keeps_the_order() -> None:
    loop = asyncio.get_running_loop()
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (_, heard):
            sim.air.latency_s = 0.05
            began_s = loop.time()
            first = asyncio.create_task(strap.notify_heart_rate(1))
            await turns()
            sim.air.latency_s = 0.0  # what comes after does not overtake
            assert await strap.notify_heart_rate(2)
            assert loop.time() - began_s >= 0.049
            assert await first
            assert [value[1] for value in heard.of(RATE)] == [1, 2]


async def test_a_clock_does_not_wait_for_the_air() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (_, heard):
            sim.air.latency_s = 0.02
            for _ in range(50):
                await strap.tick(wait=False)
            assert heard.values == []
            await heard.wait_for(50)
            assert sent(strap) == heard.values


async def test_short_absence_only_delays() -> None:
    patient = Conditions(advertising_interval_ms=20, supervision_timeout_s=60)
    async with simulation(straps(1), pace=None, conditions=patient) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (client, heard):
            await strap.leave()
            waiting = [asyncio.create_task(strap.notify_heart_rate(bpm)) for bpm in (1, 2, 3)]
            await asyncio.sleep(0.01)
            assert heard.values == []
            assert client.is_connected
            await strap.come_back()
            assert await asyncio.gather(*waiting) == [True] * 3
            assert [value[1] for value in heard.of(RATE)] == [1, 2, 3]
            assert sim.air.broken_links == 0


async def test_long_absence_breaks_the_link_and_loses_what_was_in_the_air() -> None:
    impatient = Conditions(advertising_interval_ms=20, supervision_timeout_s=0.05)
    async with simulation(straps(1), pace=None, conditions=impatient) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (client, heard):
            assert await strap.notify_heart_rate(1)
            await strap.leave()
            assert strap.is_connected
            assert not await strap.notify_heart_rate(2)  # returns when the link has broken
            await until_gone(client)
            await strap.come_back()
            await client.connect()
            await client.start_notify(RATE, heard)
            assert await strap.notify_heart_rate(3)
        assert [value[1] for value in heard.of(RATE)] == [1, 3]
        assert sent(strap) == heard.values
        assert strap.ledger.lost == 1
        assert sim.air.broken_links == 1


async def test_the_other_links_live_on() -> None:
    async with simulation(straps(2), pace=None, conditions=QUICK) as sim:
        one, two = sim.straps
        async with listening(sim, one), listening(sim, two) as (_, heard):
            await one.leave()
            assert not one.is_connected
            assert two.is_connected
            assert await two.notify_heart_rate(80)
            assert len(heard.values) == 1


async def test_a_packet_in_the_air_dies_with_its_link() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (client, heard):
            sim.air.latency_s = 0.03
            flying = asyncio.create_task(strap.notify_heart_rate(1))
            await turns()
            sim.air.latency_s = 0.0
            await strap.drop_link()
            assert not await flying
            await client.connect()
            await client.start_notify(RATE, heard)
            await asyncio.sleep(0.04)  # by now it would have come
            assert await strap.notify_heart_rate(2)
        assert [value[1] for value in heard.of(RATE)] == [2]
        assert strap.ledger.lost == 1


async def test_who_falls_asleep_does_not_finish_sending() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (client, heard):
            sim.air.latency_s = 0.03
            flying = asyncio.create_task(strap.notify_heart_rate(1))
            await turns()
            await strap.sleep()
            assert not await flying
            await until_gone(client)
        assert heard.values == sent(strap) == []
        assert strap.ledger.lost == 1


async def test_what_is_sent_into_a_goodbye_is_lost() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (client, heard):
            sim.air.latency_s = 0.02
            await client.disconnect()
            assert strap.is_connected  # it does not know yet
            assert not await strap.notify_heart_rate(1)
            await strap.wait_disconnected()
        assert heard.values == sent(strap) == []
        assert strap.ledger.lost == 1


async def test_who_leaves_while_saying_goodbye_is_missed_all_the_same() -> None:
    impatient = Conditions(advertising_interval_ms=20, supervision_timeout_s=0.03)
    async with simulation(straps(1), pace=None, conditions=impatient) as sim:
        (strap,) = sim.straps
        gone = asyncio.Event()
        client = await client_for(sim, strap, lambda _: gone.set())
        await client.connect()
        await strap.leave()
        await strap.sleep()
        assert not strap.is_connected
        assert client.is_connected  # the goodbye was not heard
        await asyncio.wait_for(gone.wait(), 5)


async def test_too_much_in_the_air_breaks_the_link(caplog: pytest.LogCaptureFixture) -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (_, heard):
            sim.air.latency_s = 3600.0
            with caplog.at_level(logging.WARNING, "strapline_simulator"):
                for _ in range(LANE_LIMIT + 1):
                    await strap.tick(wait=False)
                await strap.wait_disconnected()
            assert "too much in the air" in caplog.text
            assert heard.values == []
            assert strap.ledger.lost == LANE_LIMIT + 1
            assert sim.air.overrun_links == 1
            sim.air.latency_s = 0.0


async def test_a_connect_that_nobody_takes_fails() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        device = await find(sim, strap)
        sim.air.set_in_range(sim.central.controller, in_range=False)
        assert sim.backend.client is not None
        client = sim.backend.client(device, disconnected_callback=None, timeout=0.1)
        with pytest.raises(TimeoutError):
            await client.connect(pair=False)
        sim.air.set_in_range(sim.central.controller, in_range=True)
        await client.connect(pair=False)
        assert strap.is_connected
        await client.disconnect()


async def test_only_its_own_controllers_may_share_an_air() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        stranger = Controller("stranger", link=sim.air)
        with pytest.raises(TypeError, match="stranger is not an AirController"):
            sim.air.break_links(sim.central.controller)
        sim.air.remove_controller(stranger)
