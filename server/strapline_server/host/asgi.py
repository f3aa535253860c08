"""ASGI 3 in plain Python: what a scope says, and plain responses. No framework is imported."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import unquote

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

#: The server that carries us has its own of these.
_ITS_OWN: Final = frozenset({"connection", "date"})
_DENIAL: Final = "websocket.http.response"


def path_below(scope: Scope) -> str:
    """The path below the mount, as `/ws`; `/` at the mount itself.

    ``root_path`` is a prefix of ``path`` (ASGI's HTTP specification, "Connection scope"); a server
    that leaves it out of ``path`` gives what is below already.
    """
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    below = path.removeprefix(root) if path == root or path.startswith(f"{root}/") else path
    return below or "/"


def asked(scope: Scope) -> str:
    """Path and query as they were asked for, to be looked through and never to be logged."""
    query = bytes(scope.get("query_string", b"")).decode("latin-1")
    path = str(scope["path"])
    return f"{path}?{unquote(query)}" if query else path


def redact(scope: Scope) -> None:
    """Take out what was asked for, as servers log a scope's path and query with their answer."""
    scope["query_string"] = b""
    scope["path"] = scope["root_path"] = "/"
    scope["raw_path"] = b"/"


def values_of(scope: Scope, name: bytes) -> list[str]:
    """All values of one header, whose name is given in small letters."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def request_of(scope: Scope, path: str) -> Request:
    """A plain request, as the server's own sockets have it."""
    headers = Headers()
    for name, value in scope["headers"]:
        headers[name.decode("latin-1")] = value.decode("latin-1")
    return Request(path=path, headers=headers, method=scope["method"])


async def respond(send: Send, response: Response) -> None:
    """Answer a plain request."""
    await _send_response(send, "http.response", response)


async def deny(scope: Scope, send: Send, response: Response) -> None:
    """Refuse a WebSocket's handshake; with status 403 where the server can say no other."""
    if _DENIAL in (scope.get("extensions") or {}):
        await _send_response(send, _DENIAL, response)
    else:
        await send({"type": "websocket.close", "code": 1000})


async def _send_response(send: Send, kind: str, response: Response) -> None:
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in response.headers.raw_items()
        if name.lower() not in _ITS_OWN
    ]
    await send({"type": f"{kind}.start", "status": response.status_code, "headers": headers})
    await send({"type": f"{kind}.body", "body": response.body})
