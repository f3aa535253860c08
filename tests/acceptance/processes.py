"""Starts `strapline` as people do: a process of its own, whose output is read line by line."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

#: For a process that hangs: far more than anything here takes on a busy machine.
PATIENCE_S = 60.0
LINK = re.compile(r"http://(?P<host>[^/\s]+):(?P<port>\d+)/#token=(?P<token>\S+)")


def environment(home: Path, **more: str) -> dict[str, str]:
    """Ours, with a home of its own, no colours, and no Bluetooth whatever the machine has."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return {
        **kept,
        "HOME": str(home),
        "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={home}/no-bus",
        "PYTHONUNBUFFERED": "1",
        **more,
    }


class Program:
    """A running process; its output so far stands in ``out`` and ``err``."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._text = {"out": b"", "err": b""}
        self._selector = selectors.DefaultSelector()
        assert process.stdout is not None
        assert process.stderr is not None
        for name, stream in (("out", process.stdout), ("err", process.stderr)):
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ, name)

    @property
    def out(self) -> str:
        return self._text["out"].decode()

    @property
    def err(self) -> str:
        return self._text["err"].decode()

    def wait_for(self, pattern: str | re.Pattern[str]) -> re.Match[str]:
        """Wait until the output holds the pattern."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            found = re.search(pattern, self.out) or re.search(pattern, self.err)
            if found:
                return found
            ended = self._process.poll() is not None
            self._read(0.05)
            if ended and not (re.search(pattern, self.out) or re.search(pattern, self.err)):
                raise AssertionError(f"ended without {pattern!r}:\n{self.out}\n{self.err}")
            if time.monotonic() > deadline_s:
                raise AssertionError(f"no {pattern!r} came:\n{self.out}\n{self.err}")

    def send(self, number: signal.Signals) -> None:
        """Send a signal that it goes on after."""
        self._process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal; the status and how long it took, in s."""
        began_s = time.monotonic()
        self._process.send_signal(number)
        return self.wait(), time.monotonic() - began_s

    def wait(self) -> int:
        """The status, once it has ended by itself."""
        deadline_s = time.monotonic() + PATIENCE_S
        while self._process.poll() is None:
            self._read(0.05)
            if time.monotonic() > deadline_s:
                raise AssertionError(f"it does not end:\n{self.out}\n{self.err}")
        while self._read(0):
            pass
        return self._process.returncode

    def end(self) -> None:
        """Leave nothing behind."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._selector.close()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

    def _read(self, timeout_s: float) -> bool:
        came = False
        for key, _ in self._selector.select(timeout_s):
            data = os.read(key.fd, 65_536)
            if data:
                self._text[key.data] += data
                came = True
            else:
                self._selector.unregister(key.fileobj)
        return came


@contextmanager
def strapline(
    arguments: Sequence[str | Path], env: Mapping[str, str], *, module: str = "strapline"
) -> Iterator[Program]:
    """`strapline ARGUMENTS` until the context ends."""
    with program(["-m", module, *map(str, arguments)], env) as running:
        yield running


@contextmanager
def program(arguments: Sequence[str], env: Mapping[str, str]) -> Iterator[Program]:
    """A Python program until the context ends."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(env),
    )
    running = Program(process)
    try:
        yield running
    finally:
        running.end()
