"""The finder: one scanner for all, at rest when nobody is missing, and never giving up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason

from strapline_bridge.radio import NoAdapterError, RadioError, Timing
from strapline_bridge.radio.finder import Finder
from tests.unit.bridge.radio_fakes import FakeAir, FakeStrap, eventually

_ONE = "C0:FF:EE:00:00:01"
_TWO = "C0:FF:EE:00:00:02"
_OFF = BleakBluetoothNotAvailableError("off", BleakBluetoothNotAvailableReason.POWERED_OFF)
_LONG = Timing(window_s=100)


class _Bench:
    def __init__(self, air: FakeAir, timing: Timing) -> None:
        self.problems: list[RadioError | None] = []
        self.finder = Finder(air.backend(), timing, self.problems.append)


@asynccontextmanager
async def _running(air: FakeAir, timing: Timing = _LONG) -> AsyncIterator[_Bench]:
    bench = _Bench(air, timing)
    task = asyncio.create_task(bench.finder.run())
    try:
        yield bench
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert air.scanning == 0


async def test_does_not_scan_while_nobody_is_missing() -> None:
    air = FakeAir(FakeStrap(_ONE))
    async with _running(air) as bench:
        await asyncio.sleep(0)
        assert air.scans == 0
        assert (await bench.finder.find([_ONE])).address == _ONE
        await eventually(lambda: air.scanning == 0)
        assert air.scans == 1


async def test_finds_only_what_is_asked_for_in_any_spelling() -> None:
    air = FakeAir(FakeStrap(_ONE))
    async with _running(air) as bench:
        finding = asyncio.create_task(bench.finder.find([_TWO.lower(), "C0:FF:EE:00:00:03"]))
        await eventually(lambda: air.scanning == 1)
        await asyncio.sleep(0)
        assert not finding.done()
        air.wake(FakeStrap(_TWO))
        assert (await finding).address == _TWO


async def test_one_scan_serves_all() -> None:
    air = FakeAir()
    async with _running(air) as bench:
        finding = [asyncio.create_task(bench.finder.find([address])) for address in (_ONE, _TWO)]
        await eventually(lambda: air.scanning == 1)
        air.wake(FakeStrap(_ONE))
        await finding[0]
        assert air.scanning == 1
        air.wake(FakeStrap(_TWO))
        await finding[1]
        await eventually(lambda: air.scanning == 0)
        assert (air.scans, air.most_scanning) == (1, 1)


async def test_rests_while_a_connection_is_made() -> None:
    air = FakeAir()
    async with _running(air) as bench:
        finding = asyncio.create_task(bench.finder.find([_ONE]))
        await eventually(lambda: air.scanning == 1)
        async with bench.finder.resting():
            assert air.scanning == 0
            air.wake(FakeStrap(_ONE))
            await asyncio.sleep(0.01)
            assert not finding.done()
        await finding


async def test_scans_again_and_again_with_pauses() -> None:
    air = FakeAir()
    timing = Timing(eager_s=0, window_s=0.005, pause_s=0.005)
    async with _running(air, timing) as bench:
        finding = asyncio.create_task(bench.finder.find([_ONE]))
        await eventually(lambda: air.scans >= 3)
        assert air.most_scanning == 1
        air.straps[_ONE] = FakeStrap(_ONE)
        await finding


async def test_one_that_goes_missing_ends_the_pause() -> None:
    air = FakeAir()
    timing = Timing(eager_s=0, window_s=0.005, pause_s=1_000)
    async with _running(air, timing) as bench:
        waiting = asyncio.create_task(bench.finder.find([_ONE]))
        await eventually(lambda: air.scans == 1 and air.scanning == 0)
        air.straps[_TWO] = FakeStrap(_TWO)
        await bench.finder.find([_TWO])
        assert air.scans == 2
        waiting.cancel()
        await asyncio.wait([waiting])


async def test_one_that_is_looked_for_no_more_ends_the_scan() -> None:
    air = FakeAir()
    async with _running(air) as bench:
        finding = asyncio.create_task(bench.finder.find([_ONE]))
        await eventually(lambda: air.scanning == 1)
        finding.cancel()
        await eventually(lambda: air.scanning == 0)
        assert finding.cancelled()


async def test_bluetooth_that_comes_late_is_used() -> None:
    air = FakeAir(FakeStrap(_ONE))
    air.scan_errors = [_OFF, FileNotFoundError(2, "no bus"), TimeoutError()]
    async with _running(air, Timing(backoff_first_s=0.001)) as bench:
        await bench.finder.find([_ONE])
        await eventually(lambda: bench.problems[-1] is None)
    assert [type(problem) for problem in bench.problems[:3]] == [
        NoAdapterError,
        NoAdapterError,
        RadioError,
    ]


async def test_an_unexpected_fault_does_not_end_the_search(
    caplog: pytest.LogCaptureFixture,
) -> None:
    air = FakeAir(FakeStrap(_ONE))
    air.scan_errors = [ZeroDivisionError()]
    async with _running(air, Timing(backoff_first_s=0.001)) as bench:
        await bench.finder.find([_ONE])
    assert "ZeroDivisionError" in caplog.text


async def test_silence_of_everybody_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    air = FakeAir()
    timing = Timing(eager_s=1_000, window_s=0.002, deaf_s=0.004)
    with caplog.at_level(logging.WARNING):
        async with _running(air, timing) as bench:
            finding = asyncio.create_task(bench.finder.find([_ONE]))
            await eventually(lambda: air.scans >= 6)
            finding.cancel()
            await asyncio.wait([finding])
    assert caplog.text.count("no advertisement of any device") == 1
