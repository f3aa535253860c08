"""The thin line through the server: connect, publish, acknowledge, subscribe, update, history."""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue

from strapline_protocol.asking import HistoryPage
from strapline_protocol.codec import result_of
from strapline_protocol.opening import Request, Result
from strapline_protocol.watching import HealthDataUpdate, HeartRateData
from strapline_server.clock import wall_ms
from tests.integration.server_kit import Run, joined, serving


async def test_a_reading_goes_from_a_bridge_to_a_viewer(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await server.admin.add_user("ana", "Ana", "Europe/Vienna")
        bridge_token = await server.admin.issue_token("pi", "bridge", ["ana"], 3_600)
        viewer_token = await server.admin.issue_token("coach", "viewer", "all", 3_600)
        async with joined(server, bridge_token) as bridge, joined(server, viewer_token) as viewer:
            empty = await viewer.subscribe()
            assert empty.snapshot["ana"].reset
            assert empty.snapshot["ana"].state == {}

            run = Run(wall_ms() - 1_000)
            assert (await run.declare(bridge)).ranges == []
            acknowledged = await run.publish(bridge, run.series([72], [900]))
            assert acknowledged.ranges == [(0, 0)]

            update = await viewer.expect(HealthDataUpdate)
            assert update.position == (viewer.hello.epoch, 1)
            assert update.previous == (viewer.hello.epoch, 0)
            assert isinstance(update.data, HeartRateData)
            assert (update.data.current, update.data.average) == (72, 72)
            assert update.series.at() == [run.began_ms + 900]

            again = await viewer.subscribe()
            state = again.snapshot["ana"].state
            assert state is not None
            assert state["heart_rate"] == update.data

            params: dict[str, JsonValue] = {
                "user": "ana",
                "metric": "heart_rate",
                "fromMs": run.began_ms,
                "toMs": run.began_ms + 10_000,
            }
            await viewer.say(Request(request="h", method="history", params=params))
            answer = await viewer.expect(Result)
            page = result_of("history", answer.result)
            assert isinstance(page, HistoryPage)
            assert [one.value for one in page.series] == [[72]]
            assert page.next is None
