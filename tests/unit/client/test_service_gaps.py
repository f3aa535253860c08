"""A service asks what is missing, and why: for a session, over a lost one, and of any page."""

from __future__ import annotations

import asyncio

import pytest

from strapline_client import Gap, GapCause, GapsPage, WebSocketService
from strapline_protocol.codec import encode_result
from tests.unit.client.played import World, settle
from tests.unit.client.test_service import made, opened


def a_page(after: str | None, *gaps: Gap) -> GapsPage:
    return GapsPage(
        user="maren",
        metric="heart_rate",
        gaps=list(gaps),
        complete_through_ms=None,
        position=("e", 1),
        next=after,
    )


async def read(service: WebSocketService) -> list[Gap]:
    pages = service.gaps("maren", from_ms=0, to_ms=9, limit=1)
    return [gap async for page in pages for gap in page.gaps]


async def test_gaps_go_on_over_a_lost_connection_from_where_they_were() -> None:
    world = World()
    first = Gap(from_ms=1, to_ms=3, cause=GapCause.NOT_WORN, evidence="contact", device="strap")
    last = Gap(from_ms=5, to_ms=9, cause=GapCause.PENDING, lasts=True)
    async with made(world) as service:
        reading = asyncio.create_task(read(service))
        await settle()
        await opened(world.sockets[0], snapshot={})
        asked = world.sockets[0].sent[-1]
        params = {"user": "maren", "metric": "heart_rate", "fromMs": 0, "toMs": 9, "limit": 1}
        assert (asked["method"], asked["params"]) == ("gaps", params)
        world.sockets[0].say(encode_result(asked["request"], a_page("c1", first)).decode())
        await settle()
        world.sockets[0].end(1006, "the cable")
        await settle()
        await world.time.passes(250)
        await opened(world.sockets[1], snapshot={})
        asked = world.sockets[1].sent[-1]
        assert asked["params"] == {**params, "after": "c1"}
        world.sockets[1].say(encode_result(asked["request"], a_page(None, last)).decode())
        assert await reading == [first, last]


def test_a_wrong_question_is_told_where_it_is_asked() -> None:
    service = made(World())
    with pytest.raises(ValueError, match="fromMs"):
        service.gaps("maren", from_ms=-1, to_ms=9)
    with pytest.raises(ValueError, match="limit"):
        service.gaps("maren", from_ms=0, to_ms=9, limit=1_001)
    with pytest.raises(ValueError, match="device"):
        service.gaps("maren", device="", from_ms=0, to_ms=9)
