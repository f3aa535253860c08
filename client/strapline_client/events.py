"""What a watching program is told: the kind of event, whose it is, and the state it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from strapline_protocol.watching import (
    HealthDataUpdate,
    HistoryChanged,
    MetricData,
    Subscribed,
    SubscriptionChanged,
    SyncStatusUpdate,
    UserStatus,
)

_NOTHING: Final[Mapping[str, MetricData]] = MappingProxyType({})


class WebSocketEventType(StrEnum):
    """Kinds of events, named as on the wire; the last two are this end's own."""

    HEALTH_DATA_UPDATE = "HEALTH_DATA_UPDATE"
    HISTORY_CHANGED = "HISTORY_CHANGED"
    SUBSCRIBED = "SUBSCRIBED"
    SUBSCRIPTION_CHANGED = "SUBSCRIPTION_CHANGED"
    SYNC_STATUS_UPDATE = "SYNC_STATUS_UPDATE"
    CONNECTION_STATUS = "CONNECTION_STATUS"
    LAGGED = "LAGGED"


class ConnectionStatus(StrEnum):
    """This end's link to the server."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """The link to the server came or went; ``reason`` says why it went."""

    status: ConnectionStatus
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Lagged:
    """The reader of ``updates()`` was too slow: so many updates were left out before this one."""

    left_out: int


Message = (
    HealthDataUpdate
    | HistoryChanged
    | Subscribed
    | SubscriptionChanged
    | SyncStatusUpdate
    | ConnectionChanged
    | Lagged
)


@dataclass(frozen=True, slots=True)
class UserState:
    """All that is known of one wearer.

    Attributes:
        user: id.
        name: as its owner wrote it; text to show, never markup.
        metrics: the newest state of each metric, by its name on the wire.
        status: how near this is to the wearer, hop by hop; None before it was told.
    """

    user: str
    name: str
    metrics: Mapping[str, MetricData] = field(default_factory=lambda: _NOTHING)
    status: UserStatus | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """One event.

    Attributes:
        type: what kind.
        message: what came, whole.
        user: whose it is; None where it concerns all.
        state: that user's whole state after it.
    """

    type: WebSocketEventType
    message: Message
    user: str | None = None
    state: UserState | None = None
