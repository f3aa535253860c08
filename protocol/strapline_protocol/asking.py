"""What a viewer asks by REQUEST, and what the server answers: history, sessions, marks, sync."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from strapline_protocol.base import (
    Count,
    DeviceId,
    Label,
    MetricName,
    Number,
    SafeInt,
    StreamId,
    UserId,
    WallMs,
    WireModel,
    absent,
)
from strapline_protocol.publishing import Ranges
from strapline_protocol.series import TimedSeries
from strapline_protocol.watching import MOST_USERS, Gap, Mark, Position, Session

#: Where a page ended: opaque, valid for the same question only.
Cursor = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.~-]{1,128}$")]
#: Readings or stretches of one page.
PageLimit = Annotated[int, Field(ge=1, le=10_000)]


class Resolution(StrEnum):
    """How finely history is answered. A ``day`` is one of the person's own zone."""

    RAW = "raw"
    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


class HistoryParams(WireModel):
    """REQUEST ``history``: one user's metric from ``fromMs`` to before ``toMs``.

    ``resolution`` ``raw`` answers the readings themselves, any other the stretches of that
    length which begin in the range. ``after`` is the last page's ``next``; a page holds at most
    ``limit`` readings or stretches.
    """

    user: UserId
    metric: MetricName
    from_ms: WallMs
    to_ms: WallMs
    resolution: Resolution = Resolution.RAW
    limit: PageLimit = 2_000
    after: Cursor | None = absent()


_STRETCHES = Field(max_length=10_000, fail_fast=True)


class Stretches(WireModel):
    """What was measured in each of many equally long stretches, by column.

    Only usable readings count, of one source at each moment; a stretch without any is left out.
    ``atMs`` is where each begins, the first and then differences. ``taken``, in place of
    ``average``, ``min`` and ``max``, are the steps taken in it. ``device`` is told of a metric
    that is held by device.
    """

    device: DeviceId | None = absent()
    at_ms: Annotated[list[SafeInt], _STRETCHES, Field(min_length=1)]
    count: Annotated[list[Count], _STRETCHES]
    average: Annotated[list[Number], _STRETCHES] | None = absent()
    min: Annotated[list[Number], _STRETCHES] | None = absent()
    max: Annotated[list[Number], _STRETCHES] | None = absent()
    taken: Annotated[list[Count], _STRETCHES] | None = absent()


class HistoryPage(WireModel):
    """RESULT of ``history``: in order of time; ``next`` is null on the last page.

    Raw readings stand in ``series``, stretches of any other ``resolution`` in ``stretches``;
    ``zone`` names the zone of days. ``position`` is the user's when this was read: a later
    change is not in it.
    """

    user: UserId
    metric: MetricName
    resolution: Resolution = Resolution.RAW
    series: list[TimedSeries]
    stretches: list[Stretches] = []
    zone: Label | None = absent()
    position: Position
    next: Cursor | None = absent()


class SyncParams(WireModel):
    """REQUEST ``sync``: ask the bridges of these users (all granted when none is named)."""

    users: Annotated[list[UserId], Field(max_length=MOST_USERS)] | None = absent()


class SyncResult(WireModel):
    """RESULT of ``sync``: how many bridges were asked."""

    asked: Count


class StartSessionParams(WireModel):
    """REQUEST ``startSession``: now, or at a moment that is past. One that runs ends there."""

    user: UserId
    name: Label
    at_ms: WallMs | None = absent()


class EndSessionParams(WireModel):
    """REQUEST ``endSession``: the one that runs, now or at a moment since its start."""

    user: UserId
    at_ms: WallMs | None = absent()


class SessionResult(WireModel):
    """RESULT of ``startSession`` and ``endSession``: the session as it is now."""

    session: Session
    position: Position


class SessionsParams(WireModel):
    """REQUEST ``sessions``: those of a user that touch ``fromMs`` to before ``toMs``."""

    user: UserId
    from_ms: WallMs
    to_ms: WallMs
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    after: Cursor | None = absent()


class SessionMeasured(WireModel):
    """A session and what was measured in it so far; null where nothing was, or is not granted."""

    session: Session
    readings: Count
    average: Number | None
    min: Number | None
    max: Number | None


class SessionsPage(WireModel):
    """RESULT of ``sessions``, by their start; heart rates in bpm."""

    user: UserId
    sessions: list[SessionMeasured]
    position: Position
    next: Cursor | None = absent()


class MarkParams(WireModel):
    """REQUEST ``mark``: point at this moment, or at one that is past."""

    user: UserId
    label: Label = ""
    at_ms: WallMs | None = absent()


class MarkResult(WireModel):
    """RESULT of ``mark``. The marks of a stretch are the ``history`` of metric ``mark``."""

    mark: Mark
    stream: StreamId
    seq: Count
    position: Position


class GapsParams(WireModel):
    """REQUEST ``gaps``: the stretches from ``fromMs`` to ``toMs`` without a reading, and why.

    Of all devices together, as history shows the metric; of one where ``device`` names it. What
    lies ahead of now is left out.
    """

    user: UserId
    metric: MetricName = "heart_rate"
    device: DeviceId | None = absent()
    from_ms: WallMs
    to_ms: WallMs
    limit: Annotated[int, Field(ge=1, le=1_000)] = 500
    after: Cursor | None = absent()


class GapsPage(WireModel):
    """RESULT of ``gaps``, in order of time; ``next`` is null on the last page.

    ``completeThroughMs``: up to then all that was measured is here or is accounted for; null where
    no bridge says. ``position`` is the user's when this was read.
    """

    user: UserId
    metric: MetricName
    gaps: list[Gap]
    complete_through_ms: WallMs | None
    position: Position
    next: Cursor | None = absent()


#: Numbers that one digest is of.
MOST_DIGESTED = 10_000


class AccountsParams(WireModel):
    """REQUEST ``accounts``, a bridge's own: what the server accounts for of one of its streams.

    Of numbers from ``first`` on.
    """

    stream: StreamId
    first: Count = 0


class Accounts(WireModel):
    """RESULT of ``accounts``: each number is in one of these, or is not accounted for.

    ``next`` is the number from which on more follows; null where this is all. ``readings`` is how
    many numbers were received, of the whole stream.
    """

    stream: StreamId
    received: Ranges
    rejected: Ranges
    dropped: Ranges
    erased: Ranges
    readings: Count
    next: Count | None = absent()


class DigestsParams(WireModel):
    """REQUEST ``digests``, a bridge's own: of what was received of each of these ranges.

    At most 10,000 numbers together; :mod:`strapline_protocol.digest` says how one is made.
    """

    stream: StreamId
    ranges: Annotated[Ranges, Field(min_length=1, max_length=1_000)]


class Digest(WireModel):
    """How many readings are stored with a number of one range, and their SHA-256 in hex."""

    count: Count
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Digests(WireModel):
    """RESULT of ``digests``: one for each range, in the order asked."""

    stream: StreamId
    digests: list[Digest]
