"""A stream's wall time: first said when the stream is made, then corrected when more is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from strapline_bridge.outbox.rows import elapsed_ms
from strapline_protocol.publishing import Anchor, ClockSource, Zero

_BEST_FIRST: Final = tuple(ClockSource)
#: Below this a correction would move a stream's readings for nothing that anybody sees.
_VAGUE_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class ClockMoment:
    """Boot clock and wall clock read together.

    Attributes:
        boot_ns: boot clock of this boot.
        wall_ms: milliseconds since 1970 UTC, right within ``uncertainty_ms``.
    """

    boot_ns: int
    wall_ms: int
    uncertainty_ms: int
    source: ClockSource

    def anchor(self, zero_ns: int) -> Anchor:
        """The same moment on the clock of a stream that began at ``zero_ns`` of this boot."""
        return Anchor(
            elapsed_ms=elapsed_ms(self.boot_ns, zero_ns),
            wall_ms=max(0, self.wall_ms),
            uncertainty_ms=self.uncertainty_ms,
            source=self.source,
        )


def first_zero(moment: ClockMoment, zero_ns: int) -> Zero:
    """What a stream's wall time is at first."""
    return Zero(version=0, anchors=[moment.anchor(zero_ns)])


def corrected(zero: Zero, moment: ClockMoment, zero_ns: int) -> Zero | None:
    """A better wall time for the whole stream, or None when this moment tells nothing better.

    Better is a better source, or the same one much more exactly where it was vague. A clock that
    merely jumped says nothing new: the boot clock goes on from the anchor that there is.
    """
    known = zero.anchors[0]
    rank, known_rank = _BEST_FIRST.index(moment.source), _BEST_FIRST.index(known.source)
    vague = known.uncertainty_ms > _VAGUE_MS
    sharper = vague and moment.uncertainty_ms * 2 < known.uncertainty_ms
    if rank > known_rank or (rank == known_rank and not sharper):
        return None
    return Zero(version=zero.version + 1, anchors=[moment.anchor(zero_ns)])
