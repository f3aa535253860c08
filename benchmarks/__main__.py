"""`python -m benchmarks`: measures everything, prints the tables, and keeps them in `results/`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from benchmarks import backlog, decoding, fan_out, ingest, line, many_users, memory
from benchmarks.bench import Bench
from benchmarks.machine import Machine, describe
from benchmarks.native import BenchmarkError, compile_all
from benchmarks.scale import FULL, QUICK
from benchmarks.tables import Table

BENCHMARKS: Final[dict[str, Callable[[Bench], Table | tuple[Table, ...]]]] = {
    "fan-out": fan_out.measure,
    "many-users": many_users.measure,
    "memory": memory.measure,
    "ingest": ingest.measure,
    "decoding": decoding.measure,
    "line": line.measure,
    "backlog": backlog.measure,
}
_RESULTS: Final = Path(__file__).parent / "results"
_SPEED: Final = Path(__file__).parent.parent / "docs" / "topics" / "speed.md"
#: Between these the page holds what was measured.
BEGIN: Final = "<!-- measured: written by `python -m benchmarks` -->"
END: Final = "<!-- end of what was measured -->"
#: On a disk, where /tmp may be memory (Filesystem Hierarchy Standard 3.0, 5.15).
_DISK: Final = Path("/var/tmp")  # noqa: S108  # a folder of its own is made in it


def main(arguments: Sequence[str]) -> int:
    """Carry out the command; the status to leave with."""
    options = _parser().parse_args(arguments)
    scale = QUICK if options.quick else FULL
    try:
        with tempfile.TemporaryDirectory(prefix="strapline-bench-", dir=options.disk) as name:
            folder = Path(name)
            bench = Bench(scale, compile_all(folder), folder)
            machine = describe(folder)
            names = options.only or BENCHMARKS
            tables = [table for name in names for table in _measured(name, bench)]
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    page = _page(machine, tables, quick=options.quick)
    print(page)
    if not options.quick and not options.only:
        _keep(options.results, page, machine, tables)
        if options.results == _RESULTS:
            _SPEED.write_text(insert(_SPEED.read_text(), page))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS)
    )
    parser.add_argument(
        "--quick", action="store_true", help="small numbers, once: to see that it runs"
    )
    parser.add_argument(
        "--results", type=Path, default=_RESULTS, metavar="FOLDER", help="where a whole run goes"
    )
    parser.add_argument(
        "--disk", type=Path, default=_DISK, metavar="FOLDER", help="on the disk to measure on"
    )
    return parser


def _measured(name: str, bench: Bench) -> tuple[Table, ...]:
    began_s = time.monotonic()
    print(f"{name} …", end=" ", file=sys.stderr, flush=True)
    found = BENCHMARKS[name](bench)
    print(f"{time.monotonic() - began_s:.0f} s", file=sys.stderr, flush=True)
    return found if isinstance(found, tuple) else (found,)


def _page(machine: Machine, tables: Sequence[Table], *, quick: bool) -> str:
    about = "A quick look: too few and too short to mean much." if quick else "Medians of three."
    head = f"# Measured\n\n{about} Peers in the same run, in turn. {machine.sentences()}\n"
    return "\n".join([head, *(table.markdown() for table in tables)])


def _keep(folder: Path, page: str, machine: Machine, tables: Sequence[Table]) -> None:
    found = {
        "machine": dataclasses.asdict(machine),
        "tables": [dataclasses.asdict(table) for table in tables],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "latest.md").write_text(page)
    (folder / "latest.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def insert(text: str, page: str) -> str:
    """A page about speed, with these tables in place of those between its marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise BenchmarkError(f"{_SPEED} has lost its marks {BEGIN} and {END}")
    tables = page.partition("\n\n")[2]
    return f"{before}{begin}\n\n{tables}\n{end}{after}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
