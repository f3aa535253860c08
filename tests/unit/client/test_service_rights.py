"""Rights that change while a session stands."""

from __future__ import annotations

import pytest
from websockets.exceptions import ConnectionClosed

from strapline_client import WebSocketService
from strapline_protocol.watching import SubscriptionChanged
from tests.unit.client.scripted import Peer, scripted
from tests.unit.client.test_service import numbered, take


@pytest.mark.parametrize("told", [[True, None], [True, None, False, None]], ids=str)
async def test_whether_it_may_mark_is_what_was_told_last(told: list[bool | None]) -> None:
    async def play(peer: Peer) -> None:
        await peer.open()
        await peer.subscribe(3)
        for may_mark in told:
            await peer.say(SubscriptionChanged(added=[], removed=[], may_mark=may_mark))
        await peer.say(numbered(4, 3))
        with pytest.raises(ConnectionClosed):
            await peer.hear()

    async with scripted(play) as server, WebSocketService(server.url, "t") as service:
        assert await take(service, 1) == [4]
        assert service.session is not None
        assert service.session.may_mark is (False not in told)
