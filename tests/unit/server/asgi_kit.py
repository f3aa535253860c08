"""The other side of an ASGI scope: what a server says to an application, and gets."""

from __future__ import annotations

import asyncio
from typing import Any

from strapline_server import WebSocketHandler
from strapline_server.host.asgi import Event

SECRET = "a secret of a host application, for tests alone"


class Client:
    """The other side of an ASGI scope."""

    def __init__(self, *events: Event) -> None:
        self._events = list(events)
        self.sent: list[Event] = []

    async def receive(self) -> Event:
        if not self._events:
            await asyncio.Event().wait()
        return self._events.pop(0)

    async def send(self, event: Event) -> None:
        self.sent.append(event)


def scope(kind: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "path": "/realtime/ws",
        "root_path": "/realtime",
        "method": "GET",
        "headers": [(b"host", b"localhost")],
        "query_string": b"",
        "client": ("10.0.0.1", 5),
        "subprotocols": ["strapline.v1"],
        "extensions": {"websocket.http.response": {}},
        **fields,
    }


async def answered(
    handler: WebSocketHandler, kind: str, events: tuple[Event, ...] = (), **fields: Any
) -> Event:
    client = Client(*events)
    async with handler.running():
        one = scope(kind, **fields)
        await asyncio.wait_for(handler(one, client.receive, client.send), 5)
    return client.sent[0]
