"""The realtime server: stores what bridges send and hands it to those who may see it."""

from strapline_server.admin import Admin, open_admin
from strapline_server.config import ServerConfig, load_config
from strapline_server.copies import backup, restore
from strapline_server.errors import (
    AdminError,
    ConfigError,
    NoteError,
    SecretError,
    ServerError,
    StoreError,
    TokenError,
)
from strapline_server.host import (
    HostError,
    NotRunningError,
    Receipt,
    UnknownUserError,
    UpdateError,
    WebSocketHandler,
)
from strapline_server.server import Server
from strapline_server.store import Copied, Grant, Holdings
from strapline_server.verified import Verified
from strapline_server.verifying import verify

__all__ = [
    "Admin",
    "AdminError",
    "ConfigError",
    "Copied",
    "Grant",
    "Holdings",
    "HostError",
    "NotRunningError",
    "NoteError",
    "Receipt",
    "SecretError",
    "Server",
    "ServerConfig",
    "ServerError",
    "StoreError",
    "TokenError",
    "UnknownUserError",
    "UpdateError",
    "Verified",
    "WebSocketHandler",
    "backup",
    "load_config",
    "open_admin",
    "restore",
    "verify",
]
