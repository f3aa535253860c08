"""Programs under measurement: started, waited for, weighed, and ended."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from benchmarks.native import BenchmarkError

#: For a program that hangs: far more than anything here takes.
_PATIENCE_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.01
_LAST_WORDS: Final = 1_500
#: Where `python -m benchmarks.…` finds itself.
_ROOT: Final = Path(__file__).parent.parent


class Program:
    """A running program, what it said so far, and what it has used."""

    def __init__(self, process: subprocess.Popen[bytes], said: Path) -> None:
        self.process = process
        self._said = said

    def wait_for(
        self, pattern: str, count: int = 1, within_s: float = _PATIENCE_S
    ) -> re.Match[str]:
        """The ``count``-th match in what it has said, once it is there.

        Raises:
            BenchmarkError: it ended, or the time went by, without.
        """
        until_s = time.monotonic() + within_s
        while True:
            ended = self.process.poll() is not None
            text = self._said.read_text(errors="replace")
            found = list(re.finditer(pattern, text))
            if len(found) >= count:
                return found[count - 1]
            if ended or time.monotonic() > until_s:
                raise BenchmarkError(
                    f"{self.process.args!r} did not say {pattern!r}:\n{text[-_LAST_WORDS:]}"
                )
            time.sleep(_LOOK_EVERY_S)

    def tell(self, line: str) -> None:
        """Say a line to it."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def cpu_ns(self) -> int:
        """What all its threads have computed so far, user and system, ns."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        spent = 0
        for task in tasks.iterdir():
            # A thread may end between the two.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                spent += int((task / "schedstat").read_text().split()[0])
        return spent

    def written_bytes(self) -> int:
        """What it has made the kernel write to disks so far (man 5 proc: io)."""
        told = Path(f"/proc/{self.process.pid}/io").read_text()
        found = re.search(r"^write_bytes: (\d+)$", told, re.MULTILINE)
        return int(found[1]) if found else 0

    def pss_kib(self) -> float:
        """Its memory, pages shared with others counted in part (man 5 proc: smaps_rollup), KiB."""
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        if found is None:
            raise BenchmarkError("this kernel does not tell how much memory a process has")
        return float(found[1])


@contextmanager
def running(
    command: Sequence[str | Path], folder: Path, env: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """A program for as long as the context lasts; what it says goes to a file in ``folder``."""
    said = folder / f"said-{time.monotonic_ns()}.txt"
    with said.open("wb") as file:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=_ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
        )
    try:
        yield Program(process, said)
    finally:
        _end(process, process.stdin)


def _end(process: subprocess.Popen[bytes], stdin: IO[bytes] | None) -> None:
    if stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            stdin.close()
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
