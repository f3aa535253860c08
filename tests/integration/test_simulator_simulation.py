"""A whole simulation: many straps at once, by the clock, and nothing left behind."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from bleak import BleakClient

from strapline_bridge.radio import RadioBackend
from strapline_simulator import DEMO_PROFILES, Pace, chest_strap, simulation, straps, uuids
from tests.integration.simulator_kit import QUICK, client_for, listening, sent

RATE, STEPS, BATTERY = uuids.HEART_RATE_MEASUREMENT, uuids.STEP_COUNT, uuids.BATTERY_LEVEL


async def test_the_demo_gives_rate_and_steps_of_three() -> None:
    async with simulation(pace=Pace(rate_hz=1, speed=100), conditions=QUICK) as sim:
        assert [strap.profile for strap in sim.straps] == list(DEMO_PROFILES)
        async with AsyncExitStack() as stack:
            heard = [
                (await stack.enter_async_context(listening(sim, strap, RATE, STEPS, BATTERY)))[1]
                for strap in sim.straps
            ]
            for one in heard:
                await one.wait_for(150)
            for strap, one in zip(sim.straps, heard, strict=True):
                assert one.of(RATE)
                assert one.of(STEPS)
                assert sent(strap) == one.values
            assert sim.notified == sum(len(one.values) for one in heard)


async def test_sixteen_straps_at_twenty_a_second_lose_nothing() -> None:
    async with (
        simulation(straps(16), pace=Pace(rate_hz=20), conditions=QUICK) as sim,
        AsyncExitStack() as stack,
    ):
        heard = [
            (await stack.enter_async_context(listening(sim, strap)))[1] for strap in sim.straps
        ]
        for one in heard:
            await one.wait_for(20)
        for strap, one in zip(sim.straps, heard, strict=True):
            # What the central's radio has just taken is on its way to the callback.
            entered = sent(strap)
            await one.wait_for(len(entered))
            assert entered == one.values[: len(entered)]
            assert strap.ledger.lost == 0


async def test_the_backend_is_what_the_bridge_takes() -> None:
    async with simulation(straps(1), pace=None) as sim:
        assert isinstance(sim.backend, RadioBackend)
        assert sim.backend.scanner is not None
        assert sim.backend.client is not None


async def test_nothing_is_left_running_whatever_was_going_on() -> None:
    loop = asyncio.get_running_loop()
    async with simulation(straps(2), pace=Pace(rate_hz=50), conditions=QUICK) as sim:
        one, two = sim.straps
        client = await client_for(sim, one)
        await client.connect()
        await client.start_notify(RATE, lambda *_: None)
        reading = asyncio.create_task(client.read_gatt_char(BATTERY))
        away = await client_for(sim, two)
        await two.leave()
        connecting = asyncio.create_task(away.connect(timeout=30))
        await asyncio.sleep(0.01)
        connecting.cancel()
        await asyncio.wait({connecting, reading})
    assert not client.is_connected
    assert asyncio.all_tasks() == {asyncio.current_task()}
    # What bumble's timers still had to say, they say into nothing.
    await asyncio.sleep(0.05)
    assert loop.is_running()


async def test_an_error_in_the_body_comes_out_as_it_is() -> None:
    async def fail() -> None:
        async with (
            simulation(straps(1), pace=Pace(rate_hz=50), conditions=QUICK) as sim,
            await client_for(sim, sim.straps[0]),
        ):
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await fail()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_two_simulations_share_nothing() -> None:
    profiles = [chest_strap("Same")]
    async with (
        simulation(profiles, pace=None, conditions=QUICK) as one,
        simulation(profiles, pace=None, conditions=QUICK) as two,
    ):
        assert one.straps[0].address == two.straps[0].address
        async with listening(one, one.straps[0]) as (_, heard):
            assert await one.straps[0].notify_heart_rate(70)
            assert not await two.straps[0].notify_heart_rate(71)
            assert len(heard.values) == 1


async def test_a_client_outlives_its_simulation_quietly() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        client: BleakClient = await client_for(sim, sim.straps[0])
        await client.connect()
    assert not client.is_connected
    await client.disconnect()
