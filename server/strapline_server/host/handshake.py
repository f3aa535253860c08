"""The opening of an ASGI WebSocket: who is refused, and with what; and its room among the others.

The rules are those of the server's own sockets.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Final

from websockets.http11 import Response

from strapline_protocol.closing import CloseCode, reason_text
from strapline_protocol.opening import SUBPROTOCOL
from strapline_server.carrier import Host
from strapline_server.host.asgi import (
    Receive,
    Scope,
    Send,
    asked,
    deny,
    path_below,
    redact,
    values_of,
)
from strapline_server.host.socket import AsgiSocket
from strapline_server.http import SOCKET_PATH, has_token, refuse, same_origin

_LOG = logging.getLogger(__name__)
_VERSION: Final = f"this server speaks {SUBPROTOCOL}"


async def serve_socket(host: Host, scope: Scope, receive: Receive, send: Send) -> None:
    """Open it, or refuse it, and converse until it is gone."""
    refusal = _refusal(host, scope)
    if refusal is not None:
        host.counters.handshakes_refused += 1
        await receive()
        await deny(scope, send, refusal)
        return
    if _spoken(scope) != SUBPROTOCOL:
        await turn_away(scope, receive, send, CloseCode.NO_COMMON_VERSION, _VERSION)
        return
    client = scope.get("client")
    socket = AsgiSocket(host, receive, send, str(client[0]) if client else "")
    fits = host.opened(socket)
    try:
        await receive()
        if fits:
            await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
            await socket.run()
        else:
            full = refuse(HTTPStatus.SERVICE_UNAVAILABLE, "There is no room here now.")
            await deny(scope, send, full)
    finally:
        host.closed(socket)


async def turn_away(
    scope: Scope, receive: Receive, send: Send, code: CloseCode, reason: str
) -> None:
    """Accept first, and then close: a browser cannot read why a handshake was refused."""
    await receive()
    await send({"type": "websocket.accept", "subprotocol": _spoken(scope)})
    await send({"type": "websocket.close", "code": int(code), "reason": reason_text(reason)})


def _spoken(scope: Scope) -> str | None:
    """Ours, else the first: whoever is to be told of its version must be accepted."""
    offered = list(scope.get("subprotocols") or ())
    return SUBPROTOCOL if SUBPROTOCOL in offered else next(iter(offered), None)


def _refusal(host: Host, scope: Scope) -> Response | None:
    if has_token(asked(scope)):
        redact(scope)
        return _refused("A token never goes into an address. Send it in AUTHENTICATE.")
    # Mounted, or routed to by its whole path: where it is in the host is the host's business.
    if not path_below(scope).endswith(SOCKET_PATH):
        return refuse(HTTPStatus.NOT_FOUND, f"The socket is at {SOCKET_PATH} here.")
    if scope.get("query_string"):
        return _refused("The socket's address has no query.")
    origins, hosts = values_of(scope, b"origin"), values_of(scope, b"host")
    if len(origins) > 1 or len(hosts) > 1:
        return _refused("More than one Origin or Host.")
    if origins and not same_origin(origins[0], "".join(hosts), host.allowed_origins):
        return refuse(HTTPStatus.FORBIDDEN, "This page may not open a socket here.")
    return None


def _refused(text: str) -> Response:
    _LOG.info("request refused: %s", text)
    return refuse(HTTPStatus.BAD_REQUEST, text)
