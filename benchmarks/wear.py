"""What an hour of readings writes to the card: `python -m benchmarks.wear` writes the table.

It counts and takes no times, so that it may be run on a machine that does other things.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.native import BenchmarkError, Native, compile_all
from benchmarks.processes import running
from benchmarks.tables import Row, Table

#: On a disk, where /tmp may be memory (Filesystem Hierarchy Standard 3.0, 5.15).
_DISK: Final = Path("/var/tmp")  # noqa: S108  # a folder of its own is made in it
PAGE: Final = Path(__file__).parent.parent / "docs" / "topics" / "sd-cards.md"
#: Between these the page holds what was measured.
BEGIN: Final = "<!-- measured: written by `python -m benchmarks.wear` -->"
END: Final = "<!-- end of what was measured -->"
STRAPS: Final = (1, 3, 10)
INTERVALS_S: Final = (0, 1, 10, 60)
_MIB: Final = 2**20
_PATIENCE_S: Final = 900.0
_ABOUT: Final = (
    "An hour of heart rates with their RR intervals, one a second and strap, each strap at its own "
    "moment, by `commit_interval_ms`: the outbox's fsyncs, and what it has the kernel write. "
    "*Online*: a server answers at once, and what it has is noted with the next commit. "
    "*Offline*: rows wait, and small ones are joined. *At risk* are the readings of one interval."
)
_LIMITS: Final = (
    (
        "Fsyncs are counted by a library that is preloaded, bytes by the kernel (`write_bytes`). "
        "The file system's own journal is not among them."
    ),
)


@dataclass(frozen=True, slots=True)
class Hour:
    """What one hour came to."""

    fsyncs: int
    written_bytes: int


def measure_hour(native: Native, place: Path, straps: int, interval_s: int, how: str) -> Hour:
    """One hour, in a process of its own.

    Args:
        how: ``online`` or ``offline``.
    """
    state = place / f"{straps}-{interval_s}-{how}"
    state.mkdir(mode=0o700)
    counted = place / f"{state.name}.count"
    counted.write_bytes(bytes(8))
    env = {"LD_PRELOAD": str(native.fsyncs), "FSYNCS_FILE": str(counted)}
    command = (sys.executable, "-m", "benchmarks.hour", state, str(straps), str(interval_s), how)

    def fsyncs() -> int:
        return int.from_bytes(counted.read_bytes(), sys.byteorder)

    with running(command, place, env) as program:
        program.wait_for("begin\n")
        synced, written = fsyncs(), program.written_bytes()
        program.tell("")
        program.wait_for("end\n", within_s=_PATIENCE_S)
        return Hour(fsyncs() - synced, program.written_bytes() - written)


def measure(native: Native, place: Path, straps: Sequence[int], every_s: Sequence[int]) -> Table:
    """All of them."""
    rows = []
    for count, interval_s in itertools.product(straps, every_s):
        online, offline = (
            measure_hour(native, place, count, interval_s, how) for how in ("online", "offline")
        )
        rows.append(
            Row(
                f"{count} strap{'s' * (count > 1)}, `{interval_s * 1_000}`",
                (
                    online.fsyncs,
                    online.written_bytes / _MIB,
                    offline.fsyncs,
                    offline.written_bytes / _MIB,
                    max(1, count * interval_s),
                ),
            )
        )
    return Table(
        "wear",
        "Writes and fsyncs an hour",
        _ABOUT,
        (
            "fsyncs, online",
            "MiB written",
            "fsyncs, offline",
            "MiB written",
            "readings at risk",
        ),
        tuple(rows),
        _LIMITS,
    )


def insert(text: str, table: str) -> str:
    """The page, with this table in place of the one between its marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise BenchmarkError(f"{PAGE} has lost its marks {BEGIN} and {END}")
    return f"{before}{begin}\n\n{table}\n{end}{after}"


def main() -> int:
    """Measure, print, and keep; the status to leave with."""
    try:
        with tempfile.TemporaryDirectory(prefix="strapline-wear-", dir=_DISK) as name:
            table = measure(compile_all(Path(name)), Path(name), STRAPS, INTERVALS_S).markdown()
        PAGE.write_text(insert(PAGE.read_text(), table))
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
