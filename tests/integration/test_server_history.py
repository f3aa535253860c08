"""History by REQUEST on a real socket: each resolution, its pages, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import accumulate
from pathlib import Path

import pytest
from pydantic import JsonValue

from strapline_protocol.asking import HistoryPage, Resolution
from strapline_protocol.codec import result_of
from strapline_protocol.opening import Error, Request, Result
from strapline_protocol.publishing import Lane
from tests.integration.server_kit import Peer, Run, joined, serving

HOUR = 3_600_000
#: Sunday, 25 October 2026, 0:00 in Vienna: a day of 25 hours.
MIDNIGHT = 1_792_879_200_000


@asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[tuple[Peer, Run]]:
    """Somebody who may ask about Ana, of whom this run has measured some hours."""
    async with serving(folder) as server:
        await server.admin.add_user("ana", "Ana", "Europe/Vienna")
        await server.admin.add_user("ben", "Ben", "UTC")
        bridge_token = await server.admin.issue_token("pi", "bridge", ["ana"], 600)
        viewer_token = await server.admin.issue_token("eye", "viewer", ["ana"], 600)
        async with joined(server, bridge_token) as bridge, joined(server, viewer_token) as eye:
            run = Run(MIDNIGHT - HOUR)
            await run.declare(bridge)
            times = range(0, 27 * HOUR, HOUR // 2)
            await run.publish(
                bridge,
                run.series([60 + at // HOUR for at in times], times),
                run.series([at // HOUR * 100 for at in times], times, "steps", counter=("c", 0)),
                run.series([90, 80], [0, HOUR], "battery"),
                lane=Lane.BACKLOG,
            )
            yield eye, run


async def ask(eye: Peer, **params: JsonValue) -> HistoryPage | Error:
    asked: dict[str, JsonValue] = {"user": "ana", "metric": "heart_rate", "fromMs": 0}
    asked |= {"toMs": MIDNIGHT + 100 * HOUR, **params}
    await eye.say(Request(request="h", method="history", params=asked))
    while True:
        answer = await eye.hear()
        if isinstance(answer, Error):
            return answer
        if isinstance(answer, Result):
            page = result_of("history", answer.result)
            assert isinstance(page, HistoryPage)
            return page


async def pages(eye: Peer, **params: JsonValue) -> list[HistoryPage]:
    found: list[HistoryPage] = []
    more: dict[str, JsonValue] = {}
    while True:
        page = await ask(eye, **params, **more)
        assert isinstance(page, HistoryPage)
        found.append(page)
        if page.next is None:
            return found
        more = {"after": page.next}


async def test_each_resolution_is_answered_in_pages_with_a_position(tmp_path: Path) -> None:
    async with watching(tmp_path) as (eye, run):
        raw = await pages(eye, limit=20)
        assert [page.series[0].stream for page in raw] == [run.id] * 3
        assert [sum(map(len, page.series)) for page in raw] == [20, 20, 14]
        for resolution in ("second", "minute"):
            fine = await pages(eye, resolution=resolution, limit=50)
            assert [len(page.stretches[0].at_ms) for page in fine] == [50, 4]
        hours = await pages(eye, resolution="hour")
        (told,) = hours[0].stretches
        assert (told.count, told.average) == ([2] * 27, list(range(60, 87)))
        (days,) = await pages(eye, resolution="day")
        (told,) = days.stretches
        assert list(accumulate(told.at_ms)) == [
            MIDNIGHT - 24 * HOUR,
            MIDNIGHT,
            MIDNIGHT + 25 * HOUR,
        ]
        assert told.count == [2, 50, 2]
        assert (told.min, told.max) == ([60, 61, 86], [60, 85, 86])
        assert days.zone == "Europe/Vienna"
        # Three series of one commit, each a change.
        assert {page.position[1] for page in [*raw, *hours, days]} == {3}


async def test_steps_of_hours_are_those_of_the_day_and_levels_are_by_device(
    tmp_path: Path,
) -> None:
    async with watching(tmp_path) as (eye, run):
        taken = {}
        for resolution in ("second", "minute", "hour", "day"):
            (page,) = await pages(eye, metric="steps", resolution=resolution)
            (told,) = page.stretches
            assert told.taken is not None
            taken[resolution] = told.taken
        assert taken["day"] == [0, 2_500, 100]
        assert all(sum(steps) == 2_600 for steps in taken.values())
        assert sum(taken["hour"][1:26]) == 2_500
        (page,) = await pages(eye, metric="battery", resolution="day")
        assert [(told.device, told.count, told.average) for told in page.stretches] == [
            (run.device, [1, 1], [90, 80])
        ]


@pytest.mark.parametrize("resolution", [one.value for one in Resolution])
async def test_what_is_refused_is_refused_alike(tmp_path: Path, resolution: str) -> None:
    async with watching(tmp_path) as (eye, _):
        for user in ("ben", "nobody"):
            answer = await ask(eye, user=user, resolution=resolution, after="none")
            assert isinstance(answer, Error)
            assert answer.code == "notGranted"
        other = "minute" if resolution == "raw" else "raw"
        page = await ask(eye, resolution=other, limit=1)
        assert isinstance(page, HistoryPage)
        assert page.next is not None
        answer = await ask(eye, resolution=resolution, after=page.next)
        assert isinstance(answer, Error)
        assert (answer.code, "begins anew without after" in answer.message) == ("badRequest", True)
        answer = await ask(eye, metric="session", resolution=resolution)
        if resolution == "raw":
            assert isinstance(answer, HistoryPage)
        else:
            assert isinstance(answer, Error)
            assert answer.code == "badRequest"
            assert "session is said, not measured" in answer.message
