"""Slow, silent and malformed peers, and what one of them may ask again: each against a server."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import pytest

from strapline_protocol.opening import (
    Authenticate,
    Client,
    Error,
    Refresh,
    Request,
    Result,
    TokenExpiring,
)
from strapline_protocol.server_session import Deadlines
from strapline_protocol.watching import HealthDataUpdate, Subscribe, SyncStatusUpdate
from strapline_server.clock import wall_ms
from tests.integration.rights_kit import history, people, status_of
from tests.integration.server_kit import Peer, Run, connected, joined, serving, until


async def heard(peer: Peer, run: Run, bridge: Peer, value: int) -> list[HealthDataUpdate]:
    """What comes until a change that all viewers get."""
    peer.heard.clear()
    await run.publish(bridge, run.series([value], [run.next]))
    await run.publish(bridge, run.series([80], [run.next], metric="battery"))
    while True:
        update = await peer.expect(HealthDataUpdate)
        if update.metric == "battery":
            return [one for one in peer.heard if isinstance(one, HealthDataUpdate)]


async def test_a_later_subscription_replaces_the_earlier_and_a_refused_one_does_not(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with (
            joined(server, tokens["pi-ana"]) as bridge,
            joined(server, tokens["eye-ana"]) as eye,
        ):
            run = Run(wall_ms() - 500)
            await run.declare(bridge)
            await eye.subscribe()
            assert [one.metric for one in await heard(eye, run, bridge, 70)] == [
                "heart_rate",
                "battery",
            ]
            await eye.say(Subscribe(request="denied", users=["ana", "ben"]))
            error = await eye.expect(Error)
            assert (error.request, error.code) == ("denied", "notGranted")
            assert len(await heard(eye, run, bridge, 71)) == 2
            assert set((await eye.subscribe(metrics=["battery"])).snapshot) == {"ana"}
            assert [one.metric for one in await heard(eye, run, bridge, 72)] == ["battery"]
            assert (await eye.subscribe(users=[])).snapshot == {}
            assert not server._hub.is_watched("ana")


async def test_questions_beyond_the_bound_are_refused_and_the_others_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with joined(server, tokens["eye-ana"]) as eye:
            # Sent at once, so that the server has them all before it has answered one.
            for number in range(12):
                await eye.say(Request(request=str(number), method="history", params=history("ana")))
            answers = [await eye.hear() for _ in range(12)]
    refused = [one for one in answers if isinstance(one, Error)]
    assert {one.code for one in refused} <= {"tooMany"}
    answered = [one.request for one in answers if isinstance(one, Result)]
    assert len(answered) >= 8
    assert sorted([*answered, *(str(one.request) for one in refused)], key=int) == [
        str(number) for number in range(12)
    ]


async def test_what_a_newer_client_adds_is_passed_over(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with connected(server) as eye:
            client = {"name": "test", "version": "9", "platform": "x"}
            first = {"type": "AUTHENTICATE", "token": tokens["eye-ana"], "client": client, "new": 1}
            await eye.socket.send(json.dumps(first))
            while (await eye.hear()).model_dump().get("type") != "AUTHENTICATED":
                pass
            asked = {"type": "SUBSCRIBE", "request": "1", "depth": {"of": ["anything"]}}
            await eye.socket.send(json.dumps(asked))
            while (message := await eye.hear()).model_dump().get("type") != "SUBSCRIBED":
                assert not isinstance(message, Error)


MALFORMED = {
    "no object": "[]",
    "no type": "{}",
    "a number as type": '{"type": 1}',
    "not JSON": '{"type": "SUBSCRIBE", ',
    "two values": '{"type":"SUBSCRIBE","request":"1"} {}',
    "text for a number": '{"type":"SUBSCRIBE","request":"1","minIntervalMs":"5"}',
    "true for a number": '{"type":"SUBSCRIBE","request":"1","minIntervalMs":true}',
    "a number that is none": '{"type":"SUBSCRIBE","request":"1","minIntervalMs":NaN}',
    "beyond 2^53": '{"type":"SUBSCRIBE","request":"1","since":{"ana":["e",9007199254740992]}}',
    "no request": '{"type":"SUBSCRIBE"}',
    "a request of control characters": '{"type":"SUBSCRIBE","request":"\\u0000"}',
    "too many users": json.dumps(
        {"type": "SUBSCRIBE", "request": "1", "users": [f"u{n}" for n in range(1_001)]}
    ),
    "a user of another form": '{"type":"SUBSCRIBE","request":"1","users":["../ana"]}',
    "a second AUTHENTICATE": json.dumps(
        {"type": "AUTHENTICATE", "token": "x", "client": {"name": "x", "version": "1"}}
    ),
    "deep": '{"type":"REQUEST","request":"1","method":"history","params":'
    + '{"a":' * 3_000
    + "1"
    + "}" * 3_001,
}


@pytest.mark.parametrize("kind", MALFORMED)
async def test_a_malformed_message_closes_its_own_connection_alone(
    tmp_path: Path, kind: str
) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with (
            joined(server, tokens["eye-ana"]) as other,
            joined(server, tokens["eye-ana"]) as eye,
        ):
            await eye.socket.send(MALFORMED[kind])
            code, reason = await eye.ended()
            assert code == 4400
            assert reason
            assert server.counters.protocol_violations == 1
            await other.subscribe()


async def test_a_token_longer_than_any_is_refused_before_it_is_looked_at(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, connected(server) as peer:
        first = {
            "type": "AUTHENTICATE",
            "token": "x" * 16_385,
            "client": {"name": "x", "version": ""},
        }
        await peer.socket.send(json.dumps(first))
        assert (await peer.ended())[0] == 4400
        assert server.counters.authentications_refused == 0


async def test_a_bridge_that_falls_silent_is_cut_and_its_hop_is_offline(tmp_path: Path) -> None:
    async with serving(tmp_path, deadlines=Deadlines(heartbeat_ms=200)) as server:
        tokens = await people(server)
        # A library that answers pings would be no silent peer.
        async with joined(server, tokens["eye-ana"]) as eye:
            await eye.subscribe()
            async with joined(server, tokens["pi-ana"]) as bridge:
                run = Run(wall_ms() - 500)
                await bridge.say(status_of(run))
                await until(lambda: bool(server._statuses.connected()), "it is here")
                bridge.socket.transport.pause_reading()
                await until(lambda: server.counters.silent_closed == 1, "it was cut")
                while True:
                    status = await eye.expect(SyncStatusUpdate)
                    if status.hops.bridges[0].state == "offline":
                        break
                bridge.socket.transport.resume_reading()
            await eye.subscribe()


async def test_what_ends_a_connection_is_counted_and_logged_without_a_token(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="strapline_server"):
        async with serving(tmp_path) as server:
            tokens = await people(server)
            short = await server.admin.issue_token("eye-short", "viewer", "all", 1)
            async with joined(server, short) as idle, joined(server, tokens["eye-ben"]) as eye:
                assert (await idle.ended())[0] == 4401
                await server.admin.revoke("eye-ben")
                assert (await eye.ended())[0] == 4403
            assert (server.counters.tokens_expired, server.counters.rights_taken) == (1, 1)
    assert "a connection of eye-ben is closed" in caplog.text
    assert "eyJ" not in caplog.text


async def test_a_refused_renewal_ends_the_session_and_a_kept_one_goes_on(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await people(server)
        token = await server.admin.issue_token("eye-short", "viewer", "all", 2)
        async with joined(server, token) as one, joined(server, token) as other:
            expiring = await one.expect(TokenExpiring)
            assert expiring.token is not None
            await one.say(Refresh(token=expiring.token[:-4] + "AAAA"))
            assert (await one.ended())[0] == 4401
            await other.say(Refresh(token=(await other.expect(TokenExpiring)).token or ""))
            await other.subscribe()


async def test_a_client_that_leaves_while_it_is_verified_costs_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        for _ in range(5):
            async with connected(server) as peer:
                await peer.say(
                    Authenticate(token=tokens["eye-ana"], client=Client(name="x", version="0"))
                )
                peer.socket.transport.abort()
        await until(lambda: server.counters.connections == 0, "all are gone")
        await asyncio.sleep(0)
        assert server._members == {}
        assert server.counters.unauthenticated == 0
