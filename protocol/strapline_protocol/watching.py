"""Messages between a viewer and the server: snapshot, changes, status."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import Discriminator, Field, SerializeAsAny, Tag

from strapline_protocol.base import (
    Code,
    Content,
    Count,
    DeviceId,
    DurationMs,
    Label,
    MetricName,
    Number,
    RequestId,
    StreamId,
    UserId,
    WallMs,
    WireModel,
    absent,
)
from strapline_protocol.publishing import DeviceAbout, DeviceState
from strapline_protocol.series import Quality, TimedSeries

#: How many users one message may name.
MOST_USERS: Final = 1_000

#: [epoch, n]: the n-th committed change of one user's data in this history of the database.
Position = Annotated[tuple[Label, Count], Field(strict=False)]


class SyncStatus(StrEnum):
    """How near a user's screen is to the wearer."""

    CONNECTING = "connecting"
    REALTIME = "realtime"
    SYNCING = "syncing"
    SYNCED = "synced"
    OFFLINE = "offline"
    ERROR = "error"


class LastValue(WireModel):
    """What was measured last, whatever its age."""

    value: Number | None
    at_ms: WallMs
    quality: Quality | None = absent()


class Over(StrEnum):
    """What average, minimum and maximum are taken over."""

    DAY = "day"
    SESSION = "session"


class HeartRateData(WireModel):
    """bpm. ``current`` is null when older than ``freshForMs``, zero or not worn.

    ``over`` is ``session`` while one runs, which began at ``sessionBeganMs``.
    """

    current: Number | None
    last: LastValue | None
    average: Number | None
    min: Number | None
    max: Number | None
    over: Over
    session_began_ms: WallMs | None = absent()
    day_ends_ms: WallMs
    fresh_for_ms: DurationMs
    on_change: bool


class StepsData(WireModel):
    """``today`` counts in the person's zone until ``dayEndsMs``; ``last`` is a device's total."""

    today: Count | None
    last: LastValue | None
    day_ends_ms: WallMs
    fresh_for_ms: DurationMs
    on_change: bool


class DeviceLevel(WireModel):
    """A level held by one device, such as its battery in percent."""

    device: DeviceId
    value: Number | None
    at_ms: WallMs


class BatteryData(WireModel):
    """Battery, %, by device."""

    devices: Annotated[list[DeviceLevel], Field(max_length=256)]
    fresh_for_ms: DurationMs


class Session(WireModel):
    """A stretch that has a name, such as a training. ``endMs`` is null while it runs."""

    id: StreamId
    name: Label
    start_ms: WallMs
    end_ms: WallMs | None


class SessionData(WireModel):
    """Metric ``session``: the one that runs, else null; ``last`` is the newest that ended."""

    session: Session | None
    last: Session | None = absent()


class Mark(WireModel):
    """A moment that somebody pointed at."""

    at_ms: WallMs
    label: Label


class MarkData(WireModel):
    """Metric ``mark``: the newest."""

    mark: Mark | None


#: What a host application says, by field: ``{"steps": 10000, "heartRate": {"average": 75}}``.
HealthSummary = Annotated[Content, Field(max_length=64)]


class SummaryData(WireModel):
    """Metric ``summary``: what a host application said last of each field, shown as given."""

    summary: HealthSummary
    at_ms: WallMs


class Gap(WireModel):
    """A stretch without a reading, and why: codes of :mod:`strapline_protocol.gaps`.

    A gap whose cause changes is several that adjoin. ``evidence`` is what the cause rests on;
    ``device`` whose readings are missing, where it is one's; ``count`` how many readings are lost,
    where that is known. ``lasts``: it goes on after ``toMs``.
    """

    from_ms: WallMs
    to_ms: WallMs
    cause: Code
    evidence: Code | None = absent()
    device: DeviceId | None = absent()
    count: Count = absent(0)
    lasts: bool = absent(False)


class GapData(WireModel):
    """Metric ``gap``: the newest that a bridge told of. All of them are asked for by ``gaps``."""

    gap: Gap | None


class ValueData(WireModel):
    """Any other metric: its newest value."""

    current: Number | None
    last: LastValue | None
    fresh_for_ms: DurationMs
    on_change: bool


#: Which field tells which state: a newer version's state without any of them is a ValueData.
_SHAPES: Final = MappingProxyType(
    {
        "devices": "BatteryData",
        "gap": "GapData",
        "mark": "MarkData",
        "over": "HeartRateData",
        "session": "SessionData",
        "summary": "SummaryData",
        "today": "StepsData",
    }
)
_OTHER_SHAPE: Final = "ValueData"
_SHAPE_NAMES: Final = frozenset(_SHAPES.values())


def _shape(data: object) -> str:
    if isinstance(data, dict):
        return next((shape for field, shape in _SHAPES.items() if field in data), _OTHER_SHAPE)
    # Asked for each message that goes out: a model's own name tells. What else came from outside
    # is no object at all, and the check of any shape says so.
    name = type(data).__name__
    return name if name in _SHAPE_NAMES else _OTHER_SHAPE


#: The state of one metric after a commit.
MetricData = Annotated[
    Annotated[HeartRateData, Tag("HeartRateData")]
    | Annotated[StepsData, Tag("StepsData")]
    | Annotated[BatteryData, Tag("BatteryData")]
    | Annotated[SessionData, Tag("SessionData")]
    | Annotated[MarkData, Tag("MarkData")]
    | Annotated[SummaryData, Tag("SummaryData")]
    | Annotated[GapData, Tag("GapData")]
    | Annotated[ValueData, Tag("ValueData")],
    Discriminator(_shape),
    Field(json_schema_extra={"x-told-by": dict(_SHAPES)}),
    # On its way out a state knows its own shape, and nobody need look for it.
    SerializeAsAny(),
]


class Subscribe(WireModel):
    """Viewer: all that is granted when nothing is named. A later one replaces it."""

    type: Literal["SUBSCRIBE"] = "SUBSCRIBE"
    request: RequestId
    users: Annotated[list[UserId], Field(max_length=MOST_USERS)] | None = absent()
    metrics: Annotated[list[MetricName], Field(max_length=64)] | None = absent()
    since: Annotated[dict[UserId, Position], Field(max_length=MOST_USERS)] = {}
    min_interval_ms: Annotated[int, Field(ge=0, le=3_600_000)] = absent(0)


class HopState(StrEnum):
    """A bridge's hop to the server."""

    ONLINE = "online"
    OFFLINE = "offline"


class ServerState(StrEnum):
    """The server's own hop."""

    OK = "ok"
    NOT_STORING = "notStoring"


class DeviceHop(WireModel):
    """Strap to bridge. ``sinceMs``: server's wall time since when it has been so."""

    device: DeviceId
    name: Label
    state: DeviceState
    since_ms: WallMs
    battery: Annotated[int, Field(ge=0, le=100)] | None = absent()
    about: DeviceAbout | None = absent()


class BridgeHop(WireModel):
    """Bridge to server. ``heardMs``: when it last said anything."""

    name: Label
    state: HopState
    since_ms: WallMs
    heard_ms: WallMs
    pending: Count


class ServerHop(WireModel):
    """The server itself."""

    state: ServerState
    since_ms: WallMs


class Hops(WireModel):
    """The way from strap to server, each hop with its state and since when."""

    devices: Annotated[list[DeviceHop], Field(max_length=256)] = []
    bridges: Annotated[list[BridgeHop], Field(max_length=64)] = []
    server: ServerHop


class UserStatus(WireModel):
    """How near the screen is to one wearer."""

    status: SyncStatus
    hops: Hops
    pending: Count
    complete_through_ms: WallMs | None
    last_sync_at: WallMs | None


class UserSnapshot(WireModel):
    """One user at the moment of subscribing. ``state`` is absent when changes follow instead."""

    name: Label
    position: Position
    reset: bool
    status: UserStatus
    state: Annotated[dict[MetricName, MetricData], Field(max_length=256)] | None = absent()


class Subscribed(WireModel):
    """Server: position and state of one moment; only what is later follows."""

    type: Literal["SUBSCRIBED"] = "SUBSCRIBED"
    request: RequestId
    snapshot: dict[UserId, UserSnapshot]
    server_time: WallMs


class HealthDataUpdate(WireModel):
    """Server: what one commit brought of one user, metric, device and stream."""

    type: Literal["HEALTH_DATA_UPDATE"] = "HEALTH_DATA_UPDATE"
    user: UserId
    metric: MetricName
    stream: StreamId
    data: MetricData
    series: TimedSeries
    position: Position
    previous: Position
    server_time: WallMs
    conflated: Count = absent(0)


class HistoryChange(StrEnum):
    """Why the past is not what it was."""

    BACKFILLED = "backfilled"
    REBASED = "rebased"
    SKIPPED = "skipped"
    OTHER_SOURCE = "otherSource"
    ERASED = "erased"
    #: One began or ended: the stretch is empty, ``data`` is news.
    SESSION = "session"


class HistoryChanged(WireModel):
    """Server, instead of pushing the past: a viewer fetches what it has on screen."""

    type: Literal["HISTORY_CHANGED"] = "HISTORY_CHANGED"
    user: UserId
    metric: MetricName
    data: MetricData
    from_ms: WallMs
    to_ms: WallMs
    count: Count
    position: Position
    previous: Position
    server_time: WallMs
    why: HistoryChange


class SyncStatusUpdate(UserStatus):
    """Server: a user's three hops, sent on change."""

    type: Literal["SYNC_STATUS_UPDATE"] = "SYNC_STATUS_UPDATE"
    user: UserId
    server_time: WallMs


class SyncAsked(WireModel):
    """Viewer: the original service's form of asking for a sync."""

    type: Literal["SYNC_STATUS_UPDATE"] = "SYNC_STATUS_UPDATE"
    status: Literal["syncing"]


class SubscriptionChanged(WireModel):
    """Server: a grant came or went; what is removed leaves the screen.

    A viewer subscribes again for the state of who was added: nothing of theirs comes before.
    ``mayMark`` stands where that right came or went, and takes the place of AUTHENTICATED's.
    """

    type: Literal["SUBSCRIPTION_CHANGED"] = "SUBSCRIPTION_CHANGED"
    added: list[UserId]
    removed: list[UserId]
    may_mark: bool | None = absent()
