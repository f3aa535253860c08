"""In a host application: the same server behind somebody else's sockets, as an ASGI application."""

from strapline_server.host.errors import HostError, NotRunningError, UnknownUserError, UpdateError
from strapline_server.host.handler import WebSocketHandler
from strapline_server.host.update import Receipt

__all__ = [
    "HostError",
    "NotRunningError",
    "Receipt",
    "UnknownUserError",
    "UpdateError",
    "WebSocketHandler",
]
