"""Several bridges and devices of one wearer on real sockets: one is shown, nothing counts twice."""

from __future__ import annotations

import secrets
from pathlib import Path

from pydantic import JsonValue

from strapline_protocol.asking import HistoryPage
from strapline_protocol.base import WireModel
from strapline_protocol.codec import result_of
from strapline_protocol.opening import Request, Result
from strapline_protocol.publishing import DeviceState, DeviceStatus
from strapline_protocol.watching import (
    HealthDataUpdate,
    HeartRateData,
    HistoryChange,
    HistoryChanged,
)
from strapline_server.clock import wall_ms
from tests.integration.rights_kit import people, status_of
from tests.integration.server_kit import Peer, Run, joined, serving, until

MINUTE = 60_000


class Clock:
    """The server's, set by hand; it begins with a minute."""

    def __init__(self) -> None:
        self.now_ms = wall_ms() // MINUTE * MINUTE

    def __call__(self) -> int:
        return self.now_ms


async def next_change(viewer: Peer) -> HealthDataUpdate | HistoryChanged:
    while True:
        message = await viewer.hear()
        if isinstance(message, (HealthDataUpdate, HistoryChanged)):
            return message


async def minutes(viewer: Peer, clock: Clock) -> tuple[list[int], list[float]]:
    """How many readings counted in each minute, and their average."""
    params: dict[str, JsonValue] = {"user": "ana", "metric": "heart_rate", "resolution": "minute"}
    params |= {"fromMs": clock.now_ms - 10 * MINUTE, "toMs": clock.now_ms + MINUTE}
    await viewer.say(Request(request=secrets.token_urlsafe(6), method="history", params=params))
    page: WireModel = result_of("history", (await viewer.expect(Result)).result)
    assert isinstance(page, HistoryPage)
    counts = [count for one in page.stretches for count in one.count]
    averages = [one for stretch in page.stretches for one in stretch.average or []]
    return counts, averages


async def test_a_strap_that_two_bridges_hear_is_shown_once_and_never_missed(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with serving(tmp_path, clock=clock) as server:
        tokens = await people(server)
        second = await server.admin.issue_token("pi-2", "bridge", ["ana"], 600)
        async with (
            joined(server, tokens["pi-ana"]) as one,
            joined(server, second) as other,
            joined(server, tokens["eye-ana"]) as viewer,
        ):
            near, far = (Run(clock.now_ms, device=name) for name in ("near", "far"))
            await near.declare(one)
            await far.declare(other)
            await viewer.subscribe()

            async def take(run: Run, bridge: Peer, bpm: int) -> HealthDataUpdate | HistoryChanged:
                elapsed = clock.now_ms - run.began_ms
                await run.publish(bridge, run.series([bpm], [elapsed]))
                return await next_change(viewer)

            for bpm in (60, 61, 62):
                assert isinstance(await take(near, one, bpm), HealthDataUpdate)
                told = await take(far, other, bpm)
                assert isinstance(told, HistoryChanged)
                assert (told.why, told.count) == (HistoryChange.OTHER_SOURCE, 1)
                clock.now_ms += 1_000
            # The near bridge is lost; for 4.9 s the other is history, from 5.1 s on the present.
            clock.now_ms += 3_900
            assert isinstance(await take(far, other, 70), HistoryChanged)
            clock.now_ms += 200
            update = await take(far, other, 71)
            assert isinstance(update, HealthDataUpdate)
            assert isinstance(update.data, HeartRateData)
            assert (update.data.current, update.data.average) == (71, 61)
            # In the next minute it is alone, and all that it has counts.
            clock.now_ms = clock.now_ms // MINUTE * MINUTE + MINUTE
            await take(far, other, 80)
            assert await minutes(viewer, clock) == ([3, 1], [61, 80])
            # What the first kept for later comes, and takes its minutes back.
            elapsed = clock.now_ms - near.began_ms
            await near.publish(one, near.series([90], [elapsed]))
            update = await next_change(viewer)
            assert isinstance(update, HealthDataUpdate)
            assert isinstance(update.data, HeartRateData)
            assert (update.data.current, update.data.average) == (90, 68.2)
            assert await minutes(viewer, clock) == ([3, 1], [61, 90])


async def test_a_watch_that_speaks_on_change_is_shown_while_its_hop_stands(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with serving(tmp_path, clock=clock) as server:
        tokens = await people(server)
        second = await server.admin.issue_token("pi-2", "bridge", ["ana"], 600)
        async with (
            joined(server, tokens["pi-ana"]) as one,
            joined(server, second) as other,
            joined(server, tokens["eye-ana"]) as viewer,
        ):
            watch, strap = (Run(clock.now_ms, device=name) for name in ("watch-1", "strap-1"))
            await watch.declare(one)
            await strap.declare(other)
            await viewer.subscribe()
            await watch.publish(one, watch.series([50], [0], on_change=True))
            await next_change(viewer)

            async def hop(state: DeviceState) -> None:
                told = DeviceStatus(
                    device="watch-1", user="ana", name="Watch", state=state, state_age_ms=0
                )
                await one.say(status_of(watch, devices=[told]))
                stands = state is DeviceState.CONNECTED
                hops = server._statuses.hop
                await until(lambda: hops("ana", "watch-1") is stands, "the hop is known")

            await hop(DeviceState.CONNECTED)
            clock.now_ms += 10 * MINUTE
            await strap.publish(other, strap.series([90], [10 * MINUTE]))
            told = await next_change(viewer)
            assert isinstance(told, HistoryChanged)
            assert isinstance(told.data, HeartRateData)
            assert (told.data.current, told.data.on_change) == (50, True)
            await hop(DeviceState.SEARCHING)
            await strap.publish(other, strap.series([91], [10 * MINUTE]))
            told = await next_change(viewer)
            assert isinstance(told, HealthDataUpdate)
            assert isinstance(told.data, HeartRateData)
            assert told.data.current == 91
