"""What a refused token does to a service that has nobody to ask for another."""

from __future__ import annotations

import pytest

from strapline_client import (
    ConnectionStatus,
    Reason,
    StoppedError,
    WebSocketEventType,
    WebSocketService,
)
from strapline_protocol.closing import CloseCode
from strapline_protocol.opening import TokenExpiring
from tests.unit.client.scripted import Peer, scripted


async def test_a_refused_token_of_the_programs_own_ends_it_and_says_what_to_do() -> None:
    async def first(peer: Peer) -> None:
        await peer.open()
        await peer.subscribe(3)
        await peer.close(CloseCode.UNAUTHENTICATED, "token: expired")

    async def second(peer: Peer) -> None:
        await peer.open()
        await peer.subscribe(3)
        await peer.until_left()

    async with scripted(first, second) as server, WebSocketService(server.url, "t") as service:
        with pytest.raises(StoppedError, match=r"\(4401\): token: expired\. Get a new token"):
            async for _ in service.updates():
                pass
        assert service.connection.status is ConnectionStatus.STOPPED
        assert service.connection.why is Reason.LINK_ENDED
        assert service.users == {}
        # Somebody has brought another one: it goes on as if it had begun with it.
        service.configure(token="another")  # of a test
        async for update in service.updates():
            if update.type is WebSocketEventType.SUBSCRIBED:
                break
        assert service.connections == 2


async def test_a_token_that_was_issued_meanwhile_is_tried_before_it_ends() -> None:
    tried: list[str] = []

    async def first(peer: Peer) -> None:
        tried.append((await peer.open()).token)
        await peer.subscribe(3)
        await peer.say(TokenExpiring(expires_at=1, token="issued"))  # of a test
        await peer.close(CloseCode.UNAUTHENTICATED, "token: expired")

    async def second(peer: Peer) -> None:
        tried.append((await peer.open()).token)
        await peer.close(CloseCode.UNAUTHENTICATED, "token: expired")

    async with scripted(first, second) as server, WebSocketService(server.url, "t") as service:
        with pytest.raises(StoppedError):
            async for _ in service.updates():
                pass
    assert tried == ["t", "issued"]
