"""A stream's wall time: first said when the stream is made, then corrected when more is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from strapline_bridge.outbox.rows import elapsed_ms
from strapline_protocol.publishing import Anchor, ClockSource, Zero

_BEST_FIRST: Final = tuple(ClockSource)
#: Below this a correction would move a stream's readings for nothing that anybody sees.
_VAGUE_MS: Final = 1_000
_SYNCHRONISED: Final = frozenset({ClockSource.SYSTEM, ClockSource.SERVER})
#: What a crystal drifts at the most, and usually less than; and what a machine's boot clock may
#: be off by after some suspends, since the clock that runs meanwhile counts whole seconds.
MOST_DRIFT_PPM: Final = 500
USUAL_DRIFT_PPM: Final = 100
_WAKING_MS: Final = 5_000
#: Two anchors are so far apart that no drift can turn their order.
_LEAST_APART_MS: Final = 60_000
#: From here on a stream's beginning is told to be less certain than its end.
_FAR_MS: Final = 3_600_000
#: As many as a zero may have.
_MOST_ANCHORS: Final = 64


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


def corrected(
    zero: Zero, moment: ClockMoment, zero_ns: int, ended_ms: int | None = None
) -> Zero | None:
    """A better wall time for the stream, or None when this moment tells nothing better.

    Better is a better source, or the same one much more exactly where it was vague: then the
    whole stream moves. A synchronised clock is followed beside that, since a boot clock's crystal
    drifts by seconds a day: once it is off by more than a second, one more anchor says so, and
    what was before the last one stays where it is. Where a synchronised clock differs by more
    than any crystal drifts, it was wrong before, and all moves by that. A clock that nobody
    synchronises and that merely jumps says nothing new.

    Args:
        ended_ms: where the stream ended; how far the crystal drifts after that concerns it not.
    """
    known = zero.anchors[-1]
    rank, known_rank = _BEST_FIRST.index(moment.source), _BEST_FIRST.index(known.source)
    if rank > known_rank:
        return None
    now = moment.anchor(zero_ns)
    vague = known.uncertainty_ms > _VAGUE_MS
    sharper = vague and moment.uncertainty_ms * 2 < known.uncertainty_ms
    if rank < known_rank or sharper:
        return _next(zero, _replaced(zero, now))
    if moment.source not in _SYNCHRONISED:
        return None
    off_ms = now.wall_ms - zero.wall_ms(now.elapsed_ms)
    if abs(off_ms) <= _VAGUE_MS + now.uncertainty_ms:
        return None
    since_ms = now.elapsed_ms - known.elapsed_ms
    if since_ms < _LEAST_APART_MS:
        return None
    if _is_drift(off_ms, since_ms):
        if ended_ms is not None and known.elapsed_ms >= ended_ms:
            return None
        return _next(zero, _thinned([*zero.anchors, now]))
    return _next(zero, _moved(zero, off_ms, now))


def _next(zero: Zero, anchors: list[Anchor]) -> Zero:
    return Zero(version=zero.version + 1, anchors=anchors)


def _is_drift(off_ms: int, since_ms: int) -> bool:
    return abs(off_ms) <= since_ms * MOST_DRIFT_PPM // 1_000_000 + _WAKING_MS


def _replaced(zero: Zero, now: Anchor) -> list[Anchor]:
    """The whole stream by this moment alone, unless more than its offset is known.

    How far the crystal drifted before is not known then: the beginning's uncertainty says so.
    """
    if len(zero.anchors) > 1 and zero.source in _SYNCHRONISED:
        return _moved(zero, now.wall_ms - zero.wall_ms(now.elapsed_ms), now)
    if now.elapsed_ms < _FAR_MS:
        return [now]
    drifted_ms = now.elapsed_ms * USUAL_DRIFT_PPM // 1_000_000
    begin = Anchor(
        elapsed_ms=0,
        wall_ms=max(0, now.wall_ms - now.elapsed_ms),
        uncertainty_ms=now.uncertainty_ms + drifted_ms,
        source=now.source,
    )
    return [begin, now]


def _moved(zero: Zero, by_ms: int, now: Anchor) -> list[Anchor]:
    """All anchors by as much, so that what is known of the drift stays."""
    return [
        Anchor(
            elapsed_ms=anchor.elapsed_ms,
            wall_ms=max(0, anchor.wall_ms + by_ms),
            uncertainty_ms=max(anchor.uncertainty_ms, now.uncertainty_ms),
            source=now.source,
        )
        for anchor in zero.anchors
    ]


def _thinned(anchors: list[Anchor]) -> list[Anchor]:
    """Without the one that is nearest to the line between its neighbours, where they are many."""
    if len(anchors) <= _MOST_ANCHORS:
        return anchors
    inner = range(1, len(anchors) - 1)
    least = min(inner, key=lambda at: _bend_ms(*anchors[at - 1 : at + 2]))
    return anchors[:least] + anchors[least + 1 :]


def _bend_ms(before: Anchor, anchor: Anchor, after: Anchor) -> float:
    share = (anchor.elapsed_ms - before.elapsed_ms) / (after.elapsed_ms - before.elapsed_ms)
    return abs(before.wall_ms + share * (after.wall_ms - before.wall_ms) - anchor.wall_ms)
