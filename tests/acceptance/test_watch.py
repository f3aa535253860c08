"""The command `strapline watch` beside `strapline demo`: in a terminal, and in pipes."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.processes import LINK, PATIENCE_S, Program, environment, strapline

PEOPLE = ("Ilse Brandt", "Maren Holt", "Tomás Reyes")
#: What a terminal is told before a full screen and after it (xterm's control sequences).
SCREEN_ON, SCREEN_OFF = b"\x1b[?1049h", b"\x1b[?1049l"
CURSOR_SHOWN = b"\x1b[?25h"


class Terminal:
    """A program in a terminal of its own, and all that it wrote there."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self.master = master
        self.written = b""

    @property
    def text(self) -> str:
        """What it wrote without what steers the terminal."""
        return re.sub(
            r"\x1b\[[0-9;?<>=]*[A-Za-z]|\x1b.", "", self.written.decode("utf-8", "replace")
        )

    def waits_for(self, words: str) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while words not in self.text:
            assert self._read() or self.process.poll() is None, self.text[-2_000:]
            assert time.monotonic() < deadline_s, f"no {words!r}:\n{self.text[-2_000:]}"

    def waits_for_more_times(self, number: int) -> None:
        """Wait until so many different times of the day were written from now on."""
        begun = len(self.text)
        deadline_s = time.monotonic() + PATIENCE_S
        while len(set(re.findall(r"\d\d:\d\d:\d\d", self.text[begun:]))) < number:
            assert self._read() or self.process.poll() is None, self.text[-2_000:]
            assert time.monotonic() < deadline_s, self.text[-2_000:]

    def types(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def leaves(self) -> int:
        """The status, once it has ended by itself."""
        deadline_s = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            self._read()
            assert time.monotonic() < deadline_s, self.text[-2_000:]
        while self._read():
            pass
        return self.process.returncode

    def is_given_back(self) -> bool:
        """Whether the terminal is as it was: no full screen, the cursor there, echo on."""
        modes = termios.tcgetattr(self.master)[3]
        return (
            self.written.rindex(SCREEN_OFF) > self.written.rindex(SCREEN_ON)
            and self.written.rindex(CURSOR_SHOWN) > self.written.rindex(SCREEN_ON)
            and bool(modes & termios.ECHO)
            and bool(modes & termios.ICANON)
        )

    def _read(self) -> bool:
        if not select.select([self.master], [], [], 0.1)[0]:
            return False
        try:
            data = os.read(self.master, 65_536)
        except OSError:  # Linux's word for a terminal whose last user has gone.
            return False
        self.written += data
        return bool(data)


@contextmanager
def in_a_terminal(
    arguments: Sequence[str], env: Mapping[str, str], size: tuple[int, int] = (100, 32)
) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "strapline", *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        start_new_session=True,
    )
    try:
        yield Terminal(process, master)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(slave)
        os.close(master)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def demo(home: Path) -> Iterator[Program]:
    with strapline(["demo", "--port", "0"], environment(home)) as running:
        running.wait_for(LINK)
        running.wait_for("Tomás Reyes: strap connected")
        yield running


def test_a_terminal_shows_everyone_and_q_gives_it_back(demo: Program, home: Path) -> None:
    with in_a_terminal(["watch"], environment(home)) as screen:
        for words in ("3 people: 3 live", *PEOPLE, "1 s ago", "●", "steps so far"):
            screen.waits_for(words)
        assert SCREEN_ON in screen.written
        # It goes on by itself: the clock of the header, second by second.
        screen.waits_for_more_times(4)
        screen.types("?")
        screen.waits_for("How to read it")
        screen.types("q")
        assert screen.leaves() == 0
        assert screen.is_given_back()
        assert "Traceback" not in screen.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=str)
def test_a_signal_gives_the_terminal_back_too(
    demo: Program, home: Path, number: signal.Signals
) -> None:
    with in_a_terminal(["watch"], environment(home)) as screen:
        screen.waits_for("3 people")
        screen.process.send_signal(number)
        assert screen.leaves() == 0
        assert screen.is_given_back()
        assert "Traceback" not in screen.text


def test_a_pasted_link_is_not_shown_and_in_no_process_list(demo: Program, home: Path) -> None:
    link = demo.wait_for(LINK)
    with in_a_terminal(["watch", "-"], environment(home)) as screen:
        screen.waits_for("Link: ")
        screen.types(f"{link[0]}\n")
        screen.waits_for("3 people")
        arguments = Path(f"/proc/{screen.process.pid}/cmdline").read_bytes()
        assert link["token"].encode() not in arguments
        assert link["token"] not in screen.text
        screen.types("q")
        assert screen.leaves() == 0


def test_a_terminal_without_utf8_gets_ascii(demo: Program, home: Path) -> None:
    env = {**environment(home), "LC_ALL": "C"}
    with in_a_terminal(["watch"], env) as screen:
        screen.waits_for("Tomas Reyes")
        screen.waits_for("--@ Live")
        screen.types("q")
        assert screen.leaves() == 0
        assert screen.written.isascii()


def test_no_colour_where_none_is_wished(demo: Program, home: Path) -> None:
    with in_a_terminal(["watch"], {**environment(home), "NO_COLOR": "1"}) as screen:
        screen.waits_for("3 people: 3 live")
        screen.types("q")
        assert screen.leaves() == 0
    assert b"38;2;" not in screen.written
    assert b"38;5;" not in screen.written


def test_one_look_and_away(demo: Program, home: Path) -> None:
    with strapline(["watch", "--once"], environment(home)) as once:
        assert once.wait() == 0
    lines = once.out.splitlines()
    assert [line.split("  ")[0].strip() for line in lines] == list(PEOPLE)
    assert once.err == ""


def test_lines_are_ascii_where_nothing_else_can_be_written(demo: Program, home: Path) -> None:
    env = {**environment(home), "PYTHONIOENCODING": "ascii"}
    with strapline(["watch", "--once"], env) as once:
        assert once.wait() == 0, once.err
    assert "Tomas Reyes" in once.out


def test_json_is_a_line_an_update_until_it_is_told_to_stop(demo: Program, home: Path) -> None:
    with strapline(["watch", "--json"], environment(home)) as program:
        program.wait_for('"HEALTH_DATA_UPDATE"')
        status, seconds = program.stop(signal.SIGINT)
    assert (status, program.err) == (0, "")
    assert seconds < 5
    told = [json.loads(line) for line in program.out.splitlines()]
    assert {"SUBSCRIBED", "CONNECTION_STATUS_UPDATE"} <= {one["type"] for one in told}
    rate = next(one for one in told if one.get("metric") == "heart_rate")
    assert rate["name"] in PEOPLE
    assert rate["series"]["value"]


def test_a_reader_that_has_enough_ends_it_quietly(demo: Program, home: Path) -> None:
    command = f"{sys.executable} -m strapline watch --json | head -n 2; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 2


def test_without_a_terminal_there_are_lines(demo: Program, home: Path) -> None:
    with strapline(["watch"], environment(home)) as program:
        for name in PEOPLE:
            program.wait_for(rf"\d\d:\d\d:\d\d  {name} +\d+  \d+ s ago")
        assert program.stop(signal.SIGTERM)[0] == 0


def test_a_token_that_lets_nobody_in_says_what_to_do(
    demo: Program, home: Path, tmp_path: Path
) -> None:
    link = demo.wait_for(LINK)
    file = tmp_path / "link"
    file.write_text(f"http://127.0.0.1:{link['port']}/#token=a.b.c\n")
    for form in ("--once", "--json", "--plain"):
        with strapline(["watch", form, "--token-file", file], environment(home)) as program:
            assert program.wait() == 1
            assert "This link no longer holds. " in program.err
            assert "This link no longer holds" not in program.out
            assert "strapline watch -" in program.err
            assert "Traceback" not in program.err


def test_a_screen_that_nobody_may_see_says_so_and_leaves_with_a_failure(
    demo: Program, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "link"
    file.write_text(f"http://127.0.0.1:{demo.wait_for(LINK)['port']}/#token=a.b.c\n")
    with in_a_terminal(["watch", "--token-file", str(file)], environment(home)) as screen:
        screen.waits_for("This link no longer holds.")
        screen.types("q")
        assert screen.leaves() == 1
        assert screen.is_given_back()
        after = screen.written.rpartition(SCREEN_OFF)[2].decode()
    assert "This link no longer holds." in after


def test_a_link_on_the_command_line_is_refused(demo: Program, home: Path) -> None:
    link = demo.wait_for(LINK)
    with strapline(["watch", link[0]], environment(home)) as program:
        assert program.wait() == 1
    assert "can be read by everybody on this machine" in program.err
    assert link["token"] not in program.err


def test_nothing_to_watch_says_how_to_begin(tmp_path: Path) -> None:
    with strapline(["watch", "--once"], environment(tmp_path)) as program:
        assert program.wait() == 1
    assert "No strapline runs here. Start one with `strapline up`" in program.err


def test_a_server_that_is_away_is_said_and_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "link"
    file.write_text("http://127.0.0.1:9/#token=a.b.c\n")
    with strapline(["watch", "--token-file", file], environment(tmp_path)) as program:
        program.wait_for("The server is away")
        assert program.stop(signal.SIGTERM)[0] == 0


@pytest.mark.parametrize("form", [[], ["--json"]], ids=str)
def test_one_look_at_a_server_that_is_away_fails_soon(tmp_path: Path, form: list[str]) -> None:
    file = tmp_path / "token"
    file.write_text("a.b.c\n")
    file.chmod(0o600)
    arguments: list[str | Path] = ["watch", "http://127.0.0.1:9", "--once", *form]
    arguments += ["--token-file", file]
    with strapline(arguments, environment(tmp_path)) as program:
        assert program.wait() == 1
    assert program.out == ""
    assert program.err.startswith(
        " error  The server is away: there was nothing to print within 5 s"
    )
