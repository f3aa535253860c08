"""Played in the guest: programs that write, power that goes at random moments, what is left.

Run as ``python -m tests.acceptance.guest.power_cuts OUT``; the plan is ``plan.json`` beside OUT,
what came of it is ``OUT/cuts.json``.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Final

from strapline_protocol.intervals import IntervalSet
from tests.acceptance.guest import outbox_victim, store_victim
from tests.acceptance.guest.cuts import (
    OUTCOME_NAME,
    PLAN_NAME,
    Before,
    Cut,
    Found,
    Kind,
    Outcome,
    Plan,
    Said,
    Series,
    Told,
)
from tests.acceptance.guest.power import Disk

_VICTIMS: Final[dict[Kind, ModuleType]] = {Kind.OUTBOX: outbox_victim, Kind.STORE: store_victim}
#: A program goes on for so long after the cut, with a disk that only seems to be there.
_AFTERWARDS_S: Final = 0.15
_CHECK_WITHIN_S: Final = 90.0


class Child:
    """A forked program and what it writes to us."""

    def __init__(self, work: Callable[[int], None]) -> None:
        self._reading, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _be_the_child(work, writing)
        os.close(writing)
        self.heard = b""

    def listen(self, until_s: float) -> bool:
        """Take what it says until then; whether it still may say more."""
        while True:
            left_s = until_s - time.monotonic()
            if not select.select([self._reading], [], [], max(0.0, left_s))[0]:
                return True
            more = os.read(self._reading, 1 << 16)
            self.heard += more
            if not more:
                return False

    def end(self) -> None:
        """Kill it, if it has not ended."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._reading)


def _be_the_child(work: Callable[[int], None], writing: int) -> None:
    """Do the work, and end without the parent's own ending."""
    try:
        work(writing)
    except BaseException:  # noqa: BLE001  # it is said, and this process ends
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _write(series: Series, folder: Path, seed: str, writing: int) -> None:
    victim = _VICTIMS[series.kind]
    if not series.synced:
        victim.without_fsyncs()

    def tell(said: Said) -> None:
        os.write(writing, json.dumps(said).encode() + b"\n")

    chance = random.Random(seed)  # noqa: S311  # a test's own choices
    asyncio.run(victim.write(folder, tell, chance, series.interval_ms))


def _check(kind: Kind, folder: Path, writing: int) -> None:
    found: Found = asyncio.run(_VICTIMS[kind].check(folder))
    with os.fdopen(writing, "wb") as out:
        out.write(found.model_dump_json().encode())


class Cutter:
    """Cuts, restores, checks."""

    def __init__(self, disk: Disk, seed: int) -> None:
        self._disk = disk
        self._seed = seed
        self._streams: dict[Path, set[str]] = {}

    def play(self, place: int, series: Series) -> list[Cut]:
        """All cuts of one part of a plan."""
        cuts = []
        for number in range(series.cuts):
            seed = f"{self._seed}-{place}-{number}"
            chance = random.Random(seed)  # noqa: S311  # a test's own choices
            # Now and then a new file: a cut may come while it is made.
            fresh = not series.synced or chance.random() < 0.2
            folder = self._disk.folder / (f"{place}-{number}" if fresh else f"{place}")
            folder.mkdir(mode=0o700, exist_ok=True)
            after_s = chance.uniform(0.02, series.longest_s)
            cuts.append(self._cut(place, series, folder, seed, after_s))
            sys.stdout.write(f"{seed} {series.kind}: {cuts[-1]}\n")
        return cuts

    def _cut(self, place: int, series: Series, folder: Path, seed: str, after_s: float) -> Cut:
        writer = Child(lambda writing: _write(series, folder, seed, writing))
        writer.listen(time.monotonic() + after_s)
        cut_ms = self._disk.cut(lambda: _note(writer))
        before = _said(writer.heard)
        alive = writer.listen(time.monotonic() + _AFTERWARDS_S)
        writer.end()
        self._disk.restore()
        # The folder itself may be gone, when nothing in it was durable yet.
        folder.mkdir(mode=0o700, exist_ok=True)
        found = self._found(series, folder)
        if not alive:
            found.faults.append("the program had ended by itself")
        return _judge(place, series, after_s, before, found, cut_ms, self._new_in(folder, found))

    def _new_in(self, folder: Path, found: Found) -> set[str]:
        known = self._streams.setdefault(folder, set())
        new = set(found.held) - known
        known |= new
        return new

    def _found(self, series: Series, folder: Path) -> Found:
        checker = Child(lambda writing: _check(series.kind, folder, writing))
        said_all = not checker.listen(time.monotonic() + _CHECK_WITHIN_S)
        checker.end()
        if said_all and checker.heard:
            return Found.model_validate_json(checker.heard)
        return Found(faults=["the file cannot be opened or read"])


def _note(writer: Child) -> int:
    """Take what it has said by now; when that is, ms."""
    now_s = time.monotonic()
    writer.listen(now_s)
    return int(now_s * 1_000)


def _said(heard: bytes) -> Before:
    whole = heard[: heard.rfind(b"\n") + 1]
    lines = map(json.loads, whole.splitlines())
    return Before(tuple(Said(Told(told), *rest) for told, *rest in lines))


def _judge(
    place: int,
    series: Series,
    after_s: float,
    before: Before,
    found: Found,
    cut_ms: int,
    new: set[str],
) -> Cut:
    committed = before.numbers(Told.COMMITTED)
    acknowledged = before.numbers(Told.ACKNOWLEDGED)
    last_moment = max((found.last_moment.get(stream, -1) for stream in new), default=-1)
    return Cut(
        series=place,
        after_s=after_s,
        committed=sum(map(len, committed.values())),
        acknowledged=sum(map(len, acknowledged.values())),
        missing=before.missing(Told.COMMITTED, found.held)
        + before.missing(Told.ACKNOWLEDGED, found.acknowledged),
        held=sum(len(IntervalSet(ranges)) for ranges in found.held.values()),
        merged=found.merged,
        lost_ms=before.lost_ms(last_moment, cut_ms),
        faults=found.faults,
    )


def main(out: Path) -> None:
    plan = Plan.model_validate_json((out.parent / PLAN_NAME).read_text())
    disk = Disk(Path("/root/power.img"), Path("/mnt/power"))
    disk.make()
    cutter = Cutter(disk, plan.seed)
    cuts = [cut for place, series in enumerate(plan.series) for cut in cutter.play(place, series)]
    (out / OUTCOME_NAME).write_text(Outcome(cuts=cuts).model_dump_json())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
