"""The guard fails a test that blocks its event loop, and only that."""

from pathlib import Path

import pytest

from tests.loop_guard import LoopGuard, waited_for_a_core_s

pytest_plugins = ["pytester"]

GUARD = Path(__file__).parents[2] / "loop_guard.py"


class Machine:
    """A clock, and how long its only thread has waited for a core."""

    now_s = 100.0
    waited_s = 7.0

    def guard(self) -> LoopGuard:
        return LoopGuard(clock_s=lambda: self.now_s, waited_s=lambda: self.waited_s)

    def run(self, seconds: float) -> None:
        self.now_s += seconds

    def starve(self, seconds: float) -> None:
        self.now_s += seconds
        self.waited_s += seconds


def test_a_second_in_one_callback_is_blocking() -> None:
    machine = Machine()
    guard = machine.guard()
    guard.time(lambda: "short", lambda: machine.run(0.9))
    guard.time(lambda: "long", lambda: machine.run(1.5))
    assert guard.blocked == ["long for 1.5 s"]


def test_waiting_for_a_core_is_not_blocking() -> None:
    machine = Machine()
    guard = machine.guard()
    guard.time(lambda: "starved", lambda: machine.starve(5.0))
    assert guard.blocked == []


def test_starvation_hides_no_blocking() -> None:
    machine = Machine()
    guard = machine.guard()

    def both() -> None:
        machine.starve(5.0)
        machine.run(1.2)

    guard.time(lambda: "both", both)
    assert guard.blocked == ["both for 1.2 s"]


def test_linux_tells_how_long_a_thread_waited() -> None:
    assert waited_for_a_core_s() > 0.0


def test_the_hook_fails_tests_that_block(pytester: pytest.Pytester) -> None:
    pytester.makeini(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
    )
    pytester.makeconftest(GUARD.read_text())
    pytester.makepyfile(
        """
        import asyncio, time

        async def test_sleeps():
            time.sleep(1.1)

        def spin():
            until_s = time.thread_time() + 1.1
            while time.thread_time() < until_s:
                pass

        async def test_spins():
            asyncio.get_running_loop().call_soon(spin)
            await asyncio.sleep(0.01)

        async def test_waits():
            await asyncio.gather(asyncio.sleep(1.1), asyncio.to_thread(time.sleep, 1.1))

        def test_without_a_loop():
            time.sleep(1.1)
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:xdist")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "test_sleeps: event loop blocked by <Task *test_sleeps() *for 1.* s",
            "test_spins: event loop blocked by <Handle spin() *for 1.* s",
        ]
    )
