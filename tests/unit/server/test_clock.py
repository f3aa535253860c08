"""The machine's clocks."""

from __future__ import annotations

import ctypes
import time

import pytest

from strapline_protocol.opening import ClockState
from strapline_server.clock import clock_state, monotonic_ms, wall_ms


def test_both_clocks_are_in_milliseconds() -> None:
    assert abs(wall_ms() - time.time() * 1000) < 1_000
    assert abs(monotonic_ms() - time.monotonic() * 1000) < 1_000


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (0, ClockState.SYNCHRONISED),
        (4, ClockState.SYNCHRONISED),
        (5, ClockState.UNSYNCHRONISED),
        (-1, ClockState.UNSYNCHRONISED),
    ],
)
def test_the_kernel_says_whether_its_clock_is_synchronised(
    monkeypatch: pytest.MonkeyPatch, answer: int, state: ClockState
) -> None:
    class Library:
        def __init__(self, _: None) -> None: ...

        def adjtimex(self, timex: ctypes.Array[ctypes.c_char]) -> int:
            assert timex.raw == bytes(len(timex))
            return answer

    monkeypatch.setattr(ctypes, "CDLL", Library)
    assert clock_state() is state


def test_where_nobody_can_say_nothing_is_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert clock_state() is ClockState.UNSYNCHRONISED


def test_this_machine_has_an_answer() -> None:
    assert clock_state() in ClockState
