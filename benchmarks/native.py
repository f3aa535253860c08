"""Compiles what is not Python: the load generator, the limit, the counter of fsyncs."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SOURCES: Final = Path(__file__).parent / "c"
_FLAGS: Final = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror")


class BenchmarkError(Exception):
    """A benchmark cannot be run; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Native:
    """The compiled programs."""

    load: Path
    limit: Path
    fsyncs: Path


def compile_all(folder: Path) -> Native:
    """Compile into ``folder``.

    Raises:
        BenchmarkError: there is no C compiler, or it does not take the sources.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise BenchmarkError(
            "there is no C compiler, and the load generator is written in C. Install gcc (on "
            "Debian: apt-get install gcc libc6-dev)."
        )
    built = Native(folder / "load", folder / "limit", folder / "fsyncs.so")
    for target, sources, more in (
        (built.load, ("load", "clients", "plan", "frames"), ()),
        (built.limit, ("limit", "frames"), ()),
        (built.fsyncs, ("fsyncs",), ("-shared", "-fPIC", "-ldl")),
    ):
        files = [str(SOURCES / f"{name}.c") for name in sources]
        done = subprocess.run(
            [compiler, *_FLAGS, "-o", str(target), *files, *more],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BenchmarkError(f"{compiler} does not compile {target.name}:\n{done.stderr}")
    return built
