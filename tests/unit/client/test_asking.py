"""History, gaps, sessions and marks, page by page, over a connection that comes and goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import JsonValue

from strapline_client import NotConnectedError, Resolution
from strapline_client.asking import Asking, checked
from strapline_protocol.asking import (
    EndSessionParams,
    GapsPage,
    GapsParams,
    HistoryPage,
    HistoryParams,
    MarkParams,
    MarkResult,
    SessionMeasured,
    SessionResult,
    SessionsPage,
    SessionsParams,
    StartSessionParams,
)
from strapline_protocol.base import WireModel
from strapline_protocol.series import TimedSeries
from strapline_protocol.watching import Gap, Mark, Session

RUN = Session(id="A" * 22, name="Run", start_ms=1, end_ms=None)
QUESTION = HistoryParams(user="maren", metric="heart_rate", from_ms=0, to_ms=9)
SESSIONS = SessionsParams(user="maren", from_ms=0, to_ms=9)


class Server:
    """Answers in turn, and writes down what it was asked."""

    def __init__(self, *answers: WireModel | Exception) -> None:
        self._answers = iter(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.waited = 0

    async def ask(self, method: str, params: Mapping[str, JsonValue]) -> WireModel:
        self.asked.append((method, dict(params)))
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def standing(self) -> None:
        self.waited += 1

    @property
    def asking(self) -> Asking:
        return Asking(self.ask, self.standing)


def page(after: str | None, *series: TimedSeries) -> HistoryPage:
    return HistoryPage(
        user="maren", metric="heart_rate", series=list(series), position=("e", 1), next=after
    )


async def test_all_pages_come_and_a_lost_connection_costs_none() -> None:
    server = Server(page("c1"), NotConnectedError("lost"), page("c2"), page(None))
    pages = [one async for one in server.asking.history(QUESTION)]
    assert [one.next for one in pages] == ["c1", "c2", None]
    assert [params.get("after") for _, params in server.asked] == [None, "c1", "c1", "c2"]
    assert server.waited == 4
    method, params = server.asked[0]
    assert (method, params["fromMs"], params["toMs"]) == ("history", 0, 9)


async def test_gaps_come_in_pages_that_say_what_is_complete() -> None:
    def gaps(after: str | None, *causes: str) -> GapsPage:
        found = [Gap(from_ms=at, to_ms=at + 1, cause=cause) for at, cause in enumerate(causes)]
        return GapsPage(
            user="maren",
            metric="heart_rate",
            gaps=found,
            complete_through_ms=7,
            position=("e", 1),
            next=after,
        )

    server = Server(
        gaps("c1", "silent", "notWorn"), NotConnectedError("lost"), gaps(None, "ofANewerServer")
    )
    question = GapsParams(user="maren", device="strap", from_ms=0, to_ms=9)
    pages = [one async for one in server.asking.gaps(question)]
    told = [gap.cause for one in pages for gap in one.gaps]
    assert told == ["silent", "notWorn", "ofANewerServer"]
    assert [one.complete_through_ms for one in pages] == [7, 7]
    assert [method for method, _ in server.asked] == ["gaps"] * 3
    assert [params.get("after") for _, params in server.asked] == [None, "c1", "c1"]
    asked = {"user": "maren", "metric": "heart_rate", "device": "strap", "limit": 500}
    assert server.asked[0][1] == {**asked, "fromMs": 0, "toMs": 9}


async def test_sessions_come_one_by_one() -> None:
    one = SessionMeasured(session=RUN, readings=3, average=70, min=60, max=80)
    two = one.model_copy(update={"readings": 4})
    server = Server(
        SessionsPage(user="maren", sessions=[one], position=("e", 1), next="c1"),
        SessionsPage(user="maren", sessions=[two], position=("e", 1)),
    )
    assert [found async for found in server.asking.sessions(SESSIONS)] == [one, two]


async def test_marks_are_the_history_of_what_was_said() -> None:
    def marked(at_ms: int, **more: Any) -> TimedSeries:
        return TimedSeries(
            user="maren",
            device="said",
            metric="mark",
            seq=[0],
            value=[None],
            at_ms=[at_ms],
            received_ms=9,
            time_source="system",
            **more,
        )

    server = Server(page(None, marked(7, label=["Hill"]), marked(3)))
    found = [mark async for mark in server.asking.marks("maren", 0, 9)]
    assert found == [Mark(at_ms=3, label=""), Mark(at_ms=7, label="Hill")]
    assert server.asked[0][1]["metric"] == "mark"


async def test_what_changes_something_is_asked_once() -> None:
    done = SessionResult(session=RUN, position=("e", 1))
    hill = MarkResult(mark=Mark(at_ms=3, label="Hill"), stream="A" * 22, seq=0, position=("e", 1))
    server = Server(done, done, hill, NotConnectedError("lost"))
    asking = server.asking
    assert await asking.start_session(StartSessionParams(user="maren", name="Run")) == RUN
    assert await asking.end_session(EndSessionParams(user="maren", at_ms=5)) == RUN
    assert await asking.mark(MarkParams(user="maren", label="Hill")) == hill.mark
    with pytest.raises(NotConnectedError):
        await asking.mark(MarkParams(user="maren"))
    assert [method for method, _ in server.asked] == ["startSession", "endSession", "mark", "mark"]
    assert server.asked[0][1] == {"user": "maren", "name": "Run"}
    assert server.waited == 0


def test_a_wrong_question_is_told_where_it_is_asked() -> None:
    with pytest.raises(ValueError, match="toMs"):
        checked(HistoryParams, user="maren", metric="steps", from_ms=0, to_ms=-1)
    assert checked(HistoryParams, **dict(QUESTION)).resolution is Resolution.RAW
