"""What a watching program is told: the kind of event, whose it is, and the state it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from strapline_client.freshness import age_ms, current, way_is_open
from strapline_client.health import HealthData, health_data
from strapline_protocol.base import Number
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
    CONNECTION_STATUS_UPDATE = "CONNECTION_STATUS_UPDATE"
    #: The same in short.
    CONNECTION_STATUS = "CONNECTION_STATUS_UPDATE"
    LAGGED = "LAGGED"


class ConnectionStatus(StrEnum):
    """This end's link to the server.

    ``connected`` is subscribed: what is known is live. ``reconnecting`` is lost, and tried again
    by itself; ``disconnected`` is not asked to connect; ``stopped`` is given up, because a
    person must do something.
    """

    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    DISCONNECTED = "disconnected"
    STOPPED = "stopped"


class Reason(StrEnum):
    """Why there is no session, in one word for a program to compare."""

    SERVER_AWAY = "serverAway"
    SERVER_RESTARTS = "serverRestarts"
    SERVER_BUSY = "serverBusy"
    LINK_ENDED = "linkEnded"
    LINK_REVOKED = "linkRevoked"
    BUG = "bug"
    UPGRADE_SERVER = "upgradeServer"
    UPGRADE_CLIENT = "upgradeClient"


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """The link to the server as it is now.

    Attributes:
        status: how it stands.
        reason: why there is no session, in the server's words or the system's; else empty.
        why: the same in one word; None while there is one, and where nothing has ended yet.
        code: the close code of the end; None where there was no end, or none was said.
        lost_at_ms: when the session was lost, by the server's clock; None during one, and before
            the first.
        retry_at_ms: when it is tried again, on the own monotonic clock
            (:func:`strapline_client.clock.monotonic_ms`).
        simulated: the hearts are not real: the server plays a recording.
    """

    status: ConnectionStatus
    reason: str = ""
    why: Reason | None = None
    code: int | None = None
    lost_at_ms: int | None = None
    retry_at_ms: int | None = None
    simulated: bool = False


#: The message of a ``CONNECTION_STATUS_UPDATE``.
ConnectionChanged = ConnectionState


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
    | ConnectionState
    | Lagged
)


@dataclass(frozen=True, slots=True)
class UserState:
    """All that is known of one wearer.

    Attributes:
        user: id.
        name: as its owner wrote it, else the id; text to show, never markup.
        metrics: the newest state of each metric, by its name on the wire.
        status: how near this is to the wearer, hop by hop; None before it was told.
    """

    user: str
    name: str
    metrics: Mapping[str, MetricData] = field(default_factory=lambda: _NOTHING)
    status: UserStatus | None = None

    @property
    def health(self) -> HealthData:
        """The whole state in the original service's form: ``health.heart_rate.average``."""
        return health_data(self.metrics)

    def age_ms(self, metric: str, now_ms: int | None) -> int | None:
        """How old the newest value of ``metric`` is; None where there is none, or no clock yet.

        Args:
            metric: its name on the wire.
            now_ms: the server's time, of :meth:`WebSocketService.server_now_ms`.
        """
        data = self.metrics.get(metric)
        return None if data is None or now_ms is None else age_ms(data, now_ms)

    def current(self, metric: str, now_ms: int | None, *, connected: bool = True) -> Number | None:
        """What ``metric`` is at that moment: None once its last value is no longer the present.

        Args:
            metric: its name on the wire.
            now_ms: the server's time, of :meth:`WebSocketService.server_now_ms`.
            connected: whether this end's link stands; what a device says only on change holds
                while its whole way here is known to be open.
        """
        data = self.metrics.get(metric)
        if data is None or now_ms is None:
            return None
        return current(data, now_ms, held=connected and way_is_open(self.status))


@dataclass(frozen=True, slots=True)
class Update:
    """One event.

    Attributes:
        type: what kind.
        message: what came, whole; None where a snapshot told it.
        user: whose it is; None where it concerns all.
        state: that user's whole state after it.
    """

    type: WebSocketEventType
    message: Message | None
    user: str | None = None
    state: UserState | None = None

    @property
    def health(self) -> HealthData | None:
        """That user's whole state in the original service's form; None where it is nobody's."""
        return None if self.state is None else self.state.health
