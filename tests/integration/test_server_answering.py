"""A bridge asks about its own streams, beside what it sends."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import JsonValue

from strapline_protocol.asking import Accounts, Digests
from strapline_protocol.base import WireModel
from strapline_protocol.codec import result_of
from strapline_protocol.digest import digest
from strapline_protocol.opening import Error, ErrorCode, Request, Result
from strapline_protocol.publishing import Acknowledged, Lane
from strapline_server import Server
from strapline_server.clock import wall_ms
from tests.integration.server_kit import Peer, Run, joined, serving, stream_id


async def bridge_token(server: Server, name: str = "pi") -> str:
    await server.admin.add_user("ana")
    return await server.admin.issue_token(name, "bridge", ["ana"])


async def ask(peer: Peer, method: str, **params: JsonValue) -> WireModel:
    await peer.say(Request(request="q", method=method, params=params))
    while not isinstance(answer := await peer.hear(), (Result, Error)):
        pass
    return result_of(method, answer.result) if isinstance(answer, Result) else answer


async def test_accounts_and_digests_of_its_own(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        token = await bridge_token(server)
        async with joined(server, token) as bridge:
            run = Run(wall_ms() - 60_000)
            await run.declare(bridge)
            series = run.series([60, 61, 62], [0, 1_000, 2_000])
            await run.publish(bridge, series)
            accounts = await ask(bridge, "accounts", stream=run.id)
            assert isinstance(accounts, Accounts)
            assert (accounts.received, accounts.readings) == ([(0, 2)], 3)
            digests = await ask(bridge, "digests", stream=run.id, ranges=[[0, 2], [5, 9]])
            assert isinstance(digests, Digests)
            assert [one.count for one in digests.digests] == [3, 0]
            assert digests.digests[0].sha256 == digest([series])


async def test_nothing_is_told_of_the_streams_of_others(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        run = Run(wall_ms() - 60_000)
        async with joined(server, await bridge_token(server)) as bridge:
            await run.declare(bridge)
            await run.publish(bridge, run.series([60], [0]))
        async with joined(server, await bridge_token(server, "other")) as other:
            questions: list[tuple[str, dict[str, JsonValue]]] = [
                ("accounts", {}),
                ("digests", {"ranges": [[0, 1]]}),
            ]
            for method, more in questions:
                theirs = await ask(other, method, stream=run.id, **more)
                nobodys = await ask(other, method, stream=stream_id(), **more)
                assert theirs == nobodys
                assert isinstance(theirs, Error)
                assert theirs.code == ErrorCode.NOT_GRANTED
        assert server.counters.requests_denied == 4


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("history", {"user": "ana"}, ErrorCode.NOT_ALLOWED),
        ("gaps", {}, ErrorCode.NOT_ALLOWED),
        ("tea", {}, ErrorCode.UNKNOWN_METHOD),
        ("accounts", {"stream": "short"}, ErrorCode.BAD_REQUEST),
        ("digests", {"stream": "A" * 22, "ranges": [[0, 10_000]]}, ErrorCode.BAD_REQUEST),
    ],
)
async def test_what_is_wrong_is_said_and_the_next_is_answered(
    tmp_path: Path, method: str, params: dict[str, JsonValue], code: ErrorCode
) -> None:
    async with serving(tmp_path) as server:
        async with joined(server, await bridge_token(server)) as bridge:
            refused = await ask(bridge, method, **params)
            assert isinstance(refused, Error)
            assert refused.code == code
            run = Run(wall_ms())
            await run.declare(bridge)
            assert isinstance(await ask(bridge, "accounts", stream=run.id), Accounts)


async def test_readings_do_not_wait_for_questions(tmp_path: Path) -> None:
    """Eight digests of 10,000 numbers each are asked, and then a live reading is sent."""
    async with serving(tmp_path) as server:
        async with joined(server, await bridge_token(server)) as bridge:
            run = Run(wall_ms() - 3_600_000)
            await run.declare(bridge)
            for _ in range(6):
                begin = run.next
                times = [(begin + i) * 300 for i in range(2_000)]
                await run.publish(bridge, run.series([70] * 2_000, times), lane=Lane.BACKLOG)
            for index in range(8):
                ranges: JsonValue = [[0, 9_999]]
                params: dict[str, JsonValue] = {"stream": run.id, "ranges": ranges}
                await bridge.say(Request(request=f"q{index}", method="digests", params=params))
            await bridge.say(run.readings(run.series([71], [run.next * 300])))
            answered = 0
            while not isinstance(message := await bridge.hear(), Acknowledged):
                answered += isinstance(message, Result)
            assert answered < 8, "the reading waited for all the answers"
            while answered < 8:
                answered += isinstance(await bridge.hear(), Result)
