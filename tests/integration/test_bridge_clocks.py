"""Whatever the clocks do: nothing is lost, doubled or reordered, and in the end all is on time."""

from __future__ import annotations

from pathlib import Path

import pytest

from strapline_bridge.clock import UNKNOWN_MS, ClockState, TimeSource
from strapline_bridge.uplink import Link
from strapline_protocol.closing import CloseCode
from strapline_protocol.opening import ClockState as ServerClockState
from strapline_protocol.publishing import ClockSource
from tests.integration.clock_kit import TRUE_MS, House, Machine, house
from tests.integration.server_kit import connected, serving

_HOUR_MS = 3_600_000
#: Between a strap's word and its stamp, on a machine that is busy.
_BUSY_MS = 500


def _in_1970() -> Machine:
    return Machine(wall_off_ms=-TRUE_MS + 40_000)


async def _sources(home: House) -> set[str]:
    return {series.time_source for _, _, series in await home.history()}


async def test_a_boot_in_1970_and_the_right_time_later(tmp_path: Path) -> None:
    machine = _in_1970()
    async with house(tmp_path, machine) as home, home.bridge() as bridge:
        await home.beat(bridge, 5)
        # An unsynchronised server's time is better than 1970 and no more than that.
        await home.told(bridge)
        assert await _sources(home) == {ClockSource.SERVER_UNSYNCHRONISED}
        machine.passes(300)
        machine.synchronise()
        bridge.check_clock()
        await home.beat(bridge, 5)
        await home.told(bridge)
        await home.right(within_ms=20 + _BUSY_MS)
        assert await _sources(home) == {ClockSource.SYSTEM}


async def test_an_earlier_run_of_this_boot_learns_its_time_too(tmp_path: Path) -> None:
    """Its server was away, and nobody knew the date."""
    machine = _in_1970()
    async with house(tmp_path, machine) as home:
        async with home.bridge(port=1) as bridge:
            await home.beat(bridge, 3)
            (record,) = bridge.outbox.records()
            assert record.zero.source is ClockSource.ESTIMATE
            assert record.zero.wall_ms(0) < 3_600_000
        machine.passes(60)
        async with home.bridge() as bridge:
            await home.beat(bridge, 3)
            await home.told(bridge)
            # Sent as what an unsynchronised server says, and moved when more is known.
            await home.right(within_ms=_HOUR_MS)
            machine.synchronise()
            bridge.check_clock()
            await home.told(bridge)
            await home.right(within_ms=20 + _BUSY_MS)


@pytest.mark.parametrize("by_ms", [_HOUR_MS, -_HOUR_MS, 400 * 24 * _HOUR_MS, -400 * 24 * _HOUR_MS])
async def test_a_clock_that_steps_while_it_records(tmp_path: Path, by_ms: int) -> None:
    """Somebody sets it; then it is unsynchronised until a time server is heard of again."""
    machine = Machine(synchronised=True)
    async with house(tmp_path, machine) as home:
        async with home.bridge() as bridge:
            await home.beat(bridge, 4)
            machine.wall_off_ms = by_ms
            machine.state = ClockState(TimeSource.ESTIMATE, UNKNOWN_MS)
            bridge.check_clock()
            await home.beat(bridge, 4)
            await home.told(bridge)
            await home.right(within_ms=20 + _BUSY_MS)
            machine.synchronise()
            bridge.check_clock()
            await home.beat(bridge, 4)
        async with home.bridge() as bridge:
            await home.beat(bridge, 4)
            await home.told(bridge)
            await home.right(within_ms=20 + _BUSY_MS)
            assert bridge._running.uplink.state.attempts == 1


async def test_wrong_by_an_hour_and_a_synchronised_server(tmp_path: Path) -> None:
    machine = Machine(wall_off_ms=_HOUR_MS)
    synchronised = ServerClockState.SYNCHRONISED
    async with house(tmp_path, machine, server_state=synchronised) as home:
        async with home.bridge() as bridge:
            await home.beat(bridge, 5)
            await home.told(bridge)
            (record,) = bridge.outbox.records()
            uncertainty_ms = record.zero.anchors[0].uncertainty_ms
            assert record.zero.source is ClockSource.SERVER
            assert uncertainty_ms < 2_000
            await home.right(within_ms=uncertainty_ms + _BUSY_MS)
            assert await _sources(home) == {ClockSource.SERVER}


async def test_a_server_that_learns_the_time_says_so_in_the_next_connection(
    tmp_path: Path,
) -> None:
    known = [ServerClockState.UNSYNCHRONISED]
    async with serving(tmp_path, clock_state=lambda: known[0]) as server:
        for state in (ServerClockState.UNSYNCHRONISED, ServerClockState.SYNCHRONISED):
            known[0] = state
            async with connected(server) as peer:
                assert peer.hello.clock_state is state


async def test_a_synchronised_clock_that_was_wrong_is_believed_when_it_is_right(
    tmp_path: Path,
) -> None:
    """A time server that erred by an hour, and noticed: all moves by that."""
    machine = Machine(synchronised=True)
    machine.wall_off_ms = _HOUR_MS
    async with house(tmp_path, machine) as home, home.bridge() as bridge:
        await home.beat(bridge, 3)
        await home.told(bridge)
        off_ms = (await home.history())[0][1] - home.beats[40]
        assert off_ms == pytest.approx(_HOUR_MS, abs=20 + _BUSY_MS)
        machine.passes(120)
        machine.wall_off_ms = 0
        bridge.check_clock()
        await home.beat(bridge, 3)
        await home.told(bridge)
        await home.right(within_ms=20 + _BUSY_MS)


async def test_a_clock_that_is_never_synchronised_anywhere(tmp_path: Path) -> None:
    """Within what is told to be its uncertainty, and said to be an estimate's better."""
    machine = Machine(wall_off_ms=-7 * 24 * _HOUR_MS)
    async with house(tmp_path, machine) as home, home.bridge() as bridge:
        await home.beat(bridge, 5)
        bridge.check_clock()
        await home.told(bridge)
        (record,) = bridge.outbox.records()
        assert record.zero.source is ClockSource.SERVER_UNSYNCHRONISED
        assert record.zero.anchors[0].uncertainty_ms >= _HOUR_MS
        await home.right(within_ms=_HOUR_MS)
        assert (await bridge.status()).clock.source is ClockSource.SERVER_UNSYNCHRONISED


async def test_a_machine_that_is_suspended_loses_no_second(tmp_path: Path) -> None:
    machine = Machine(synchronised=True)
    async with house(tmp_path, machine) as home, home.bridge() as bridge:
        await home.beat(bridge, 5)
        machine.sleeps(7_200)
        await home.beat(bridge, 5)
        await home.told(bridge)
        await home.right(within_ms=20 + _BUSY_MS)
        (gap,) = [one for one in await home.gaps() if one.cause == "bridgeAsleep"]
        assert gap.evidence == "suspended"
        assert gap.to_ms - gap.from_ms == pytest.approx(7_200_000, abs=2_500)


async def test_days_with_a_crystal_that_is_slow(tmp_path: Path) -> None:
    """Each half day it is 2 s behind; the past that was told stays, and nothing jumps back."""
    machine = Machine(synchronised=True)
    async with house(tmp_path, machine) as home, home.bridge() as bridge:
        for _ in range(6):
            await home.beat(bridge, 2)
            before = {rate: at_ms for rate, at_ms, _ in await home.history()}
            machine.passes(12 * 3_600, drift_ppm=50)
            bridge.check_clock()
            await home.beat(bridge, 2)
            await home.told(bridge)
            after = {rate: at_ms for rate, at_ms, _ in await home.history()}
            settled = list(before)[:-4]
            assert [after[rate] for rate in settled] == [before[rate] for rate in settled]
        (record,) = bridge.outbox.records()
        assert len(record.zero.anchors) == 7
        await home.right(within_ms=1_000 + 20 + _BUSY_MS)


async def test_no_wait_hangs_on_the_wall_clock(tmp_path: Path) -> None:
    """While the server is away the date goes back by years; the bridge is back all the same."""
    machine = Machine(synchronised=True)
    async with house(tmp_path, machine) as home, home.bridge() as bridge:
        await home.beat(bridge, 3)
        await home.told(bridge)
        machine.wall_off_ms = -20 * 365 * 24 * _HOUR_MS
        machine.state = ClockState(TimeSource.ESTIMATE, UNKNOWN_MS)
        state = bridge._running.uplink.state
        before = state.connections
        for connection in list(home.server._connections):
            connection.close(CloseCode.RESTART, "")
        await home.beat(bridge, 3)
        await home.told(bridge)
        assert state.connections > before
        assert state.link is Link.ONLINE
        await home.right(within_ms=20 + _BUSY_MS)
