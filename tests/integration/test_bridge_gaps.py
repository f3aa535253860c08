"""What a bridge notices of silences, over a real radio stack, and what a viewer is told of them."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from strapline_bridge.daemon import OUTBOX_NAME, Bridge
from strapline_protocol.publishing import DeviceState
from strapline_protocol.watching import Gap
from strapline_simulator import chest_strap
from tests.integration.bridge_kit import until
from tests.integration.clock_kit import RATE, House, Machine, house

#: Real work passes some time besides the leaps that a test makes.
_BUSY_MS = 2_000


async def _is(bridge: Bridge, state: DeviceState) -> None:
    async with asyncio.timeout(20):
        while (await bridge.status()).devices[0].state is not state:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _told(home: House, bridge: Bridge) -> list[tuple[str, str | None, int]]:
    """Cause, evidence and seconds of each gap."""
    await home.told(bridge)
    gaps: list[Gap] = await home.gaps()
    return [(gap.cause, gap.evidence, round((gap.to_ms - gap.from_ms) / 1_000)) for gap in gaps]


def _about(found: list[tuple[str, str | None, int]], *expected: tuple[str, str, int]) -> None:
    assert [one[:2] for one in found] == [one[:2] for one in expected]
    for (*_, seconds), (*_, told) in zip(found, expected, strict=True):
        assert seconds == pytest.approx(told, abs=_BUSY_MS / 1_000)


async def test_a_link_that_is_lost_and_back(tmp_path: Path) -> None:
    machine = Machine(synchronised=True)
    async with house(tmp_path, machine) as home, home.bridge() as bridge:
        await home.beat(bridge, 5)
        await home.strap.leave()
        await _is(bridge, DeviceState.SEARCHING)
        machine.passes(600)
        await home.strap.come_back()
        await home.strap.wait_subscribed(RATE)
        await home.beat(bridge, 5)
        _about(await _told(home, bridge), ("silent", "linked", 1), ("silent", "linkLost", 600))


async def test_a_strap_that_is_heard_and_has_no_link(tmp_path: Path) -> None:
    machine = Machine(synchronised=True)
    async with house(tmp_path, machine) as home, home.bridge() as bridge:
        await home.beat(bridge, 5)
        await home.strap.leave()
        await _is(bridge, DeviceState.SEARCHING)
        machine.passes(40)
        await home.strap.come_back()
        await home.strap.wait_subscribed(RATE)
        await home.beat(bridge, 5)
        # It was there before and after, and not long between.
        _about(await _told(home, bridge), ("silent", "linked", 1), ("radioLost", "heard", 40))


async def test_a_strap_that_is_taken_off(tmp_path: Path) -> None:
    machine = Machine(synchronised=True)
    async with house(tmp_path, machine, profile=chest_strap("strap")) as home:
        async with home.bridge() as bridge:
            await home.beat(bridge, 5)
            await home.strap.take_off()
            await home.beat(bridge, 1)
            machine.passes(44)
            await home.strap.leave()
            await _is(bridge, DeviceState.SEARCHING)
            machine.passes(3_000)
            await home.strap.put_on()
            await home.strap.come_back()
            await home.strap.wait_subscribed(RATE)
            await home.beat(bridge, 5)
            _about(await _told(home, bridge), ("notWorn", "contact", 3_045))


async def test_an_adapter_that_is_taken_away(tmp_path: Path) -> None:
    machine = Machine(synchronised=True)
    async with house(tmp_path, machine) as home, home.bridge() as bridge:
        await home.beat(bridge, 5)
        home.air.take_away(away=True)
        await home.strap.leave()
        await _is(bridge, DeviceState.SEARCHING)
        async with asyncio.timeout(20):
            while (await bridge.status()).problem is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        machine.passes(900)
        home.air.take_away(away=False)
        await home.strap.come_back()
        await home.strap.wait_subscribed(RATE)
        await home.beat(bridge, 5)
        _about(
            await _told(home, bridge), ("silent", "linked", 1), ("radioLost", "adapterAway", 900)
        )


async def test_a_silence_that_lasts_is_told_of_and_survives_a_power_cut(tmp_path: Path) -> None:
    """The bridge says so within seconds; what a killed one has told counts, until it was alive."""
    machine = Machine(synchronised=True)
    async with house(tmp_path, machine) as home:
        async with home.bridge() as bridge:
            await home.beat(bridge, 5)
            await home.strap.leave()
            await _is(bridge, DeviceState.SEARCHING)
            machine.passes(300)
            committed = bridge.outbox.status().counters.readings
            await until(lambda: bridge.outbox.status().counters.readings > committed)
            await bridge.outbox.flush()
            cut = tmp_path / "cut"
            cut.mkdir()
            for name in (OUTBOX_NAME, f"{OUTBOX_NAME}-wal"):
                shutil.copy(home.folder / name, cut / name)
        for path in home.folder.glob(f"{OUTBOX_NAME}*"):
            path.unlink()
        for path in cut.iterdir():
            shutil.copy(path, home.folder)
        machine.passes(400)
        await home.strap.come_back()
        async with home.bridge() as bridge:
            (earlier, *_) = bridge.outbox.records()
            assert earlier.ended is not None
            assert not earlier.ended.clean
            # It lived when it told of the silence, not only when the strap spoke last.
            assert earlier.ended.elapsed_ms - earlier.last_elapsed_ms > 250_000
            await home.beat(bridge, 5)
            found = await _told(home, bridge)
            assert ("bridgeDown", "killed") in [one[:2] for one in found]
            assert ("silent", "linkLost") in [one[:2] for one in found]


async def test_a_run_that_hears_nothing_leaves_evidence(tmp_path: Path) -> None:
    machine = Machine(synchronised=True)
    async with house(tmp_path, machine) as home:
        await home.strap.leave()
        async with home.run_without_strap() as bridge:
            assert bridge.outbox.stream is None
            machine.passes(90)
            await until(lambda: bridge.outbox.stream is not None)
            await home.told(bridge)
            (record,) = bridge.outbox.records()
            assert record.next_seq == 1
            assert await home.statements() == [("silent", "linkLost")]


async def test_a_clean_stop_tells_what_it_still_knows(tmp_path: Path) -> None:
    """Too short yet to have been told of while it lasted."""
    machine = Machine(synchronised=True)
    async with house(tmp_path, machine) as home:
        async with home.bridge() as bridge:
            await home.beat(bridge, 5)
            machine.passes(30)
        machine.passes(100)
        async with home.bridge() as bridge:
            await home.beat(bridge, 5)
            found = await _told(home, bridge)
            _about(found[:2], ("silent", "linked", 31), ("bridgeDown", "stopped", 100))
