"""Clocks: the real ones move, injected ones give exact anchors, and doubt is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from strapline_bridge.clock import (
    UNKNOWN_MS,
    ClockState,
    KernelClock,
    Suspensions,
    SystemAwakeClock,
    SystemBootClock,
    SystemWallClock,
    TimeSource,
    boot_id,
    clock_state,
    kernel_clock,
    read_anchor,
)


class _Ticking:
    """A boot clock that moves by a step at each look."""

    def __init__(self, now_ns: int, step_ns: int = 0) -> None:
        self._now_ns = now_ns
        self._step_ns = step_ns

    def now_ns(self) -> int:
        self._now_ns += self._step_ns
        return self._now_ns


class _Wall:
    def now_ms(self) -> int:
        return 1_700_000_000_123


def test_the_boot_clock_only_goes_forward() -> None:
    clock = SystemBootClock()
    times = [clock.now_ns() for _ in range(100)]
    assert times == sorted(times)
    assert times[-1] > times[0]


def test_the_boot_clock_without_boottime_is_monotonic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SystemBootClock, "_CLOCK", None)
    monkeypatch.setattr("time.monotonic_ns", lambda: 42)
    assert SystemBootClock().now_ns() == 42


def test_the_wall_clock_is_in_milliseconds() -> None:
    assert 1_600_000_000_000 < SystemWallClock().now_ms() < 10_000_000_000_000


def test_a_synchronised_kernel_clock_gives_its_own_error() -> None:
    state = clock_state(lambda: KernelClock(synchronised=True, max_error_us=12_001))
    assert state == ClockState(TimeSource.SYSTEM, 13)


def test_an_error_is_never_nothing() -> None:
    state = clock_state(lambda: KernelClock(synchronised=True, max_error_us=0))
    assert state.uncertainty_ms == 1


def test_a_free_running_clock_is_an_estimate_even_beside_the_mark(tmp_path: Path) -> None:
    mark = tmp_path / "synchronized"
    mark.touch()
    state = clock_state(lambda: KernelClock(synchronised=False, max_error_us=5), mark)
    assert state == ClockState(TimeSource.ESTIMATE, UNKNOWN_MS)


def test_the_mark_stands_in_for_a_silent_kernel(tmp_path: Path) -> None:
    mark = tmp_path / "synchronized"
    assert clock_state(lambda: None, mark).source is TimeSource.ESTIMATE
    mark.touch()
    assert clock_state(lambda: None, mark).source is TimeSource.SYSTEM


def test_the_kernel_answers_in_range() -> None:
    kernel = kernel_clock()
    assert kernel is None or 0 <= kernel.max_error_us <= 16_000_000_000


@pytest.mark.parametrize(
    ("outcome", "status", "synchronised"),
    [(0, 0x2001, True), (0, 0x0040, False), (5, 0x0000, False), (5, 0x0040, False)],
)
def test_both_signs_of_a_free_running_kernel_clock_are_heeded(
    monkeypatch: pytest.MonkeyPatch, outcome: int, status: int, synchronised: bool
) -> None:
    class Libc:
        def adjtimex(self, reference: Any) -> int:
            timex = reference._obj
            assert timex.modes == 0
            timex.maxerror, timex.status = 4_321, status
            return outcome

    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: Libc())
    monkeypatch.setattr("sys.platform", "linux")
    assert kernel_clock() == KernelClock(synchronised, 4_321)


def test_a_kernel_that_refuses_or_is_another_gives_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Libc:
        def adjtimex(self, reference: object) -> int:
            return -1

    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: Libc())
    assert kernel_clock() is None
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: object())
    assert kernel_clock() is None
    monkeypatch.setattr("sys.platform", "darwin")
    assert kernel_clock() is None


def test_an_anchor_joins_both_clocks() -> None:
    anchor = read_anchor(
        5_000_000_000,
        _Ticking(65_000_000_000),
        _Wall(),
        lambda: ClockState(TimeSource.SYSTEM, 7),
    )
    assert anchor.elapsed_ms == 60_000
    assert anchor.wall_ms == 1_700_000_000_123
    assert anchor.uncertainty_ms == 7
    assert anchor.source is TimeSource.SYSTEM


def test_a_pause_between_the_clocks_adds_to_the_uncertainty() -> None:
    anchor = read_anchor(
        0,
        _Ticking(0, step_ns=10_000_000),
        _Wall(),
        lambda: ClockState(TimeSource.SYSTEM, 7),
    )
    assert anchor.elapsed_ms == 15
    assert anchor.uncertainty_ms == 7 + 5


def test_the_boot_id_is_the_systems(tmp_path: Path) -> None:
    path = tmp_path / "boot_id"
    path.write_text("7e3d004c-cc61-49ed-b3aa-2462f9a8b9f0\n")
    assert boot_id(path) == boot_id(path) == "7e3d004c-cc61-49ed-b3aa-2462f9a8b9f0"


def test_without_one_no_two_boots_are_taken_for_the_same(tmp_path: Path) -> None:
    assert boot_id(tmp_path / "none") != boot_id(tmp_path / "none")
    (tmp_path / "empty").write_text("\n")
    assert boot_id(tmp_path / "empty") != ""


class _At:
    """A clock that stands at the moments of a list, one after the other."""

    def __init__(self, *seconds: float) -> None:
        self._left = list(seconds)

    def now_ns(self) -> int:
        return round(self._left.pop(0) * 1e9)


def test_a_suspend_is_what_the_boot_clock_counts_and_the_other_does_not() -> None:
    suspensions = Suspensions(_At(100, 110, 3_720, 3_721), _At(40, 40, 50, 50, 60, 60, 61, 61))
    assert [suspensions.slept_ns() for _ in range(4)] == [0, 0, 3_600 * 10**9, 0]


def test_waiting_for_the_processor_is_no_sleep() -> None:
    """Between the looks at the two clocks something else ran for three seconds, each time."""
    suspensions = Suspensions(_At(103, 113, 123, 130), _At(40, 43, 50, 53, 63, 66, 70, 70))
    assert [suspensions.slept_ns() for _ in range(4)] == [0, 0, 0, 0]


def test_the_clock_that_stands_still_in_a_suspend_goes_on_otherwise() -> None:
    clock = SystemAwakeClock()
    assert clock.now_ns() <= clock.now_ns()
    assert Suspensions(SystemBootClock(), clock).slept_ns() == 0
