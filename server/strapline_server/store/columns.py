"""Series as a store handles them: their wall times, merging what belongs together, cutting.

All of it is arithmetic on columns; the readings themselves are never changed.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from strapline_protocol.base import SAFE_INTEGER
from strapline_protocol.metrics import metric_named
from strapline_protocol.publishing import Zero
from strapline_protocol.series import LONGEST_SERIES, Series, TimedSeries, differences
from strapline_server.state import AHEAD_MS, marks

_LOG = logging.getLogger(__name__)
#: No block spans more wall time, so that an index on its beginning finds all in a range.
LONGEST_BLOCK_MS: Final = 3_600_000
_COLUMNS: Final = ("rr", "contact", "energy_kj", "quality")
#: Ours alone to say: a bridge's column of this name is not passed on.
_MARKS: Final = "serverMarks"


def pack(series: Series, *, for_good: bool = False) -> bytes:
    """A block's data; one that is not merged again is worth more effort."""
    return zlib.compress(series.model_dump_json(by_alias=True).encode(), 9 if for_good else 1)


def sound(block_key: int, data: bytes) -> tuple[Series, int] | None:
    """What was packed, and how long its JSON is; None, and a line in the log, for a damaged one.

    A disk that lost a few bytes costs these readings, and not those around them.
    """
    try:
        text = zlib.decompress(data)
        return Series.model_validate_json(text), len(text)
    except (zlib.error, ValueError) as error:
        _LOG.error(
            "block %d is damaged (%s). It stays as it is: a backup may have it whole.",
            block_key,
            # Not its text, which may quote what was measured.
            type(error).__name__,
        )
        return None


def wall_times(zero: Zero, elapsed: Sequence[int]) -> list[int]:
    """The wall time of each moment of a stream."""
    if len(zero.anchors) > 1:
        return [zero.wall_ms(moment) for moment in elapsed]
    offset = zero.anchors[0].wall_ms - zero.anchors[0].elapsed_ms
    return [min(max(0, moment + offset), SAFE_INTEGER) for moment in elapsed]


def cut(series: Series, at_ms: Sequence[int]) -> list[tuple[Series, list[int]]]:
    """The series in pieces that are each short enough in time for one block."""
    if max(at_ms) - min(at_ms) < LONGEST_BLOCK_MS:
        return [(series, list(at_ms))]
    pieces: list[list[int]] = []
    low = high = 0
    for index, at in enumerate(at_ms):
        if pieces and max(high, at) - min(low, at) < LONGEST_BLOCK_MS:
            pieces[-1].append(index)
            low, high = min(low, at), max(high, at)
        else:
            pieces.append([index])
            low = high = at
    return [(series.take(piece), [at_ms[index] for index in piece]) for piece in pieces]


def merge(pieces: Sequence[Series]) -> list[Series]:
    """Pieces of one user, device, metric and stream as few series, each in order of number.

    Those stay apart that differ in a counter, in ``onChange`` or in a column that this version
    does not know and that is not one entry a reading.
    """
    if len(pieces) == 1:
        return [pieces[0]]
    groups: dict[object, list[Series]] = {}
    for piece in pieces:
        groups.setdefault(_kind(piece), []).append(piece)
    return [merged for group in groups.values() for merged in _merge_alike(group)]


def _kind(series: Series) -> object:
    extra = series.model_extra or {}
    lists = frozenset(name for name, column in extra.items() if isinstance(column, list))
    single = repr(sorted((name, extra[name]) for name in extra.keys() - lists))
    counter = (series.counter.id, series.counter.from_) if series.counter else None
    return counter, series.on_change, lists, single


def _merge_alike(group: Sequence[Series]) -> list[Series]:
    if len(group) == 1:
        return [group[0]]
    first = group[0]
    numbers = [number for piece in group for number in piece.numbers()]
    elapsed = [moment for piece in group for moment in piece.elapsed()]
    order = sorted(range(len(numbers)), key=numbers.__getitem__)
    columns = {name: joined for name in _COLUMNS if (joined := _join(group, name)) is not None}
    extra = first.model_extra or {}
    columns |= {
        name: [entry for piece in group for entry in (piece.model_extra or {})[name]]
        if isinstance(column, list)
        else column
        for name, column in extra.items()
    }
    values = [value for piece in group for value in piece.value]
    merged: list[Series] = []
    for begin in range(0, len(order), LONGEST_SERIES):
        part = order[begin : begin + LONGEST_SERIES]
        merged.append(
            Series(
                user=first.user,
                device=first.device,
                metric=first.metric,
                counter=first.counter,
                on_change=first.on_change,
                seq=differences([numbers[i] for i in part]),
                elapsed_ms=differences([elapsed[i] for i in part]),
                value=[values[i] for i in part],
                **{
                    name: [column[i] for i in part] if isinstance(column, list) else column
                    for name, column in columns.items()
                },
            )
        )
    return merged


def _join(group: Sequence[Series], name: str) -> list[Any] | None:
    if all(getattr(piece, name) is None for piece in group):
        return None
    return [entry for piece in group for entry in (getattr(piece, name) or [None] * len(piece))]


def without_marks(series: Series) -> Series:
    """The series without a column that only the server may add."""
    if not series.model_extra or _MARKS not in series.model_extra:
        return series
    extra = {name: column for name, column in series.model_extra.items() if name != _MARKS}
    return _with_extra(series, extra)


def _with_extra(series: Series, extra: dict[str, Any]) -> Series:
    """The same readings with these unknown columns; all of it was checked before."""
    fields: dict[str, Any] = {name: getattr(series, name) for name in Series.model_fields}
    return Series.model_construct(**fields, **extra)


def marked(series: Series, at_ms: Sequence[int], judged_ms: int) -> Series:
    """The series with a column of what the server doubts, where it doubts anything."""
    doubts = marks(series, at_ms, judged_ms)
    if doubts is None:
        return series
    return _with_extra(series, {**(series.model_extra or {}), _MARKS: doubts})


def to_timed(
    series: Series,
    at_ms: Sequence[int],
    committed_ms: int,
    zero: Zero,
    stream: str | None = None,
) -> TimedSeries:
    """The series as a viewer gets it; ``stream`` where no message around it names one."""
    source = zero.source.value
    return series.timed(at_ms, received_ms=committed_ms, time_source=source, stream=stream)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some readings of a block.

    Attributes:
        committed_ms: when the first of them was received.
        judged_ms: when the last of them was: what is ahead of that was ahead of its time.
    """

    stream: str
    series: Series
    at_ms: list[int]
    committed_ms: int
    judged_ms: int
    zero: Zero

    @property
    def live(self) -> bool:
        """Whether all of it was still the present when it came, and none of it ahead of that."""
        fresh_for_ms = metric_named(self.series.metric).fresh_for_ms
        late = self.committed_ms - min(self.at_ms) > fresh_for_ms
        return not late and max(self.at_ms) <= self.judged_ms + AHEAD_MS


@dataclass(slots=True)
class Group:
    """Pieces whose moment of receipt tells the same story."""

    stream: str
    zero: Zero
    committed_ms: int
    judged_ms: int
    parts: list[Series]

    def merged(self) -> list[Series]:
        """All of it as few series."""
        return _merge_alike(self.parts)


def alike(pieces: Iterable[Piece]) -> list[Group]:
    """Pieces of one user and metric that may become one.

    A merged series carries the earliest moment of receipt, so pieces go together only where
    that calls none of their readings live that was not, or the reverse: live ones, and those of
    one commit.
    """
    groups: dict[object, Group] = {}
    for piece in sorted(pieces, key=lambda one: one.committed_ms):
        when: object = "live" if piece.live else (piece.committed_ms, piece.judged_ms)
        key = (piece.stream, piece.series.device, when, _kind(piece.series))
        group = groups.get(key)
        if group is None:
            group = groups[key] = Group(
                piece.stream, piece.zero, piece.committed_ms, piece.judged_ms, []
            )
        group.parts.append(piece.series)
        group.judged_ms = max(group.judged_ms, piece.judged_ms)
    return list(groups.values())


def gather(pieces: Iterable[Piece]) -> list[TimedSeries]:
    """Pieces as a page of history holds them, in order of their first time."""
    timed: list[TimedSeries] = []
    seen = [replace(one, series=marked(one.series, one.at_ms, one.judged_ms)) for one in pieces]
    for group in alike(seen):
        for series in group.merged():
            at_ms = wall_times(group.zero, series.elapsed())
            told = to_timed(series, at_ms, group.committed_ms, group.zero, group.stream)
            timed.append(told)
    return sorted(timed, key=lambda one: min(one.at()))
