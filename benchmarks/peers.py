"""The peers' servers, each as its own documentation writes one: `/pub/N` is heard at `/watch/N`.

Run as ``python -m benchmarks.peers NAME LOOP [DATABASE]``; says ``listening PORT``.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import Any, Final

import picows
import uvloop
from websockets.asyncio.server import Server, ServerConnection, broadcast, serve

_HOST: Final = "127.0.0.1"
_BACKLOG: Final = 1_024


async def websockets_server(_: str | None) -> None:
    """``websockets``: its own server, and its ``broadcast()``. Compression is off: see README."""
    viewers: defaultdict[str, set[ServerConnection]] = defaultdict(set)

    async def handle(connection: ServerConnection) -> None:
        assert connection.request is not None, "the handshake is done"
        kind, group = connection.request.path.strip("/").split("/")
        if kind == "pub":
            async for message in connection:
                broadcast(viewers[group], message)
            return
        viewers[group].add(connection)
        try:
            await connection.wait_closed()
        finally:
            viewers[group].discard(connection)

    server: Server = await serve(handle, _HOST, 0, compression=None, backlog=_BACKLOG)
    _tell(next(iter(server.sockets)).getsockname()[1])
    await server.serve_forever()


class _Group:
    def __init__(self) -> None:
        self.viewers: set[picows.WSTransport] = set()


class _Watching(picows.WSListener):
    def __init__(self, group: _Group) -> None:
        self._group = group

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self._group.viewers.add(transport)

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        self._group.viewers.discard(transport)


class _Publishing(picows.WSListener):
    def __init__(self, group: _Group, keep: Callable[[bytes], None] | None) -> None:
        self._group = group
        self._keep = keep

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type is not picows.WSMsgType.TEXT:
            return
        payload = frame.get_payload_as_bytes()
        if self._keep is not None:
            self._keep(payload)
        for viewer in self._group.viewers:
            viewer.send(picows.WSMsgType.TEXT, payload)


async def picows_server(database: str | None) -> None:
    """picows: a listener a connection, a ``send()`` a viewer; with a database, a commit first."""
    groups: defaultdict[str, _Group] = defaultdict(_Group)
    keep = None if database is None else _keeper(database)

    def route(request: picows.WSUpgradeRequest) -> picows.WSListener:
        kind, group = request.path.decode().strip("/").split("/")
        return _Publishing(groups[group], keep) if kind == "pub" else _Watching(groups[group])

    server = await picows.ws_create_server(route, _HOST, 0, backlog=_BACKLOG)
    _tell(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _keeper(path: str) -> Callable[[bytes], None]:
    """Commits one message at a time, durably, before anybody hears of it: the plainest way."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, body BLOB) STRICT")

    def keep(payload: bytes) -> None:
        database.execute("INSERT INTO message (body) VALUES (?)", (payload,))

    return keep


def _tell(port: int) -> None:
    print(f"listening {port}", flush=True)


SERVERS: Final[dict[str, Callable[[str | None], Coroutine[Any, Any, None]]]] = {
    "websockets": websockets_server,
    "picows": picows_server,
}

if __name__ == "__main__":
    name, loop, *database = sys.argv[1:]
    main = SERVERS[name](database[0] if database else None)
    if loop == "uvloop":
        uvloop.run(main)
    else:
        asyncio.run(main)
