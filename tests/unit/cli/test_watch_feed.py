"""The last minutes are fetched when they are wanted, and fit to what comes meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from strapline.watch.feed import Feed
from strapline.watch.line import KEPT_MS
from strapline_client import (
    Lagged,
    NotConnectedError,
    RequestRefusedError,
    Update,
    Updates,
    UserState,
    WebSocketEventType,
)
from strapline_protocol.asking import GapsPage, HistoryPage
from strapline_protocol.errors import MalformedMessageError
from strapline_protocol.series import TimedSeries
from strapline_protocol.watching import Gap, GapData, HealthDataUpdate, Subscribed
from tests.unit.cli.watch_kit import EPOCH, NOW_MS, a_rate, a_status

STREAM = "s" * 22


def series(*beats: tuple[int, float]) -> TimedSeries:
    """Readings of one strap, (so many ms before now, bpm)."""
    at_ms = [NOW_MS - before_ms for before_ms, _ in beats]
    steps = [later - earlier for earlier, later in zip([0, *at_ms], at_ms, strict=False)]
    return TimedSeries(
        stream=STREAM,
        user="maren",
        metric="heart_rate",
        seq=list(range(1, len(beats) + 1)),
        received_ms=NOW_MS,
        device="strap",
        at_ms=steps,
        value=[bpm for _, bpm in beats],
        time_source="bridge",
    )


def page(n: int, *beats: tuple[int, float]) -> HistoryPage:
    return HistoryPage(
        user="maren", metric="heart_rate", series=[series(*beats)], position=(EPOCH, n)
    )


def change(n: int, before_ms: int, bpm: float) -> HealthDataUpdate:
    return HealthDataUpdate(
        user="maren",
        metric="heart_rate",
        stream=STREAM,
        data=a_rate(bpm),
        series=series((before_ms, bpm)),
        position=(EPOCH, n),
        previous=(EPOCH, n - 1),
        server_time=NOW_MS,
    )


class Service:
    """Tells what a test says, and answers with its pages; between two of them a test may act."""

    def __init__(self) -> None:
        state = UserState("maren", "Maren", {"heart_rate": a_rate(60)}, a_status())
        self.users = {"maren": state}
        self.told = Updates()
        self.pages: list[HistoryPage | Exception] = []
        self.asked = 0
        self.gaps_told: list[Gap] = []
        self.gaps_asked: list[tuple[str, int, int]] = []
        self.refusal: Exception | None = None
        self.first_is_out = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.answered = asyncio.Event()

    def server_now_ms(self) -> int:
        return NOW_MS

    def updates(self) -> Updates:
        return self.told

    async def history(self, *_: Any, **__: Any) -> AsyncIterator[HistoryPage]:
        self.asked += 1
        for one in self.pages:
            if isinstance(one, Exception):
                self.answered.set()
                raise one
            yield one
            self.first_is_out.set()
            await self.may_go_on.wait()
        self.answered.set()

    async def gaps(self, user: str, **asked: Any) -> AsyncIterator[GapsPage]:
        self.gaps_asked.append((user, asked["from_ms"], asked["to_ms"]))
        if self.refusal is not None:
            raise self.refusal
        yield GapsPage(
            user=user,
            metric="heart_rate",
            gaps=self.gaps_told,
            complete_through_ms=None,
            position=(EPOCH, 4),
        )

    def tell(self, kind: WebSocketEventType, message: Any) -> None:
        self.told.put(Update(kind, message, getattr(message, "user", None)))

    def subscribe(self) -> None:
        message = Subscribed(request="r", snapshot={}, server_time=NOW_MS)
        self.tell(WebSocketEventType.SUBSCRIBED, message)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Feed, Service]]:
    service = Service()
    feed = Feed(service)  # type: ignore[arg-type]  # as much of a service as it needs
    run = asyncio.create_task(feed.run())
    try:
        yield feed, service
        assert not run.done()
    finally:
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


def rates(feed: Feed) -> list[float | None]:
    person = feed.people.of("maren")
    assert person is not None
    return [point.value for point in person.line]


async def test_what_changed_between_two_pages_stays() -> None:
    async with running() as (feed, service):
        service.pages = [page(4, (9_000, 60)), page(6, (3_000, 62))]
        service.may_go_on.clear()
        service.subscribe()
        await service.first_is_out.wait()
        # At 5, after the page that was read at 4, in the stretch of which it has a place.
        service.tell(WebSocketEventType.HEALTH_DATA_UPDATE, change(5, 6_000, 61))
        await settle()
        service.may_go_on.set()
        await service.answered.wait()
        await settle()
        assert rates(feed) == [60, 61, 62]


async def test_after_updates_were_left_out_the_last_minutes_are_read_again() -> None:
    async with running() as (feed, service):
        service.pages = [page(4, (9_000, 60))]
        service.subscribe()
        await service.answered.wait()
        await settle()
        assert (service.asked, rates(feed)) == (1, [60])
        service.pages = [page(9, (9_000, 60), (6_000, 61))]
        service.answered.clear()
        service.tell(WebSocketEventType.LAGGED, Lagged(left_out=3))
        await settle()
        assert service.answered.is_set()
        assert (service.asked, rates(feed)) == (2, [60, 61])


@pytest.mark.parametrize(
    "error",
    [MalformedMessageError("another shape"), RequestRefusedError("tooMany", "later")],
    ids=lambda error: type(error).__name__,
)
async def test_an_answer_that_is_none_leaves_what_is_known(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async with running() as (feed, service):
        service.pages = [page(4, (9_000, 60)), error]
        service.subscribe()
        await service.answered.wait()
        service.tell(WebSocketEventType.HEALTH_DATA_UPDATE, change(5, 6_000, 61))
        await settle()
        assert rates(feed) == [61]
        assert "the last minutes of maren are missing" in caplog.text


def told(feed: Feed) -> list[str]:
    person = feed.people.of("maren")
    assert person is not None
    return [gap.cause for gap in person.gaps]


async def test_why_readings_are_missing_is_asked_with_them_and_at_each_news_of_it() -> None:
    async with running() as (feed, service):
        service.gaps_told = [Gap(from_ms=NOW_MS - 90_000, to_ms=NOW_MS - 9_000, cause="silent")]
        service.subscribe()
        await settle()
        assert told(feed) == ["silent"]
        assert service.gaps_asked == [("maren", NOW_MS - KEPT_MS, NOW_MS)]
        gap = Gap(from_ms=NOW_MS - 90_000, to_ms=NOW_MS - 9_000, cause="notWorn")
        service.gaps_told = [gap]
        news = change(5, 9_000, 60).model_copy(update={"metric": "gap", "data": GapData(gap=gap)})
        service.tell(WebSocketEventType.HEALTH_DATA_UPDATE, news)
        await settle()
        assert told(feed) == ["notWorn"]


async def test_an_older_server_is_asked_for_gaps_once_in_a_session() -> None:
    async with running() as (feed, service):
        service.refusal = RequestRefusedError("unknownMethod", "no method gaps")
        service.subscribe()
        await settle()
        service.tell(WebSocketEventType.LAGGED, Lagged(left_out=3))
        await settle()
        assert (service.asked, len(service.gaps_asked)) == (2, 1)
        service.refusal = None
        service.gaps_told = [Gap(from_ms=1, to_ms=2, cause="silent")]
        service.subscribe()
        await settle()
        assert told(feed) == ["silent"]


@pytest.mark.parametrize(
    "error",
    [
        MalformedMessageError("another shape"),
        RequestRefusedError("tooMany", "later"),
        NotConnectedError("lost"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_gaps_that_are_not_told_leave_those_that_are_known(error: Exception) -> None:
    async with running() as (feed, service):
        service.gaps_told = [Gap(from_ms=1, to_ms=2, cause="silent")]
        service.subscribe()
        await settle()
        service.refusal = error
        service.tell(WebSocketEventType.LAGGED, Lagged(left_out=3))
        await settle()
        service.tell(WebSocketEventType.LAGGED, Lagged(left_out=3))
        await settle()
        assert (told(feed), len(service.gaps_asked)) == (["silent"], 3)
