"""Gaps by REQUEST on a real socket: who may ask, and what the bridges' status adds."""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue

from strapline_protocol.asking import GapsPage
from strapline_protocol.base import WireModel
from strapline_protocol.codec import result_of
from strapline_protocol.opening import Error, ErrorCode, Request, Result
from strapline_protocol.publishing import (
    ClockSource,
    ClockStatus,
    DeviceState,
    DeviceStatus,
    Dropped,
    Moment,
    Status,
)
from strapline_protocol.watching import HistoryChanged, Subscribe, Subscribed, SyncStatusUpdate
from strapline_server.clock import wall_ms
from tests.integration.server_kit import Peer, Run, joined, serving

MINUTE = 60_000


async def ask(peer: Peer, method: str, **params: JsonValue) -> WireModel:
    await peer.say(Request(request="q", method=method, params=params))
    while not isinstance(answer := await peer.hear(), (Result, Error)):
        pass
    return result_of(method, answer.result) if isinstance(answer, Result) else answer


async def gaps(peer: Peer, **params: JsonValue) -> GapsPage:
    found = await ask(peer, "gaps", **{"user": "ana", "fromMs": 0, "toMs": 2**52, **params})
    assert isinstance(found, GapsPage)
    return found


def status(run: Run) -> Status:
    device = DeviceStatus(
        device="strap-1",
        user="ana",
        name="Strap",
        state=DeviceState.SEARCHING,
        state_age_ms=0,
        complete_through=Moment(stream=run.id, elapsed_ms=60_000),
    )
    clock = ClockStatus(source=ClockSource.SYSTEM, uncertainty_ms=1)
    return Status(devices=[device], pending=0, oldest_pending_ms=0, clock=clock)


async def test_a_viewer_asks_why_and_hears_when_to_ask_again(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await server.admin.add_user("ana")
        bridge_token = await server.admin.issue_token("pi", "bridge", ["ana"])
        viewer_token = await server.admin.issue_token("eye", "viewer", ["ana"])
        async with joined(server, bridge_token) as bridge, joined(server, viewer_token) as eye:
            run = Run(wall_ms() - 10 * MINUTE)
            await run.declare(bridge)
            first = run.series([60] * 3, [0, 1_000, 2_000])
            await run.publish(bridge, first)
            run.series([60] * 5, range(3_000, 8_000, 1_000))
            await run.publish(bridge, run.series([60], [60_000]))
            await eye.say(Subscribe(request="s"))
            await eye.expect(Subscribed)
            found = await gaps(eye)
            assert [gap.cause for gap in found.gaps] == ["pending", "pending"]
            assert [gap.evidence for gap in found.gaps] == ["announced", "unheard"]
            assert found.complete_through_ms is None
            await bridge.say(Dropped(stream=run.id, ranges=[(3, 7)], reason="full"))
            while not isinstance(told := await eye.hear(), HistoryChanged):
                pass
            assert (told.metric, told.count) == ("gap", 5)
            assert (told.from_ms, told.to_ms) == (found.gaps[0].from_ms, found.gaps[0].to_ms)
            await bridge.say(status(run))
            while not (
                isinstance(heard := await eye.hear(), SyncStatusUpdate) and heard.hops.devices
            ):
                pass
            found = await gaps(eye, device="strap-1")
            dropped, silent = found.gaps[:2]
            assert (dropped.cause, dropped.evidence, dropped.count) == ("dropped", "full", 5)
            assert (silent.cause, silent.evidence) == ("silent", None)
            assert found.complete_through_ms == silent.from_ms
            assert found.gaps[-1].lasts


async def test_each_role_asks_its_own_methods(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await server.admin.add_user("ana")
        token = await server.admin.issue_token("eye", "viewer", ["ana"])
        async with joined(server, token) as eye:
            for method in ("accounts", "digests"):
                refused = await ask(eye, method, stream="A" * 22)
                assert isinstance(refused, Error)
                assert refused.code == ErrorCode.NOT_ALLOWED
            assert server.counters.requests_denied == 2
            for params, code in (
                ({"user": "ben"}, ErrorCode.NOT_GRANTED),
                ({"metric": "mark"}, ErrorCode.BAD_REQUEST),
                ({"after": "AAAA"}, ErrorCode.BAD_REQUEST),
                ({"limit": 0}, ErrorCode.BAD_REQUEST),
            ):
                asked: dict[str, JsonValue] = {"user": "ana", "fromMs": 0, "toMs": 1}
                wrong = await ask(eye, "gaps", **{**asked, **params})
                assert isinstance(wrong, Error)
                assert wrong.code == code
            assert (await gaps(eye)).gaps == []
