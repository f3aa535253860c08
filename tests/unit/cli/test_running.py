"""Running until a signal, in real processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from strapline.errors import CommandError
from strapline.running import run_until_stopped

PATIENT = """
import asyncio, sys
from strapline.running import run_until_stopped

async def main():
    print("ready", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        {goodbye}
        print("closed", flush=True)

result = run_until_stopped(main())
print(result)
"""


def started(goodbye: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PATIENT.format(goodbye=goodbye)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_everything_in_order(number: signal.Signals) -> None:
    process = started("await asyncio.sleep(0.05)")
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (out, err, process.returncode) == ("closed\nNone\n", "", 0)


def test_a_second_signal_leaves_at_once() -> None:
    process = started("print('closing', flush=True); await asyncio.sleep(60)")
    process.terminate()
    assert process.stdout is not None
    assert process.stdout.readline() == "closing\n"
    process.terminate()
    out, err = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "closed" not in out
    assert "without goodbye" in err


def test_a_goodbye_that_blocks_the_loop_ends_within_five_seconds() -> None:
    process = started("import time; time.sleep(60)")
    began_s = time.monotonic()
    process.terminate()
    _, err = process.communicate(timeout=10)
    assert time.monotonic() - began_s < 5
    assert process.returncode == 1
    assert "took too long" in err


def test_the_result_comes_back() -> None:
    async def main() -> int:
        return 7

    assert run_until_stopped(main()) == 7


def test_an_error_of_ours_comes_out_of_a_group_alone() -> None:
    async def main() -> None:
        raise ExceptionGroup("tasks", [ExceptionGroup("inner", [CommandError("No. Do it.")])])

    with pytest.raises(CommandError, match="Do it"):
        run_until_stopped(main())


def test_a_group_with_a_fault_in_it_stays_whole() -> None:
    async def main() -> None:
        raise ExceptionGroup("tasks", [CommandError("No."), ZeroDivisionError()])

    with pytest.raises(ExceptionGroup):
        run_until_stopped(main())
