"""The WebSocket service for Python programs that watch: connect, resume, and be told."""

from strapline_client.clock import ServerClock
from strapline_client.errors import (
    ClientError,
    NotConnectedError,
    RequestRefusedError,
    StoppedError,
    TokenSourceError,
)
from strapline_client.events import (
    ConnectionChanged,
    ConnectionState,
    ConnectionStatus,
    Lagged,
    Reason,
    Update,
    UserState,
    WebSocketEventType,
)
from strapline_client.health import HealthData, HeartRate, health_data
from strapline_client.ports import Ports
from strapline_client.service import WebSocketService
from strapline_client.telling import Counters
from strapline_client.updates import Updates
from strapline_protocol.asking import GapsPage, HistoryPage, Resolution, SessionMeasured
from strapline_protocol.beats import Beat, beats
from strapline_protocol.gaps import Evidence, GapCause
from strapline_protocol.watching import (
    Gap,
    HealthDataUpdate,
    HistoryChanged,
    Mark,
    Session,
    Subscribed,
    SubscriptionChanged,
    SyncStatus,
    SyncStatusUpdate,
    UserStatus,
)

__all__ = [
    "Beat",
    "ClientError",
    "ConnectionChanged",
    "ConnectionState",
    "ConnectionStatus",
    "Counters",
    "Evidence",
    "Gap",
    "GapCause",
    "GapsPage",
    "HealthData",
    "HealthDataUpdate",
    "HeartRate",
    "HistoryChanged",
    "HistoryPage",
    "Lagged",
    "Mark",
    "NotConnectedError",
    "Ports",
    "Reason",
    "RequestRefusedError",
    "Resolution",
    "ServerClock",
    "Session",
    "SessionMeasured",
    "StoppedError",
    "Subscribed",
    "SubscriptionChanged",
    "SyncStatus",
    "SyncStatusUpdate",
    "TokenSourceError",
    "Update",
    "Updates",
    "UserState",
    "UserStatus",
    "WebSocketEventType",
    "WebSocketService",
    "beats",
    "health_data",
]
