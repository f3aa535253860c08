"""What the numbers were measured on: they mean little without it."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

_PACKAGES: Final = ("strapline", "websockets", "picows", "uvloop", "pydantic", "bluetooth-sig")
_SYNCS: Final = 200
#: Processes that ran or wanted to, on average of the last minute.
_QUIET: Final = 0.5
_BUSY: Final = (
    "\n\n**The machine was busy with something else:** what stands here is to see that it runs, "
    "and says little of speed."
)
_PAGE: Final = bytes(4_096)


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine and its software.

    Attributes:
        load: of the last minute, before anything was measured: on a machine that is busy with
            something else the numbers are worth less.
        fsync_ms: median and 99th percentile of an fdatasync() behind 4 KiB.
    """

    date: str
    cpu: str
    cores: int
    memory_gib: float
    kernel: str
    system: str
    filesystem: str
    fsync_ms: tuple[float, float]
    load: float
    python: str
    sqlite: str
    compiler: str
    versions: dict[str, str]

    def sentences(self) -> str:
        """For a page."""
        versions = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return (
            f"{self.cores} cores ({self.cpu}), {self.memory_gib:.0f} GiB, {self.system}, Linux "
            f"{self.kernel}; {self.filesystem}, an fdatasync() in {self.fsync_ms[0]:.2f} ms (p99 "
            f"{self.fsync_ms[1]:.2f} ms); load before {self.load:.2f}. Python {self.python}, "
            f"SQLite {self.sqlite}, {self.compiler}; {versions}. {self.date}."
            f"{_BUSY if self.load > _QUIET else ''}"
        )


def describe(folder: Path) -> Machine:
    """This machine, and the disk that ``folder`` is on."""
    return Machine(
        date=time.strftime("%Y-%m-%d", time.gmtime()),
        cpu=_first(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo")) or platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=int(_first(r"^MemTotal:\s*(\d+) kB", Path("/proc/meminfo")) or 0) / 2**20,
        kernel=platform.release(),
        system=_first(r'^PRETTY_NAME="(.+)"$', Path("/etc/os-release")) or platform.system(),
        filesystem=_filesystem(folder),
        fsync_ms=_fsync_ms(folder),
        load=os.getloadavg()[0],
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        compiler=_compiler(),
        versions={name: version(name) for name in _PACKAGES},
    )


def _first(pattern: str, path: Path) -> str | None:
    try:
        found = re.search(pattern, path.read_text(), re.MULTILINE)
    except OSError:
        return None
    return found[1] if found else None


def _filesystem(folder: Path) -> str:
    """The kind of the mount that the folder is in: the longest that leads to it."""
    kinds = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    path = folder.resolve()
    inside = [(mount, kind) for mount, kind in kinds if path.is_relative_to(mount)]
    return max(inside, key=lambda one: len(one[0]))[1]


def _fsync_ms(folder: Path) -> tuple[float, float]:
    taken = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(_PAGE)
            began_ns = time.perf_counter_ns()
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter_ns() - began_ns) / 1e6)
    return statistics.median(taken), statistics.quantiles(taken, n=100)[98]


def _compiler() -> str:
    said = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=False)
    return said.stdout.splitlines()[0] if said.stdout else "cc"
