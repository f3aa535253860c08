"""A person at a real terminal chooses straps."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

import pytest

PATIENCE_S = 60.0
COMMAND = [sys.executable, "-m", "tests.integration.choosing_process"]


class Terminal:
    """The other side of a pseudo-terminal: sees what is drawn, and types."""

    def __init__(self) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (40, 100))
        env = {**os.environ, "TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            COMMAND, stdin=theirs, stdout=theirs, stderr=theirs, env=env
        )
        self.mode = termios.tcgetattr(theirs)
        self._theirs = theirs
        self.seen = ""

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def wait_for(self, pattern: str) -> re.Match[str]:
        deadline_s = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.seen)):
            if select.select([self._ours], [], [], 0.1)[0]:
                text = os.read(self._ours, 65_536).decode(errors="replace")
                self.seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
            assert time.monotonic() < deadline_s, f"no {pattern!r} in:\n{self.seen}"
        return found

    def is_as_before(self) -> bool:
        """Whether the terminal echoes and edits lines as it did."""
        return bool(termios.tcgetattr(self._theirs)[3] == self.mode[3])

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._theirs)
        os.close(self._ours)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    opened = Terminal()
    yield opened
    opened.close()


def test_straps_are_chosen_by_number_and_given_to_people(terminal: Terminal) -> None:
    terminal.wait_for("2  InfiniTime")
    terminal.wait_for("1  Polar H10 7E3A1B2C")
    terminal.type("9\r")
    terminal.wait_for(r"There is no 9\.")
    terminal.type("2 1\r")
    terminal.wait_for(r"Who wears InfiniTime\?")
    terminal.type(" \n")
    terminal.wait_for("A name, please")
    terminal.type("Tomás Reyes\n")
    terminal.wait_for(r"Who wears Polar H10 7E3A1B2C\?")
    terminal.type("Maren Holt\n")
    chosen = json.loads(terminal.wait_for(r"chosen (\[.*\])")[1])
    assert [one["person"] for one in chosen] == ["Tomás Reyes", "Maren Holt"]
    assert chosen[0]["address"] != chosen[1]["address"]
    assert terminal.process.wait(PATIENCE_S) == 0


def test_ctrl_c_leaves_the_terminal_as_it_was(terminal: Terminal) -> None:
    terminal.wait_for("1  Polar H10")
    assert not terminal.is_as_before()
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.process.wait(PATIENCE_S) == 0
    assert terminal.is_as_before()
