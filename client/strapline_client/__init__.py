"""The WebSocket service for Python programs that watch: connect, resume, and be told."""

from strapline_client.errors import (
    ClientError,
    NotConnectedError,
    RequestRefusedError,
    StoppedError,
)
from strapline_client.events import (
    ConnectionChanged,
    ConnectionStatus,
    Lagged,
    Update,
    UserState,
    WebSocketEventType,
)
from strapline_client.service import WebSocketService
from strapline_client.updates import Updates
from strapline_protocol.watching import (
    HealthDataUpdate,
    HistoryChanged,
    Subscribed,
    SubscriptionChanged,
    SyncStatusUpdate,
)

__all__ = [
    "ClientError",
    "ConnectionChanged",
    "ConnectionStatus",
    "HealthDataUpdate",
    "HistoryChanged",
    "Lagged",
    "NotConnectedError",
    "RequestRefusedError",
    "StoppedError",
    "Subscribed",
    "SubscriptionChanged",
    "SyncStatusUpdate",
    "Update",
    "Updates",
    "UserState",
    "WebSocketEventType",
    "WebSocketService",
]
