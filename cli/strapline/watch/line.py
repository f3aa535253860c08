"""The recent readings of one wearer's heart rate: what the five-minute trace is drawn from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from strapline_protocol.series import TimedSeries
from strapline_protocol.watching import Position

#: What is on the screen, and a little more, so that a gap at its edge keeps its beginning.
KEPT_MS: Final = 360_000
#: More than a strap sends in that time at four a second; a faster one keeps its newest.
LINE_BOUND: Final = 3_000
_ESTIMATED: Final = "estimate"


class Point(NamedTuple):
    """One reading. ``value`` in bpm; ``received_ms``: when the server had it."""

    at_ms: int
    value: float | None
    device: str
    quality: tuple[str, ...]
    contact: bool | None
    received_ms: int
    estimated: bool
    position: Position


Line = tuple[Point, ...]


def points_of(series: TimedSeries, position: Position) -> list[Point]:
    """The readings of a series that came, or was read, at this position."""
    quality = series.quality or []
    contact = series.contact or []
    return [
        Point(
            at_ms,
            series.value[index],
            series.device,
            tuple(quality[index] or ()) if quality else (),
            contact[index] if contact else None,
            series.received_ms,
            series.time_source == _ESTIMATED,
            position,
        )
        for index, at_ms in enumerate(accumulate(series.at_ms))
    ]


def merged(line: Line, fresh: Iterable[Point]) -> Line:
    """A device takes one reading at one moment: a repeat replaces what was known of it."""
    new = sorted(fresh, key=_identity)
    if not new:
        return line
    if not line or new[0].at_ms > line[-1].at_ms:
        return _trimmed((*line, *new))
    known = {_identity(point): point for point in (*line, *new)}
    return _trimmed(tuple(known[identity] for identity in sorted(known)))


def replaced(
    line: Line, from_ms: int, to_ms: int, read: Sequence[Point], position: Position
) -> Line:
    """History read at ``position`` replaces what was known of a stretch up to that position."""
    kept = tuple(
        point
        for point in line
        if not from_ms <= point.at_ms < to_ms
        or (point.position[0] == position[0] and point.position[1] > position[1])
    )
    return merged(kept, read) if read else kept


def _identity(point: Point) -> tuple[int, str]:
    return point.at_ms, point.device


def _trimmed(points: Line) -> Line:
    newest_ms = points[-1].at_ms
    first = next(at for at, point in enumerate(points) if point.at_ms > newest_ms - KEPT_MS)
    # The last one before it stays: where a gap that reaches into the span began.
    return points[max(0, first - 1, len(points) - LINE_BOUND) :]
