"""Why there is nothing: a gap in pieces, each with the cause that there is evidence of.

The device that spoke last before a gap is asked first; others, if they spoke within a day before
it, where there is no evidence of that one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field, replace
from itertools import pairwise
from typing import Final

from strapline_protocol.gaps import GapCause, Spell, explained
from strapline_server.store.coverage import Device, Gap, Spoken
from strapline_server.store.database import Transaction
from strapline_server.store.noticed import noticed
from strapline_server.store.runs import Runs

#: A device that has been silent for longer explains nobody else's gap.
CONCERNED_MS: Final = 86_400_000
#: For how long a stretch to read what was noticed, at first: shorter where it is much.
_STRIDE_MS: Final = 86_400_000
_LEAST_STRIDE_MS: Final = 60_000
_FEW: Final = 100
_MANY: Final = 1_000
#: A gap is cut so that few spells are compared with each other.
_AT_ONCE: Final = 16


@dataclass(slots=True)
class Causes:
    """Evidence within one transaction.

    Args:
        transaction: to read it in.
        user_key: whose gaps are explained.
        runs: what is known of bridges.
    """

    transaction: Transaction
    user_key: int
    runs: Runs
    _cost: int = field(default=0, init=False)

    @property
    def cost(self) -> int:
        """How many rows were read."""
        return self._cost + self.runs.cost

    def pieces(self, gap: Gap, from_ms: int, to_ms: int, most: int) -> Iterator[Spell]:
        """This part of a gap, cut where its cause changes; by time.

        Args:
            gap: all of it.
            from_ms, to_ms: the part.
            most: once more than so many rows were read, a piece that goes on ends, and the rest
                is left out.
        """
        concerned = [
            one
            for one in gap.silent
            if one.last is not None
            and (one is gap.silent[0] or gap.from_ms - one.last.at_ms <= CONCERNED_MS)
        ]
        of_bridges = [list(self._of_bridge(one.last, gap, to_ms)) for one in concerned if one.last]
        piece: Spell | None = None
        for begin_ms, end_ms, found in self._strides(from_ms, to_ms):
            spells = [
                _touching([*found.get(one.device.key, []), *others], begin_ms, end_ms)
                for one, others in zip(concerned, of_bridges, strict=True)
            ]
            for part in _cut(begin_ms, end_ms, spells):
                if piece is not None and _alike(piece, part):
                    piece = replace(piece, to_ms=part.to_ms)
                    continue
                if piece is not None:
                    yield piece
                piece = part
            if self.cost > most:
                break
        if piece is not None:
            yield piece

    def first(self, device: Device, last: Spoken, to_ms: int) -> int | None:
        """Where the first evidence of a device begins, from its last reading to before a moment."""
        of_bridge = self.runs.evidence(last.owner, last.stream_key, last.number, last.at_ms, to_ms)
        begins = [max(spell.from_ms, last.at_ms) for spell in of_bridge if spell.to_ms > last.at_ms]
        first_ms = min([*begins, to_ms])
        for _, _, found in self._strides(last.at_ms, first_ms):
            spells = found.get(device.key, [])
            after = [spell.from_ms for spell in spells if spell.from_ms >= last.at_ms]
            if after:
                return min(after)
        return first_ms if first_ms < to_ms else None

    def _of_bridge(self, last: Spoken, gap: Gap, to_ms: int) -> Iterator[Spell]:
        spells = self.runs.evidence(last.owner, last.stream_key, last.number, gap.from_ms, to_ms)
        return (spell for spell in spells if spell.from_ms < to_ms and spell.to_ms > gap.from_ms)

    def _strides(
        self, from_ms: int, to_ms: int
    ) -> Iterator[tuple[int, int, dict[int, list[Spell]]]]:
        """What was noticed of each device by key: a longer stretch at a time where it is little."""
        stride_ms = _STRIDE_MS
        while from_ms < to_ms:
            end_ms = min(from_ms + stride_ms, to_ms)
            rows = noticed(self.transaction, self.user_key, from_ms, end_ms)
            self._cost += len(rows)
            found: dict[int, list[Spell]] = {}
            for one in rows:
                found.setdefault(one.device_key, []).append(one.spell)
            yield from_ms, end_ms, found
            if len(rows) < _FEW:
                stride_ms *= 2
            elif len(rows) > _MANY:
                stride_ms = max(stride_ms // 2, _LEAST_STRIDE_MS)
            from_ms = end_ms


def _touching(spells: Sequence[Spell], from_ms: int, to_ms: int) -> list[Spell]:
    """Those of a stretch of time, in an order that does not depend on how they were found."""
    found = [spell for spell in spells if spell.from_ms < to_ms and spell.to_ms > from_ms]
    return sorted(found, key=astuple)


def _cut(from_ms: int, to_ms: int, spells: Sequence[Sequence[Spell]]) -> Iterator[Spell]:
    """A stretch in pieces, by what is evident of each device in turn."""
    edges = sorted({spell.from_ms for those in spells for spell in those})[_AT_ONCE::_AT_ONCE]
    marks = [from_ms, *(at for at in edges if from_ms < at < to_ms), to_ms]
    waiting = [deque(those) for those in spells]
    active: list[list[Spell]] = [[] for _ in spells]
    for begin_ms, end_ms in pairwise(marks):
        pieces = [Spell(begin_ms, end_ms, GapCause.SILENT)]
        for place, those in enumerate(waiting):
            active[place] = [spell for spell in active[place] if spell.to_ms > begin_ms]
            while those and those[0].from_ms < end_ms:
                active[place].append(those.popleft())
            pieces = [
                part
                for piece in pieces
                for part in (
                    explained(piece.from_ms, piece.to_ms, active[place])
                    if _is_unknown(piece)
                    else [piece]
                )
            ]
        yield from pieces


def _is_unknown(piece: Spell) -> bool:
    return piece.cause == GapCause.SILENT and not piece.evidence


def _alike(one: Spell, other: Spell) -> bool:
    return replace(other, from_ms=one.from_ms, to_ms=one.to_ms) == one
