"""What verifying a server's database comes to: each number found once, or why not.

It is printed as it is for programs, and in words for people.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from strapline_protocol.base import Count, DurationMs, Label, MetricName, WallMs, WireModel, absent
from strapline_protocol.intervals import Range

#: Ranges of one list that are told; ``count`` is of all numbers, told or not.
MOST_TOLD = 100
_Ranges = Annotated[list[Range], Field(max_length=MOST_TOLD)]


class Numbers(WireModel):
    """Some numbers of a stream. ``complete``: all of them are in ``ranges``."""

    count: Count = 0
    ranges: _Ranges = []
    complete: bool = True


class Lost(WireModel):
    """Numbers that are accounted for and not here, and the reason or code that was given."""

    why: Label
    numbers: Numbers


class PartVerified(WireModel):
    """What one stream has of one user. ``sha256`` as :mod:`strapline_protocol.digest` says."""

    user: Label
    readings: Count
    numbers: Numbers
    first_ms: WallMs
    last_ms: WallMs
    sha256: Label


class StreamVerified(WireModel):
    """One run of a bridge, or of this server.

    Attributes:
        missing: accounted for as received, and in no block.
        doubled: in two blocks, or twice in one.
        unaccounted: in a block, and not accounted for as received.
        unreadable: received, and by all that is known in a block that is damaged.
        damaged_blocks: how many there are.
        misplaced_blocks: that are not what the index says of them, so that they are not found.
        pending: announced, and not here yet.
    """

    stream: Label
    bridge: Label
    users: list[PartVerified]
    readings: Count
    missing: Numbers
    doubled: Numbers
    unaccounted: Numbers
    unreadable: Numbers
    damaged_blocks: Count
    misplaced_blocks: Count
    pending: Numbers
    dropped: list[Lost]
    rejected: list[Lost]
    erased: Numbers

    @property
    def whole(self) -> bool:
        """Whether each number that was received is here, once, and can be read."""
        faults = (self.missing, self.doubled, self.unaccounted, self.unreadable)
        return not (
            any(one.count for one in faults) or self.damaged_blocks or self.misplaced_blocks
        )


class SumsVerified(WireModel):
    """One user's metric: sums by minute and hour against those of the readings.

    ``fromMs``: where the first begins that differs.
    """

    user: Label
    metric: MetricName
    checked: Count
    differing: Count
    from_ms: WallMs | None = absent()


class CauseCounted(WireModel):
    """How many gaps, or parts of one, have this cause, and how long they are together."""

    cause: Label
    gaps: Count
    duration_ms: DurationMs


class GapsVerified(WireModel):
    """The gaps of one user's metric between its first reading and its last.

    ``explained``: those of which no part is ``silent`` for longer than readings may be apart.
    """

    user: Label
    metric: MetricName
    gaps: Count
    explained: Count
    causes: list[CauseCounted]


class Verified(WireModel):
    """The whole database, or what was asked of it, at one moment.

    ``user``: whose alone it was asked. ``readings`` are theirs then; what is missing or doubled
    cannot be told apart by person, and is of their streams.
    """

    store: Label
    as_of_ms: WallMs
    user: Label | None = absent()
    streams: list[StreamVerified]
    sums: list[SumsVerified]
    gaps: list[GapsVerified]
    readings: Count
    missing: Count
    doubled: Count
    whole: bool
