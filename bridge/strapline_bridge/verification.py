"""What a bridge finds when it compares what it measured with what is here and at its server."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from strapline_protocol.base import Count, StreamId, WallMs, WireModel, absent
from strapline_protocol.publishing import ClockSource, Ranges
from strapline_protocol.watching import Gap

#: Runs, and pieces of gaps, that are told one by one; all of them are counted.
MOST_TOLD: Final = 500
#: Ranges of readings that are named in one run.
MOST_NAMED: Final = 100


class Against(StrEnum):
    """What the outbox was compared with."""

    SERVER = "server"
    #: Itself alone: what servers have acknowledged is believed.
    NOTHING = "nothing"


class RunVerified(WireModel):
    """One run of the bridge, which is one stream.

    Each number that the run gave to a reading is in one of ``stored``, ``refused``, ``dropped``,
    ``erased``, ``toSend`` and ``missing``.

    ``endedMs`` is null while the run lasts. ``acknowledged`` were accounted for by a server, by the
    outbox's own word; ``kept`` are here still, ``compared`` of them are the same at both ends.
    ``untold`` are those of ``dropped`` that no server knows of yet, by reason. ``beyond`` are
    readings that the server has of this run and this outbox does not know: it is an older copy.
    ``stranger``: the server has no such run of this bridge.
    """

    stream: StreamId
    began_ms: WallMs
    ended_ms: WallMs | None
    clock: ClockSource
    measured: Count
    acknowledged: Count
    stored: Count
    refused: Count
    dropped: Count
    erased: Count
    to_send: Count
    kept: Count
    compared: Count
    untold: dict[str, Count] = absent({})
    beyond: Count = absent(0)
    stranger: bool = absent(False)
    missing: Count
    doubled: Count
    different: Count
    missing_numbers: Ranges = absent([])
    doubled_numbers: Ranges = absent([])
    different_numbers: Ranges = absent([])

    @property
    def all_right(self) -> bool:
        """Nothing is missing, doubled or different."""
        return not (self.missing or self.doubled or self.different)


class GapsFound(WireModel):
    """Stretches without a heartbeat, of each wearable, as far as readings are here.

    ``explained`` of them have a cause for all of their time; ``pieces`` are the newest.
    """

    gaps: Count
    explained: Count
    pieces: list[Gap]


class Verification(WireModel):
    """All of it; ``runs`` are the newest, and those in which something is wrong."""

    against: Against
    readings: Count
    stored: Count
    refused: Count
    dropped: Count
    erased: Count
    to_send: Count
    kept: Count
    compared: Count
    missing: Count
    doubled: Count
    different: Count
    dead_letters: Count
    in_runs: Count
    first_ms: WallMs | None
    last_ms: WallMs | None
    runs: list[RunVerified]
    gaps: GapsFound

    @property
    def all_right(self) -> bool:
        """Nothing is missing, doubled or different."""
        return not (self.missing or self.doubled or self.different)
