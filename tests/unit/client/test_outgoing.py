"""What waits to be sent."""

import asyncio
import json
from typing import Any

import pytest

from strapline_client.outgoing import Outgoing, frame_of


async def test_it_is_first_in_first_out_and_its_reader_waits() -> None:
    outgoing = Outgoing()
    waiting = asyncio.create_task(outgoing.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    outgoing.push(b"1")
    outgoing.push(b"2")
    assert [await waiting, await outgoing.next()] == [b"1", b"2"]
    assert len(outgoing) == 0


async def test_when_full_the_oldest_gives_way() -> None:
    outgoing = Outgoing(bound=2)
    for frame in (b"1", b"2", b"3"):
        outgoing.push(frame)
    assert (len(outgoing), outgoing.dropped) == (2, 1)
    assert await outgoing.next() == b"2"


async def test_what_could_not_be_sent_is_the_oldest_again_or_counted() -> None:
    outgoing = Outgoing(bound=2)
    for frame in (b"1", b"2"):
        outgoing.push(frame)
    oldest = await outgoing.next()
    outgoing.put_back(oldest)
    assert (await outgoing.next(), len(outgoing)) == (b"1", 1)
    outgoing.push(b"3")
    outgoing.put_back(oldest)
    assert (len(outgoing), outgoing.dropped) == (2, 1)
    assert await outgoing.next() == b"2"


def test_the_original_sample_and_what_a_newer_server_may_know() -> None:
    asked = json.loads(frame_of("SYNC_STATUS_UPDATE", {"status": "syncing"}))
    assert asked == {"type": "SYNC_STATUS_UPDATE", "status": "syncing"}
    assert json.loads(frame_of("FUTURE", {"x": 1})) == {"type": "FUTURE", "x": 1}


@pytest.mark.parametrize(
    ("kind", "payload", "why"),
    [
        ("SYNC_STATUS_UPDATE", {"status": "offline"}, "status"),
        ("SYNC_STATUS_UPDATE", {}, "status"),
        ("SUBSCRIBE", {"request": "r"}, "by itself"),
        ("REFRESH", {"token": "secret"}, "by itself"),
        ("small", {}, "capitals"),
        ("FUTURE", {"x": float("nan")}, "JSON"),
        ("FUTURE", {"x": "y" * 2**18}, "over"),
    ],
)
def test_what_would_close_or_confuse_the_session_is_not_sent(
    kind: str, payload: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        frame_of(kind, payload)
    assert "secret" not in str(refused.value)
