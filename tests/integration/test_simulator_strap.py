"""A virtual strap sends what it says it sends, and does what straps do."""

from __future__ import annotations

import asyncio
from datetime import date
from itertools import pairwise

import pytest
from bleak import BleakScanner

from strapline_simulator import Profile, chest_strap, simulation, straps, uuids, watch
from strapline_simulator.recording import BeatPlayer, rest_recording
from tests.integration.simulator_kit import QUICK, client_for, is_heard, listening, sent, turns

RATE, STEPS, BATTERY = uuids.HEART_RATE_MEASUREMENT, uuids.STEP_COUNT, uuids.BATTERY_LEVEL


async def test_when_a_notification_has_arrived_the_callback_has_been_called() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (_, heard):
            for bpm in range(40, 200):
                assert await strap.notify_heart_rate(bpm)
                assert heard.values[-1] == (RATE, bytes([0x06, bpm]))
            assert sent(strap) == heard.values
            assert sim.notified == strap.ledger.total == 160


async def test_exact_bytes_by_hand() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (_, heard):
            await strap.notify_heart_rate(72, rr_ms=[1000, 500], contact=False)
            await strap.push(RATE, b"\x16\x48\x00\x04")
            await strap.push(RATE, b"")
            await strap.push(RATE, bytes(514))
        assert [value.hex() for value in heard.of(RATE)[:3]] == ["144800040002", "16480004", ""]
        assert heard.of(RATE)[3] == bytes(514)


async def test_the_recording_goes_over_the_air_byte_for_byte() -> None:
    profile = chest_strap("S", number=2, beats_scale=0.7)
    async with simulation([profile], pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (_, heard):
            for _ in range(120):
                await strap.tick()
    player = BeatPlayer(rest_recording(), offset_s=2 * 211.0, scale=0.7)
    assert len(heard.values) == 120
    for number, value in enumerate(heard.of(RATE), start=1):
        beats = player.advance(1)
        rr = b"".join(round(ms * 1.024).to_bytes(2, "little") for ms in beats.rr_ms)
        flags = 0x06 | (0x10 if rr else 0) | (0x08 if number % 10 == 0 else 0)
        assert value[:2] == bytes([flags, beats.bpm])
        assert value[4 if flags & 0x08 else 2 :] == rr


async def test_every_characteristic_is_in_the_ledger_in_order() -> None:
    profile = Profile(name="S", steps=True, battery_percent=50, battery_drain_percent_per_h=1800)
    async with simulation([profile], pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap, RATE, STEPS, BATTERY) as (client, heard):
            for _ in range(20):
                await strap.tick()
            assert await client.read_gatt_char(STEPS) == heard.of(STEPS)[-1]
            assert await client.read_gatt_char(BATTERY) == heard.of(BATTERY)[-1] == b"\x28"
        assert sent(strap) == heard.values
        assert {uuid for uuid, _ in heard.values} == {RATE, STEPS, BATTERY}
        times = [entry.at_monotonic_ns for entry in strap.sent]
        assert times == sorted(times)


async def test_what_nobody_asked_for_is_not_sent() -> None:
    async with simulation([Profile(name="S", steps=True)], pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        assert not await strap.notify_heart_rate(70)
        async with listening(sim, strap, STEPS) as (_, heard):
            assert not await strap.notify_heart_rate(71)
            assert await strap.notify_steps(1234)
            assert not await strap.set_battery(20)
        assert not await strap.notify_heart_rate(72)
        assert sent(strap) == heard.values == [(STEPS, b"\xd2\x04\x00\x00")]
        assert strap.ledger.lost == 0


async def test_who_stops_waiting_for_a_notification_does_not_undo_it() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        assert not strap.is_subscribed(RATE)
        async with listening(sim, strap) as (_, heard):
            waiting = asyncio.create_task(strap.notify_heart_rate(1))
            await asyncio.sleep(0)
            waiting.cancel()
            assert await strap.notify_heart_rate(2)
            lost = asyncio.create_task(strap.notify_heart_rate(3))
            await asyncio.sleep(0)
            lost.cancel()
            await strap.drop_link()
        assert [value[1] for value in heard.of(RATE)] == [1, 2]
        assert sent(strap) == heard.values
        assert strap.ledger.lost == 1
        assert waiting.cancelled()
        assert lost.cancelled()


async def test_a_subscription_can_be_waited_for() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        waiting = asyncio.create_task(strap.wait_subscribed(RATE))
        async with await client_for(sim, strap) as client:
            await turns()
            assert not waiting.done()
            await client.start_notify(RATE, lambda *_: None)
            await waiting


async def test_a_radio_that_cannot_advertise_any_more_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(**_: object) -> None:
        raise RuntimeError("antenna broken")

    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap):
            monkeypatch.setattr(strap._radio.device, "start_advertising", fail)
        await strap.wait_disconnected()
        await turns()
        assert "Strap 01 could not settle its radio" in caplog.text
        assert "antenna broken" in caplog.text


async def test_a_wearable_may_count_steps_alone() -> None:
    profile = Profile(name="S", heart_rate=False, steps=True)
    async with simulation([profile], pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap, STEPS) as (client, heard):
            await strap.tick(5)
            assert client.services.get_service(uuids.HEART_RATE_SERVICE) is None
        assert len(heard.values) == 1
        assert strap.provenance == "synthesised walk; simulated battery"


async def test_steps_by_hand_go_on_from_there() -> None:
    async with simulation([Profile(name="S", steps=True)], pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap, STEPS) as (_, heard):
            await strap.notify_steps(500)
            await strap.tick(60)
    totals = [int.from_bytes(value, "little") for value in heard.of(STEPS)]
    assert totals[0] == 500
    assert 590 <= totals[1] <= 620


async def test_steps_begin_anew_at_midnight() -> None:
    day = [date(2026, 5, 1)]
    profile = Profile(name="S", steps=True, steps_so_far=9000)
    async with simulation([profile], pace=None, conditions=QUICK, today=lambda: day[0]) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap, STEPS) as (_, heard):
            await strap.tick(10)
            day[0] = date(2026, 5, 2)
            await strap.tick()
    assert int.from_bytes(heard.of(STEPS)[0], "little") > 9000
    assert heard.of(STEPS)[1] == bytes(4)


async def test_taken_off_and_put_on() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (_, heard):
            await strap.tick()
            await strap.take_off()
            for _ in range(5):
                await strap.tick()
            await strap.put_on()
            await strap.tick()
    contact = [value[0] & 0x06 for value in heard.of(RATE)]
    assert contact == [6, 4, 4, 4, 4, 4, 6]
    assert [value[1] == 0 for value in heard.of(RATE)] == [False] * 4 + [True] * 2 + [False]


async def test_off_the_body_it_goes_to_sleep_and_wakes_when_it_is_put_on() -> None:
    profile = Profile(name="S", off_body_sleep_s=45)
    async with simulation([profile], pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (client, heard):
            await strap.take_off()
            for _ in range(60):
                await strap.tick()
            assert len(heard.values) == 45
            await strap.wait_disconnected()
            assert not await is_heard(sim, strap)
            await strap.put_on()
            assert strap.is_awake
            await client.connect()
            assert strap.is_connected


async def test_a_watch_stays_silent_while_nothing_changes() -> None:
    async with simulation([watch("W")], pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (_, heard):
            for _ in range(100):
                await strap.tick()
    rates = [value[1] for value in heard.of(RATE)]
    assert all(value[0] == 0 and len(value) == 2 for value in heard.of(RATE))
    assert all(before != after for before, after in pairwise(rates))
    assert 5 < len(rates) < 100


async def test_readings_say_where_they_come_from() -> None:
    profiles = [chest_strap("A", beats_scale=0.5), watch("B"), Profile(name="C", steps=True)]
    async with simulation(profiles, pace=None, conditions=QUICK) as sim:
        a, b, c = (strap.provenance for strap in sim.straps)
    recorded = "recorded beats (MIT-BIH Normal Sinus Rhythm Database, PhysioNet)"
    assert a == f"{recorded}, intervals scaled by 0.5; simulated battery"
    assert b == c == f"{recorded}; synthesised walk; simulated battery"


async def test_maker_and_serial_number_are_never_on_the_air_unasked() -> None:
    profile = Profile(name="S", manufacturer="Secretive", serial_number="SN-4711")
    async with (
        simulation([profile], pace=None, conditions=QUICK) as sim,
        BleakScanner(backend=sim.backend.scanner) as scanner,
    ):
        heard = repr(await anext(aiter(scanner.advertisement_data())))
    for word in ("Secretive", "SN-4711", "VW-1"):
        assert word not in heard


async def test_what_a_strap_cannot_do_is_refused() -> None:
    profiles = [chest_strap("Rate"), Profile(name="Steps", heart_rate=False, steps=True)]
    async with simulation(profiles, pace=None, conditions=QUICK) as sim:
        rate, steps = sim.strap("Rate"), sim.strap("Steps")
        with pytest.raises(KeyError, match="no strap is called 'Nobody'"):
            sim.strap("Nobody")
        with pytest.raises(ValueError, match="Rate does not count steps"):
            await rate.notify_steps(1)
        with pytest.raises(ValueError, match="Steps has no heart rate"):
            await steps.take_off()
        with pytest.raises(ValueError, match="battery level is 101"):
            await rate.set_battery(101)
        async with listening(sim, rate):
            with pytest.raises(ValueError, match="does not notify 00030001"):
                await rate.push(STEPS, bytes(4))
            with pytest.raises(ValueError, match="515 bytes: this link has room for 514"):
                await rate.push(RATE, bytes(515))


async def test_a_ledger_is_as_long_as_it_is_asked_to_be() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK, ledger_size=3) as sim:
        (strap,) = sim.straps
        async with listening(sim, strap) as (_, heard):
            for bpm in range(60, 70):
                await strap.notify_heart_rate(bpm)
        assert sent(strap) == heard.values[-3:]
        assert (strap.ledger.total, strap.ledger.forgotten) == (10, 7)


async def test_a_strap_sleeps_even_while_somebody_connects() -> None:
    async with simulation(straps(1), pace=None, conditions=QUICK) as sim:
        (strap,) = sim.straps
        client = await client_for(sim, strap)
        connecting = asyncio.create_task(client.connect(timeout=5))
        await strap.wait_connected()
        await strap.sleep()
        with pytest.raises(Exception, match="disconnected"):
            await connecting
        assert not strap.is_connected
        assert not await is_heard(sim, strap)
