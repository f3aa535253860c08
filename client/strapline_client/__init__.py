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

__all__ = [
    "ClientError",
    "ConnectionChanged",
    "ConnectionStatus",
    "Lagged",
    "NotConnectedError",
    "RequestRefusedError",
    "StoppedError",
    "Update",
    "Updates",
    "UserState",
    "WebSocketEventType",
    "WebSocketService",
]
