"""A viewer that comes back: each change once, or a reset; and history in pages."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from strapline_protocol.asking import HistoryPage
from strapline_protocol.base import WireModel
from strapline_protocol.closing import CloseCode
from strapline_protocol.codec import encode, result_of
from strapline_protocol.opening import Client, Error, GoingAway, Request, Result
from strapline_protocol.positions import Positions
from strapline_protocol.publishing import Lane
from strapline_protocol.viewer_session import ViewerSession
from strapline_protocol.watching import (
    HealthDataUpdate,
    HeartRateData,
    HistoryChanged,
    Subscribe,
    Subscribed,
)
from strapline_server import Server
from strapline_server.clock import wall_ms
from strapline_server.store import View
from strapline_server.store.store import LOG_MS
from tests.integration.server_kit import Peer, Run, joined, serving


async def tokens(server: Server) -> tuple[str, str]:
    await server.admin.add_user("ana", "Ana", "UTC")
    bridge = await server.admin.issue_token("pi", "bridge", ["ana"], 600)
    return bridge, await server.admin.issue_token("eye", "viewer", ["ana"], 600)


async def beat(bridge: Peer, run: Run, value: int) -> None:
    """One live reading of this moment."""
    await run.publish(bridge, run.series([value], [wall_ms() - run.began_ms]))


async def updates(eye: Peer, count: int) -> list[HealthDataUpdate]:
    return [await eye.expect(HealthDataUpdate) for _ in range(count)]


async def test_a_viewer_that_resumes_gets_each_missed_change_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        bridge_token, viewer_token = await tokens(server)
        async with joined(server, bridge_token) as bridge:
            run = Run(wall_ms() - 1_000)
            await run.declare(bridge)
            async with joined(server, viewer_token) as eye:
                await eye.subscribe()
                await beat(bridge, run, 70)
                held = (await updates(eye, 1))[0].position
            for value in (71, 72, 73):
                await beat(bridge, run, value)
            async with joined(server, viewer_token) as eye:
                snapshot = (await eye.subscribe(since={"ana": held})).snapshot["ana"]
                assert (snapshot.reset, snapshot.state) == (False, None)
                await beat(bridge, run, 74)
                missed = await updates(eye, 4)
                assert [one.series.value for one in missed] == [[71], [72], [73], [74]]
                assert [one.position[1] for one in missed] == [2, 3, 4, 5]
                assert [one.previous[1] for one in missed] == [1, 2, 3, 4]


@pytest.mark.parametrize("since", ["another-epoch", "ahead"])
async def test_a_position_that_is_not_ours_is_a_reset(tmp_path: Path, since: str) -> None:
    async with serving(tmp_path) as server:
        bridge_token, viewer_token = await tokens(server)
        async with joined(server, bridge_token) as bridge, joined(server, viewer_token) as eye:
            run = Run(wall_ms() - 1_000)
            await run.declare(bridge)
            await beat(bridge, run, 70)
            epoch = eye.hello.epoch
            position = ("older", 1) if since == "another-epoch" else (epoch, 99)
            snapshot = (await eye.subscribe(since={"ana": position})).snapshot["ana"]
            assert snapshot.reset
            assert snapshot.state is not None
            assert snapshot.position == (epoch, 1)


async def test_a_position_further_back_than_the_log_is_a_reset(tmp_path: Path) -> None:
    now = wall_ms()
    async with serving(tmp_path, clock=lambda: now) as server:
        bridge_token, viewer_token = await tokens(server)
        async with joined(server, bridge_token) as bridge, joined(server, viewer_token) as eye:
            run = Run(now - 1_000)
            await run.declare(bridge)
            await run.publish(bridge, run.series([70], [0]))
            await run.publish(bridge, run.series([71], [10]))
            now += LOG_MS + 60_000
            await run.publish(bridge, run.series([72], [LOG_MS + 60_000]))
            epoch = eye.hello.epoch
            back = await eye.subscribe(since={"ana": (epoch, 1)})
            assert back.snapshot["ana"].reset
            near = await eye.subscribe(since={"ana": (epoch, 2)})
            assert not near.snapshot["ana"].reset
            (update,) = await updates(eye, 1)
            assert update.series.value == [72]


async def test_a_server_that_starts_again_goes_on_in_the_same_epoch(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        bridge_token, viewer_token = await tokens(server)
        run = Run(wall_ms() - 1_000)
        async with joined(server, bridge_token) as bridge:
            await run.declare(bridge)
            await beat(bridge, run, 70)
        async with joined(server, viewer_token) as eye:
            hello = eye.hello
            held = (await eye.subscribe()).snapshot["ana"].position
    async with serving(tmp_path) as server:
        async with joined(server, bridge_token) as bridge, joined(server, viewer_token) as eye:
            assert (eye.hello.store, eye.hello.epoch) == (hello.store, hello.epoch)
            assert not (await eye.subscribe(since={"ana": held})).snapshot["ana"].reset
            assert (await run.declare(bridge)).ranges == [(0, 0)]
            await beat(bridge, run, 71)
            assert (await updates(eye, 1))[0].position == (hello.epoch, 2)


async def test_subscribing_in_the_middle_of_a_stream_has_no_hole_and_no_double(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as server:
        bridge_token, viewer_token = await tokens(server)
        async with joined(server, bridge_token) as bridge, joined(server, viewer_token) as eye:
            run = Run(wall_ms() - 1_000)
            await run.declare(bridge)
            done = asyncio.Event()

            async def beating() -> None:
                for value in range(300):
                    await beat(bridge, run, 60 + value % 100)
                done.set()

            task = asyncio.create_task(beating())
            session = ViewerSession(0, Client(name="t", version="0"), Positions())
            session.receive(encode(eye.hello), 0)
            session.authenticate("x")
            session.receive(encode(eye.heard[0]), 0)
            seen: dict[int, int] = {}
            position = 0
            while position < 300 or not done.is_set():
                if len(seen) % 7 == 0:
                    frame = session.subscribe(f"r{len(seen)}")
                    await eye.socket.send(frame.decode())
                    seen[-len(seen) - 1] = 0
                message = await eye.hear()
                for event in session.receive(encode(message), 0):
                    assert isinstance(event, WireModel), f"a hole: {event}"
                    if isinstance(event, HealthDataUpdate):
                        position = event.position[1]
                        assert position not in seen
                        seen[position] = 1
                    elif isinstance(event, Subscribed):
                        position = event.snapshot["ana"].position[1]
                if position == 300:
                    break
            await task
            assert position == 300


async def test_what_is_committed_while_a_snapshot_is_read_follows_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path) as server:
        bridge_token, viewer_token = await tokens(server)
        async with joined(server, bridge_token) as bridge, joined(server, viewer_token) as eye:
            run = Run(wall_ms() - 1_000)
            await run.declare(bridge)
            read = server._store.view

            async def slow_view(*asked: Any) -> View:
                # One is committed and handed out before the snapshot, one after it.
                await beat(bridge, run, 71)
                view = await read(*asked)
                await beat(bridge, run, 72)
                return view

            monkeypatch.setattr(server._store, "view", slow_view)
            subscribed = await eye.subscribe()
            state = subscribed.snapshot["ana"].state
            assert state is not None
            assert isinstance(state["heart_rate"], HeartRateData)
            assert state["heart_rate"].current == 71
            assert subscribed.snapshot["ana"].position[1] == 1
            await beat(bridge, run, 73)
            assert [one.series.value for one in await updates(eye, 2)] == [[72], [73]]
            # The same in a resume: the first is in the replay, and only there.
            held = (eye.hello.epoch, 3)
            await eye.subscribe(since={"ana": held})
            await beat(bridge, run, 74)
            later = await updates(eye, 3)
            assert [one.position[1] for one in later] == [4, 5, 6]


async def test_backfill_is_announced_and_not_pushed(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        bridge_token, viewer_token = await tokens(server)
        async with joined(server, bridge_token) as bridge, joined(server, viewer_token) as eye:
            await eye.subscribe()
            began = wall_ms() - 3_600_000
            run = Run(began)
            await run.declare(bridge)
            old = run.series([60, 62], [0, 1_000])
            mixed = run.series([64, 70], [2_000, 3_600_000 - 200])
            await run.publish(bridge, old, mixed, lane=Lane.BACKLOG)
            changed = await eye.expect(HistoryChanged)
            assert (changed.from_ms, changed.to_ms) == (began, began + 2_001)
            assert (changed.count, changed.why) == (3, "backfilled")
            update = await eye.expect(HealthDataUpdate)
            assert update.series.value == [70]
            assert (changed.position[1], update.position[1]) == (1, 2)
            assert update.previous == changed.position
            assert isinstance(update.data, HeartRateData)
            assert update.data.current == 70
            # Backfill changes the day's sums in the same state.
            assert update.data.min in {60, 70}


async def test_a_corrected_time_moves_the_readings_and_says_so(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        bridge_token, viewer_token = await tokens(server)
        async with joined(server, bridge_token) as bridge, joined(server, viewer_token) as eye:
            now = wall_ms()
            run = Run(now - 1_000)
            # The clock was not set: 1970.
            await run.declare(bridge, began_ms=5_000)
            await run.publish(bridge, run.series([70, 71], [0, 500]))
            await eye.subscribe()
            answer = await run.declare(bridge, version=2)
            assert (answer.ranges, answer.zero_version) == ([(0, 1)], 2)
            changed = await eye.expect(HistoryChanged)
            assert (changed.from_ms, changed.to_ms) == (5_000, now - 500 + 1)
            assert (changed.count, changed.why) == (2, "rebased")
            assert isinstance(changed.data, HeartRateData)
            assert changed.data.last is not None
            assert changed.data.last.at_ms == now - 500
            # An older idea, and another of the same version, change nothing.
            assert (await run.declare(bridge, version=1, began_ms=1)).zero_version == 2
            assert (await run.declare(bridge, version=2, began_ms=1)).zero_version == 2
            page = await history(eye, fromMs=now - 2_000, toMs=now)
            assert [one.at() for one in page.series] == [[now - 1_000, now - 500]]


def cursor_of(at_ms: int, stream: str, number: int) -> str:
    text = json.dumps([at_ms, stream, number]).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


async def history(eye: Peer, **params: JsonValue) -> HistoryPage:
    asked: dict[str, JsonValue] = {"user": "ana", "metric": "heart_rate", **params}
    await eye.say(Request(request="h", method="history", params=asked))
    page = result_of("history", (await eye.expect(Result)).result)
    assert isinstance(page, HistoryPage)
    return page


async def test_history_comes_in_bounded_pages_in_order_of_time(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        bridge_token, viewer_token = await tokens(server)
        async with joined(server, bridge_token) as bridge, joined(server, viewer_token) as eye:
            began = wall_ms() - 7_200_000
            run = Run(began)
            await run.declare(bridge)
            late = [
                run.series(range(60, 160), range(i * 100_000, (i + 1) * 100_000, 1_000))
                for i in range(20)
            ]
            # Out of order, as two lanes bring them.
            for series in [*late[1::2], *late[::2]]:
                await run.publish(bridge, series, lane=Lane.BACKLOG)
            found: list[int] = []
            cursor: str | None = None
            pages = 0
            while True:
                more: dict[str, JsonValue] = {} if cursor is None else {"after": cursor}
                page = await history(eye, fromMs=began, toMs=began + 1_500_000, limit=400, **more)
                times = [at for series in page.series for at in series.at()]
                assert len(times) <= 400
                assert not found or min(times) > found[-1]
                found += sorted(times)
                pages += 1
                cursor = page.next
                if cursor is None:
                    break
            assert found == list(range(began, began + 1_500_000, 1_000))
            assert pages == 4


@pytest.mark.parametrize(
    "params",
    [
        {"after": "bm9uZQ"},
        {"after": "W10"},
        {"after": "WzEsMiwzXQ"},
        {"after": "!"},
        {"limit": 0},
        {"limit": 10_001},
        {"fromMs": -1},
        {"user": "ana' OR 1=1"},
        {"metric": "Heart Rate"},
        *({"after": cursor_of(huge, "s", 1)} for huge in (2**53, -(2**70), 10**200)),
        {"after": cursor_of(1, "s", 2**64)},
    ],
    ids=str,
)
async def test_a_question_that_makes_no_sense_is_answered_so(
    tmp_path: Path, params: dict[str, JsonValue]
) -> None:
    async with serving(tmp_path) as server:
        _, viewer_token = await tokens(server)
        async with joined(server, viewer_token) as eye:
            asked = {"user": "ana", "metric": "heart_rate", "fromMs": 0, "toMs": 1, **params}
            await eye.say(Request(request="h", method="history", params=asked))
            assert (await eye.expect(Error)).code == "badRequest"
            await eye.say(Request(request="h", method="dance"))
            assert (await eye.expect(Error)).code == "unknownMethod"
            await eye.subscribe()


async def test_a_stop_gives_each_client_its_own_moment(tmp_path: Path) -> None:
    running = AsyncExitStack()
    server = await running.enter_async_context(serving(tmp_path))
    bridge_token, viewer_token = await tokens(server)
    async with joined(server, bridge_token) as bridge, joined(server, viewer_token) as eye:
        stopping = asyncio.create_task(running.aclose())
        for peer in (bridge, eye):
            moment = await peer.expect(GoingAway)
            assert 0 <= moment.reconnect_after_ms < 5_000
            assert (await peer.ended())[0] == CloseCode.RESTART
        await stopping


async def test_a_subscription_by_metric_and_interval(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        bridge_token, viewer_token = await tokens(server)
        async with joined(server, bridge_token) as bridge, joined(server, viewer_token) as eye:
            run = Run(wall_ms() - 60_000)
            await run.declare(bridge)
            await eye.say(Subscribe(request="1", metrics=["heart_rate"], min_interval_ms=400))
            await eye.expect(Subscribed)
            for value in range(70, 80):
                await beat(bridge, run, value)
                series = run.series([value], [50_000 + value], "steps", counter=("c", 0))
                await run.publish(bridge, series)
            first = await eye.expect(HealthDataUpdate)
            while first.series.value != [79]:
                later = await eye.expect(HealthDataUpdate)
                assert later.conflated > 0 or later.previous == first.position
                first = later
            assert not [one for one in eye.heard if getattr(one, "metric", "") == "steps"]
