"""The wheel: each sleeper is woken once, at its tick, and never before."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_server.clock import monotonic_ms
from strapline_server.wheel import NOWHERE, TICK_MS, Wheel


class Clock:
    def __init__(self) -> None:
        self.now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


class Sleeper:
    def __init__(self, again: list[int] | None = None) -> None:
        self.wheel_slot = NOWHERE
        self.woken: list[int] = []
        self.again = again or []

    def wake(self, now_ms: int) -> int | None:
        self.woken.append(now_ms)
        return now_ms + self.again.pop(0) if self.again else None


def turn_to(wheel: Wheel, clock: Clock, now_ms: int) -> None:
    while clock.now_ms < now_ms:
        clock.now_ms = min(now_ms, clock.now_ms + TICK_MS // 2)
        wheel.turn()


@given(st.lists(st.integers(-500, 100_000), min_size=1, max_size=20))
def test_each_is_woken_once_within_a_tick_after_it_is_due(delays: list[int]) -> None:
    clock = Clock()
    wheel = Wheel(clock)
    begin = clock.now_ms
    sleepers = [Sleeper() for _ in delays]
    for sleeper, delay in zip(sleepers, delays, strict=True):
        wheel.wake_at(sleeper, begin + delay)
    turn_to(wheel, clock, begin + 101_000)
    for sleeper, delay in zip(sleepers, delays, strict=True):
        (woken,) = sleeper.woken
        assert max(0, delay) <= woken - begin <= max(0, delay) + 2 * TICK_MS


def test_the_earlier_of_two_moments_counts() -> None:
    clock = Clock()
    wheel = Wheel(clock)
    begin = clock.now_ms
    sleeper = Sleeper()
    wheel.wake_at(sleeper, begin + 5_000)
    wheel.wake_at(sleeper, begin + 1_000)
    wheel.wake_at(sleeper, begin + 3_000)
    turn_to(wheel, clock, begin + 10_000)
    assert [woken - begin for woken in sleeper.woken] == [1_000]


def test_what_a_sleeper_answers_is_its_next_moment() -> None:
    clock = Clock()
    wheel = Wheel(clock)
    begin = clock.now_ms
    sleeper = Sleeper([2_000, 300])
    wheel.wake_at(sleeper, begin + 1_000)
    turn_to(wheel, clock, begin + 10_000)
    assert [woken - begin for woken in sleeper.woken] == [1_000, 3_000, 3_300]


def test_one_that_was_removed_sleeps_on() -> None:
    clock = Clock()
    wheel = Wheel(clock)
    sleeper = Sleeper()
    wheel.wake_at(sleeper, clock.now_ms + 1_000)
    wheel.remove(sleeper)
    turn_to(wheel, clock, clock.now_ms + 5_000)
    assert sleeper.woken == []


def test_the_fault_of_one_costs_the_others_nothing(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    wheel = Wheel(clock)

    class Broken(Sleeper):
        def wake(self, now_ms: int) -> int | None:
            super().wake(now_ms)
            raise ZeroDivisionError

    sleepers = [Broken(), Sleeper()]
    for sleeper in sleepers:
        wheel.wake_at(sleeper, clock.now_ms + 1_000)
    turn_to(wheel, clock, clock.now_ms + 2_500)
    assert [len(sleeper.woken) for sleeper in sleepers] == [2, 1]
    assert "ZeroDivisionError" in caplog.text


def test_a_clock_that_jumped_wakes_all_that_were_due() -> None:
    clock = Clock()
    wheel = Wheel(clock)
    sleepers = [Sleeper() for _ in range(3)]
    for number, sleeper in enumerate(sleepers):
        wheel.wake_at(sleeper, clock.now_ms + 1_000 * number)
    clock.now_ms += 3_600_000
    wheel.turn()
    assert all(sleeper.woken == [clock.now_ms] for sleeper in sleepers)


async def test_it_turns_by_itself_until_it_is_stopped() -> None:
    wheel = Wheel(monotonic_ms)
    woken = asyncio.Event()

    class Alarm(Sleeper):
        def wake(self, now_ms: int) -> int | None:
            woken.set()
            return super().wake(now_ms)

    wheel.start(asyncio.get_running_loop())
    wheel.wake_at(Alarm(), monotonic_ms() + 50)
    await asyncio.wait_for(woken.wait(), 5)
    wheel.stop()
    wheel.stop()
    sleeper = Sleeper()
    wheel.wake_at(sleeper, monotonic_ms())
    assert sleeper.woken == []
