"""What is missing of a person's past and why, as the server accounts for it: a list, and a sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from strapline.watch.ink import Row, Tone, cells_of
from strapline.watch.told import spelled, told
from strapline.watch.words import clock_with_seconds, day, duration, readings
from strapline_protocol.watching import Gap

#: Of the chosen person so much is listed.
LISTED_MS: Final = 24 * 3_600_000
_MOST_CAUSES: Final = 4
#: Where two causes meet, a piece may be of some milliseconds: nobody reads them.
_LEAST_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Missing:
    """What was answered, and when by the server's clock.

    Attributes:
        user: whose; empty before the first answer.
        gaps: in order of time.
        whole: there are no more.
        words: why it is not known.
    """

    user: str = ""
    gaps: Sequence[Gap] = field(default=())
    whole: bool = True
    words: str = ""
    read_ms: int = 0


def missing_rows(missing: Missing, now_ms: int, rows: int) -> list[Row]:
    """The newest first, in at most so many rows; what has no room is counted.

    ::

        Last 24 hours: 1 h 12 min without a reading
          now       for 43 min     silent: off, asleep or out of range
          14:01:48  38 s           not worn
    """
    # At least one of them has room.
    if rows < 2 + (len(missing.gaps) > 1) or not missing.user:
        return []
    if missing.words:
        return [[(f"  {missing.words}", Tone.SECOND)]]
    lost_ms = sum(gap.to_ms - gap.from_ms for gap in missing.gaps)
    if not missing.gaps:
        return [[("  Last 24 hours: nothing is missing.", Tone.SECOND)]]
    least = "" if missing.whole else "at least "
    head: Row = [(f"  Last 24 hours: {least}{duration(lost_ms)} without a reading", Tone.SECOND)]
    newest = [gap for gap in reversed(missing.gaps) if gap.to_ms - gap.from_ms >= _LEAST_MS]
    room = rows - 1 if len(newest) < rows else rows - 2
    listed = [_row(gap, now_ms) for gap in newest[:room]]
    more = len(newest) - len(listed)
    rest: list[Row] = [[(f"  and {more} before", Tone.SECOND)]] if more else []
    return [head, *listed, *rest]


def _row(gap: Gap, now_ms: int) -> Row:
    begin = clock_with_seconds(gap.from_ms)
    if day(gap.from_ms) != day(now_ms):
        begin = f"{day(gap.from_ms)} {begin}"
    length = duration(gap.to_ms - gap.from_ms)
    so_long = f"{length} so far" if gap.lasts else length
    lost = f", {readings(gap.count)}" if gap.count else ""
    return [
        (f"  {begin:<16}", Tone.INK),
        (f"{so_long:<20}", Tone.INK),
        (f"{spelled(gap)}{lost}", Tone.STRONG if gap.lasts else Tone.INK),
    ]


def missing_sum(missing: Missing, cells: int) -> str:
    """``Without a reading 2 h 13 min: not worn 1 h 40 min; bridge off 33 min.``, as it fits.

    Empty where nothing is missing, or is not known.
    """
    lengths: Counter[str] = Counter()
    for gap in missing.gaps:
        lengths[told(gap).short] += gap.to_ms - gap.from_ms
    if not lengths:
        return ""
    least = "" if missing.whole else "at least "
    words = f"Without a reading {least}{duration(lengths.total())}"
    parts = [
        f"{why} {duration(length_ms)}"
        for why, length_ms in lengths.most_common()
        if length_ms >= _LEAST_MS
    ]
    for most in range(min(_MOST_CAUSES, len(parts)), 0, -1):
        rest = "; …" if most < len(parts) else "."
        sentence = f"{words}: {'; '.join(parts[:most])}{rest}"
        if cells_of(sentence) <= cells:
            return sentence
    return f"{words}."
