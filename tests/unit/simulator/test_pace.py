"""The clock ticks evenly, does not drift, and tells when a tick fails."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from strapline_simulator.pace import Pace, paced


@dataclass
class Ticker:
    enough: int
    ticks: list[tuple[float, float, bool]] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None

    async def tick(self, seconds: float, *, elapsed_s: float, wait: bool) -> None:
        self.ticks.append((seconds, elapsed_s, wait))
        self.times_s.append(asyncio.get_running_loop().time())
        self.begun.set()
        if len(self.ticks) == self.enough:
            self.done.set()
        if self.error is not None:
            raise self.error


def test_a_pace_has_a_rate_and_a_speed() -> None:
    assert Pace().interval_s == 1.0
    assert Pace(rate_hz=20).interval_s == 0.05
    assert Pace(rate_hz=2, speed=10).interval_s == 0.05
    for pace in ({"rate_hz": 0.0}, {"speed": -1.0}):
        with pytest.raises(ValueError, match="give more than 0"):
            Pace(**pace)


async def test_the_recording_is_sped_up_and_nothing_else() -> None:
    ticker = Ticker(enough=5)
    async with paced([ticker], Pace(rate_hz=1, speed=1000)):
        await ticker.done.wait()
    assert ticker.ticks[0] == (1.0, 0.001, False)


async def test_it_does_not_drift() -> None:
    ticker = Ticker(enough=21)
    async with paced([ticker], Pace(rate_hz=100)):
        await ticker.done.wait()
    took_s = ticker.times_s[20] - ticker.times_s[0]
    assert took_s >= 0.199  # never ahead of the clock
    behind_s = [at - ticker.times_s[0] - i * 0.01 for i, at in enumerate(ticker.times_s)]
    assert min(behind_s[1:]) < 0.008  # some tick was on time again, however busy the machine


async def test_straps_take_turns_within_an_interval() -> None:
    tickers = [Ticker(enough=1) for _ in range(4)]
    async with paced(tickers, Pace(rate_hz=10)):
        await asyncio.gather(*(ticker.done.wait() for ticker in tickers))
    firsts = [ticker.times_s[0] for ticker in tickers]
    assert firsts == sorted(firsts)
    assert firsts[-1] - firsts[0] > 0.05


async def test_a_clock_that_fell_far_behind_does_not_catch_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticker = Ticker(enough=8)
    loop = asyncio.get_running_loop()
    real, skipped_s = loop.time, [0.0]
    monkeypatch.setattr(loop, "time", lambda: real() + skipped_s[0])
    async with paced([ticker], Pace(rate_hz=50)):
        await ticker.begun.wait()
        skipped_s[0] = 3600.0  # the machine slept for an hour
        slept_s = real()
        await ticker.done.wait()
        assert real() - slept_s > 0.08  # it goes on evenly


async def test_a_failing_tick_is_told_at_the_end() -> None:
    ticker = Ticker(enough=1, error=RuntimeError("broken sensor"))
    with pytest.raises(RuntimeError, match="broken sensor"):
        async with paced([ticker], Pace(rate_hz=100)):
            await ticker.done.wait()


async def test_an_error_of_the_body_comes_first() -> None:
    ticker = Ticker(enough=1, error=RuntimeError("broken sensor"))

    async def fail() -> None:
        async with paced([ticker], Pace(rate_hz=100)):
            await ticker.done.wait()
            raise KeyError("body")

    with pytest.raises(KeyError, match="body"):
        await fail()


async def test_nothing_ticks_afterwards() -> None:
    ticker = Ticker(enough=1)
    async with paced([ticker], Pace(rate_hz=100)):
        await ticker.done.wait()
    assert asyncio.all_tasks() == {asyncio.current_task()}
