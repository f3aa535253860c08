"""What is known of bridges: when each of them ran, what of it is missing, and until when.

Evidence that concerns all devices of a bridge. Its times are those of its streams, so that they
move with them.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from strapline_protocol.base import SAFE_INTEGER
from strapline_protocol.gaps import Evidence, GapCause, Spell
from strapline_protocol.publishing import Zero
from strapline_server.store.database import Transaction
from strapline_server.store.numbers import Moments, Numbers

#: The longest commit interval that a bridge may be given, and a little.
_COMMITS_APART_MS: Final = 65_000
#: Runs of one bridge that are looked at, the newest.
MOST_RUNS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a bridge; ``until_ms`` is its end, or the next one's beginning."""

    stream_key: int
    zero: str
    begins_ms: int
    ends_ms: int | None
    until_ms: int
    clean: bool
    next_seq: int


@dataclass(slots=True)
class _Bridge:
    """One bridge's runs by their beginning, and between which of them it was down."""

    runs: list[Run]
    #: The latest end of each run and those before it.
    reach_ms: list[int]
    downs: list[Spell]
    known_ms: int


@dataclass(slots=True)
class Runs:
    """What is known of each bridge, within one transaction.

    Args:
        transaction: to read it in.
        heard_ms: by bridge, up to when it said that nothing is waiting.
    """

    transaction: Transaction
    heard_ms: Mapping[str, int]
    cost: int = field(default=0, init=False)
    _bridges: dict[str, _Bridge] = field(default_factory=dict, init=False)
    _moments: Moments = field(init=False)

    def __post_init__(self) -> None:
        self._moments = Moments(self.transaction)

    def evidence(
        self, owner: str, stream_key: int, number: int, from_ms: int, to_ms: int
    ) -> Iterator[Spell]:
        """Why there may be nothing of a bridge's device in a stretch of time.

        Args:
            owner: the bridge.
            stream_key, number: the device's last reading before that.
            from_ms, to_ms: the stretch; what is told may be longer.
        """
        bridge = self._bridges.get(owner)
        if bridge is None:
            bridge = self._bridges[owner] = self._read(owner)
        place = bisect_right(bridge.downs, from_ms, key=lambda one: one.to_ms)
        for spell in bridge.downs[place:]:
            if spell.from_ms >= to_ms:
                break
            yield spell
        for run in _overlapping(bridge, from_ms, to_ms):
            first = number if run.stream_key == stream_key else 0
            missing = self._missing(bridge, run, first, to_ms)
            yield from _joined(spell for spell in missing if _touches(spell, from_ms, to_ms))
        if bridge.known_ms < to_ms:
            yield Spell(bridge.known_ms, SAFE_INTEGER, GapCause.PENDING, Evidence.UNHEARD)

    def _missing(self, bridge: _Bridge, run: Run, first: int, to_ms: int) -> Iterator[Spell]:
        numbers = Numbers(
            self.transaction,
            self._moments,
            run.stream_key,
            Zero.model_validate_json(run.zero),
            run.next_seq,
            first,
        )
        self.cost += numbers.cost
        for hole in numbers.holes():
            after_ms = run.begins_ms if hole.after_ms is None else hole.after_ms
            before_ms = hole.before_ms
            if before_ms is None:
                # Taken before anything that was heard later, if anything was.
                heard_ms = bridge.known_ms if bridge.known_ms > after_ms else SAFE_INTEGER
                before_ms = min(run.until_ms, heard_ms)
            # Numbers ascend, and times but for those of one commit.
            begin_ms, end_ms = min(after_ms, before_ms), max(after_ms, before_ms)
            if begin_ms >= to_ms + _COMMITS_APART_MS:
                break
            for part in hole.parts:
                yield Spell(begin_ms, end_ms, part.cause, part.evidence, count=part.readings)

    def _read(self, owner: str) -> _Bridge:
        rows = self.transaction.all("runs_of_owner", owner=owner, most=MOST_RUNS)
        self.cost += len(rows)
        runs: list[Run] = []
        next_ms = SAFE_INTEGER
        for row in rows:
            ends_ms = row["ends_ms"]
            if ends_ms is not None:
                ends_ms = max(ends_ms, row["begins_ms"])
            run = Run(
                stream_key=row["stream_key"],
                zero=row["zero"],
                begins_ms=row["begins_ms"],
                ends_ms=ends_ms,
                until_ms=next_ms if ends_ms is None else ends_ms,
                clean=row["ended"] is not None and json.loads(row["ended"])["clean"],
                next_seq=row["next_seq"],
            )
            runs.append(run)
            next_ms = run.begins_ms
        runs.reverse()
        reach_ms: list[int] = []
        downs: list[Spell] = []
        last: Run | None = None
        for run in runs:
            if last is not None and last.until_ms < run.begins_ms:
                why = Evidence.STOPPED if last.clean else Evidence.KILLED
                downs.append(Spell(last.until_ms, run.begins_ms, GapCause.BRIDGE_DOWN, why))
            if last is None or run.until_ms >= last.until_ms:
                last = run
            reach_ms.append(last.until_ms)
        return _Bridge(runs, reach_ms, downs, self._known_ms(owner, runs))

    def _known_ms(self, owner: str, runs: list[Run]) -> int:
        """Up to when the bridge was heard of: what was later has not come, if there was any."""
        known = [self.heard_ms.get(owner, 0)]
        known += [run.begins_ms if run.ends_ms is None else run.ends_ms for run in runs]
        if runs:
            newest = runs[-1]
            row = self.transaction.one("last_received", stream_key=newest.stream_key)
            if row is not None:
                elapsed_ms = self._moments.of(newest.stream_key, row["last"])
                if elapsed_ms is not None:
                    known.append(Zero.model_validate_json(newest.zero).wall_ms(elapsed_ms))
        return max(known)


def _touches(spell: Spell, from_ms: int, to_ms: int) -> bool:
    return spell.from_ms < to_ms and spell.to_ms > from_ms


def _joined(spells: Iterable[Spell]) -> Iterator[Spell]:
    """Those of one cause that are no further apart than commits are one.

    In a commit the numbers of several devices stand one device after the other: of what is missing
    of one of them, the numbers beside it tell a moment alone.
    """
    open_spells: dict[tuple[str, str], Spell] = {}
    for spell in spells:
        key = (spell.cause, spell.evidence)
        before = open_spells.get(key)
        if before is None or spell.from_ms - before.to_ms > _COMMITS_APART_MS:
            if before is not None:
                yield before
            open_spells[key] = spell
            continue
        open_spells[key] = replace(
            before,
            from_ms=min(before.from_ms, spell.from_ms),
            to_ms=max(before.to_ms, spell.to_ms),
            count=before.count + spell.count,
        )
    yield from open_spells.values()


def _overlapping(bridge: _Bridge, from_ms: int, to_ms: int) -> Iterator[Run]:
    """Runs that have any of a stretch of time, the first first."""
    end = bisect_left(bridge.runs, to_ms, key=lambda run: run.begins_ms)
    begin = end
    while begin > 0 and bridge.reach_ms[begin - 1] > from_ms:
        begin -= 1
    yield from (run for run in bridge.runs[begin:end] if run.until_ms > from_ms)
