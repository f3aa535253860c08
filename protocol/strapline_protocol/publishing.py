"""Messages between a bridge and the server: readings, their time, and what is accounted for."""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from strapline_protocol.base import (
    SAFE_INTEGER,
    Code,
    Count,
    DeviceId,
    DurationMs,
    Label,
    RequestId,
    SafeInt,
    Sentence,
    StreamId,
    UserId,
    WallMs,
    WireModel,
    absent,
)
from strapline_protocol.series import Series

MOST_SERIES: Final = 256


class Lane(StrEnum):
    """``live`` goes first and keeps a quarter of the window; ``backlog`` drains behind it."""

    LIVE = "live"
    BACKLOG = "backlog"


def _ascending(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    for first, last in ranges:
        if last < first:
            raise ValueError("a range ends before it begins")
    return ranges


#: Inclusive: [[first, last], …].
Ranges = Annotated[
    list[Annotated[tuple[Count, Count], Field(strict=False)]],
    Field(max_length=10_000),
    AfterValidator(_ascending),
]


class ClockSource(StrEnum):
    """What a wall time rests on, best first."""

    SYSTEM = "system"
    SERVER = "server"
    SERVER_UNSYNCHRONISED = "serverUnsynchronised"
    ESTIMATE = "estimate"


class Anchor(WireModel):
    """One moment on both clocks."""

    elapsed_ms: SafeInt
    wall_ms: WallMs
    uncertainty_ms: DurationMs
    source: ClockSource


class Zero(WireModel):
    """A stream's wall time. Between two anchors linear; outside, the nearest one's offset."""

    version: Count
    anchors: Annotated[list[Anchor], Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _anchors_ascend(self) -> Zero:
        times = [anchor.elapsed_ms for anchor in self.anchors]
        if any(later <= earlier for earlier, later in pairwise(times)):
            raise ValueError("anchors ascend by elapsedMs")
        return self

    def wall_ms(self, elapsed_ms: int) -> int:
        """The wall time of one moment of the stream, moved to the nearest that the wire carries."""
        return min(max(0, self._wall_ms(elapsed_ms)), SAFE_INTEGER)

    def _wall_ms(self, elapsed_ms: int) -> int:
        anchors = self.anchors
        before = anchors[0]
        for after in anchors:
            if elapsed_ms <= after.elapsed_ms:
                break
            before = after
        else:
            return elapsed_ms + before.wall_ms - before.elapsed_ms
        if before is after:
            return elapsed_ms + after.wall_ms - after.elapsed_ms
        span = after.elapsed_ms - before.elapsed_ms
        share = (after.wall_ms - before.wall_ms) * (elapsed_ms - before.elapsed_ms)
        return before.wall_ms + share // span

    @property
    def source(self) -> ClockSource:
        """The weakest source of its anchors."""
        order = list(ClockSource)
        return max((anchor.source for anchor in self.anchors), key=order.index)


class Ended(WireModel):
    """When a run's stream ended, and whether the run said goodbye."""

    elapsed_ms: SafeInt
    clean: bool


class Stream(WireModel):
    """Bridge: before a stream's first readings in a connection, and as its time is known better."""

    type: Literal["STREAM"] = "STREAM"
    stream: StreamId
    next_seq: Count
    zero: Zero
    ended: Ended | None = absent()


class Readings(WireModel):
    """Bridge: readings of one stream, one lane."""

    type: Literal["READINGS"] = "READINGS"
    stream: StreamId
    lane: Lane
    series: Annotated[list[Series], Field(min_length=1, max_length=MOST_SERIES)]


class Dropped(WireModel):
    """Bridge: what the size bound or the user discarded, so that a hole is always explained.

    Not of readings that are under way: those have left already, and are waited for.
    """

    type: Literal["DROPPED"] = "DROPPED"
    stream: StreamId
    ranges: Annotated[Ranges, Field(min_length=1)]
    reason: Code


class DeviceState(StrEnum):
    """The first hop."""

    CONNECTED = "connected"
    SEARCHING = "searching"
    NOT_WORN = "notWorn"


class Moment(WireModel):
    """A moment of a stream."""

    stream: StreamId
    elapsed_ms: SafeInt


class DeviceAbout(WireModel):
    """What a wearable says of itself, where it does (Device Information Service 1.1).

    Neither its maker nor its serial number: those never leave the bridge. ``bodyLocation`` is
    ``chest``, ``wrist``, ``finger``, ``hand``, ``earLobe``, ``foot`` or ``other``.
    """

    model: Label | None = absent()
    firmware: Label | None = absent()
    hardware: Label | None = absent()
    software: Label | None = absent()
    body_location: Code | None = absent()


class DeviceStatus(WireModel):
    """One wearable. ``name`` is what its owner gave; ``stateAgeMs`` how long it has been so."""

    device: DeviceId
    user: UserId
    name: Label
    state: DeviceState
    state_age_ms: DurationMs
    battery: Annotated[int, Field(ge=0, le=100)] | None = absent()
    about: DeviceAbout | None = absent()
    last: Moment | None = absent()
    complete_through: Moment | None = absent()


class ClockStatus(WireModel):
    """What the bridge's wall time rests on at this moment."""

    source: ClockSource
    uncertainty_ms: DurationMs


class Status(WireModel):
    """Bridge: on change, every 30 s, and in answer to SYNC (then with its ``request``)."""

    type: Literal["STATUS"] = "STATUS"
    devices: Annotated[list[DeviceStatus], Field(max_length=256)]
    pending: Count
    oldest_pending_ms: DurationMs
    clock: ClockStatus
    request: RequestId | None = absent()


class Acknowledged(WireModel):
    """Server, after its durable commit; in answer to STREAM all that it holds.

    It holds what it has received. A number that was dropped or rejected is not in that answer:
    a clone of the outbox may still have it, and then it is received after all.
    """

    type: Literal["ACKNOWLEDGED"] = "ACKNOWLEDGED"
    stream: StreamId
    ranges: Ranges
    zero_version: Count | None = absent()


class Rejected(WireModel):
    """Server: these readings are refused for good, and why. The bridge keeps dead letters."""

    type: Literal["REJECTED"] = "REJECTED"
    stream: StreamId
    ranges: Annotated[Ranges, Field(min_length=1)]
    code: Code
    message: Sentence


class Sync(WireModel):
    """Server: a viewer asked; connect, flush, report."""

    type: Literal["SYNC"] = "SYNC"
    request: RequestId
