"""Sessions and marks on real sockets: who may, what viewers see, and what outlives a restart."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import JsonValue

from strapline_protocol.asking import HistoryPage, MarkResult, SessionResult, SessionsPage
from strapline_protocol.base import WireModel
from strapline_protocol.codec import result_of
from strapline_protocol.opening import Authenticate, Authenticated, Client, Error, Request, Result
from strapline_protocol.watching import (
    HealthDataUpdate,
    HeartRateData,
    HistoryChange,
    HistoryChanged,
    MarkData,
    SessionData,
)
from strapline_server import Server
from strapline_server.clock import wall_ms
from tests.integration.rights_kit import people
from tests.integration.server_kit import Peer, Run, connected, joined, serving

M = TypeVar("M", bound=WireModel)


async def ask(peer: Peer, method: str, **params: JsonValue) -> WireModel:
    """One question; its answer in the method's own shape, or the error."""
    request = secrets.token_urlsafe(6)
    await peer.say(Request(request=request, method=method, params=params))
    while True:
        answer = await peer.hear()
        if isinstance(answer, (Result, Error)) and answer.request == request:
            return answer if isinstance(answer, Error) else result_of(method, answer.result)


async def done(peer: Peer, kind: type[M], method: str, **params: JsonValue) -> M:
    answer = await ask(peer, method, **params)
    assert isinstance(answer, kind), answer
    return answer


async def coach_of(server: Server, *users: str) -> str:
    return await server.admin.issue_token("coach", "viewer", list(users), 600, may_mark=True)


async def test_the_right_is_told_and_given_to_nobody_by_default(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        tokens["coach"] = await coach_of(server, "ana")
        told = {}
        for name in ("eye-ana", "coach", "pi-ana"):
            async with connected(server) as peer:
                client = Client(name="test", version="0")
                await peer.say(Authenticate(token=tokens[name], client=client))
                told[name] = (await peer.expect(Authenticated)).may_mark
        assert told == {"eye-ana": False, "coach": True, "pi-ana": False}
        link = await server.admin.renew_link_token("all", may_mark=True)
        async with joined(server, link) as peer:
            authenticated = peer.heard[-1]
            assert isinstance(authenticated, Authenticated)
            assert authenticated.may_mark
        with pytest.raises(Exception, match="the right is a viewer's"):
            await server.admin.issue_token("pi", "bridge", "all", 600, may_mark=True)


QUESTIONS: list[tuple[str, dict[str, JsonValue]]] = [
    ("startSession", {"name": "ride"}),
    ("endSession", {}),
    ("mark", {"label": "hill"}),
]


@pytest.mark.parametrize(("method", "params"), QUESTIONS)
async def test_who_may_not_learns_nothing_of_who_there_is(
    tmp_path: Path, method: str, params: dict[str, JsonValue]
) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        tokens["coach"] = await coach_of(server, "ana")
        for name in ("eye-ana", "coach"):
            async with joined(server, tokens[name]) as peer:
                asked = ["ana", "ben", "nobody"] if name == "eye-ana" else ["ben", "nobody"]
                answers = [await ask(peer, method, user=user, **params) for user in asked]
                told = [
                    one.model_dump(exclude={"request"}) if isinstance(one, Error) else one
                    for one in answers
                ]
                assert all(one == told[0] for one in told)
                refused = answers[0]
                assert isinstance(refused, Error)
                assert refused.code == ("notAllowed" if name == "eye-ana" else "notGranted")
        assert server.counters.requests_denied == 5
        async with joined(server, tokens["pi-ana"]) as bridge:
            refused = await ask(bridge, method, user="ana", **params)
            assert isinstance(refused, Error)
            assert refused.code == "notAllowed"
        async with joined(server, tokens["eye-ana"]) as peer:
            denied = [
                await ask(peer, "sessions", user=user, fromMs=0, toMs=1) for user in ("ben", "no")
            ]
            told = [one.model_dump(exclude={"request"}) for one in denied]
            assert told[0] == told[1]
            # Who may see may see sessions too, without the right to begin one.
            await done(peer, SessionsPage, "sessions", user="ana", fromMs=0, toMs=1)


async def test_a_session_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        async with (
            joined(server, tokens["pi-ana"]) as bridge,
            joined(server, tokens["eye-ana"]) as eye,
            joined(server, await coach_of(server, "ana")) as coach,
        ):
            began_ms = wall_ms() - 60_000
            run = Run(began_ms)
            await run.declare(bridge)
            await run.publish(bridge, run.series([50, 60, 70], [0, 10_000, 20_000]))
            snapshot = await eye.subscribe()
            position = snapshot.snapshot["ana"].position
            begun = await done(
                coach, SessionResult, "startSession", user="ana", name="ride", atMs=began_ms + 9_999
            )
            update = await eye.expect(HealthDataUpdate)
            assert (update.metric, update.position) == ("session", begun.position)
            assert update.data == SessionData(session=begun.session)
            changed = await eye.expect(HistoryChanged)
            assert (changed.metric, changed.why) == ("heart_rate", HistoryChange.SESSION)
            assert changed.previous == position
            assert isinstance(changed.data, HeartRateData)
            assert (changed.data.over, changed.data.average, changed.data.min) == (
                "session",
                65,
                60,
            )
            # What is only there late counts in it, and what was before it does not.
            await run.publish(bridge, run.series([100, 30], [15_000, 9_998]))
            update = await eye.expect(HealthDataUpdate)
            assert isinstance(update.data, HeartRateData)
            assert (update.data.average, update.data.min) == (76.7, 60)
            page = await done(
                eye, SessionsPage, "sessions", user="ana", fromMs=began_ms, toMs=wall_ms()
            )
            (found,) = page.sessions
            assert found.session == begun.session
            assert (found.readings, found.average, found.min, found.max) == (3, 76.7, 60, 100)
            ended = await done(coach, SessionResult, "endSession", user="ana")
            assert ended.session.id == begun.session.id
            changed = await eye.expect(HistoryChanged)
            while changed.metric != "heart_rate":
                changed = await eye.expect(HistoryChanged)
            assert isinstance(changed.data, HeartRateData)
            assert (changed.data.over, changed.data.min) == ("day", 30)


async def test_sessions_outlive_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await server.admin.add_user("ana", "Ana", "UTC")
        token = await coach_of(server, "ana")
        async with joined(server, token) as coach:
            begun = await done(coach, SessionResult, "startSession", user="ana", name="ride")
            marked = await done(coach, MarkResult, "mark", user="ana", label="hill")
    async with serving(tmp_path) as server, joined(server, token) as coach:
        state = (await coach.subscribe()).snapshot["ana"].state
        assert state is not None
        assert state["session"] == SessionData(session=begun.session)
        assert state["mark"] == MarkData(mark=marked.mark)
        ended = await done(coach, SessionResult, "endSession", user="ana")
        assert ended.session.id == begun.session.id
        again = await done(coach, MarkResult, "mark", user="ana", label="top")
        # Another run of the server has another stream: no number is given twice.
        assert again.stream != marked.stream
        page = await done(
            coach, HistoryPage, "history", user="ana", metric="mark", fromMs=0, toMs=wall_ms() + 1
        )
        labels = [label for one in page.series for label in (one.model_extra or {})["label"]]
        assert sorted(labels) == ["hill", "top"]


async def test_pages_of_sessions_go_on_where_they_ended(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await server.admin.add_user("ana", "Ana", "UTC")
        async with joined(server, await coach_of(server, "ana")) as coach:
            now_ms = wall_ms()
            for number in range(5):
                at_ms = now_ms - 100_000 + number * 10_000
                await done(
                    coach, SessionResult, "startSession", user="ana", name=str(number), atMs=at_ms
                )
            await done(coach, SessionResult, "endSession", user="ana", atMs=now_ms - 55_000)

            async def pages(from_ms: int, to_ms: int, limit: int) -> list[list[str]]:
                found: list[list[str]] = []
                params: dict[str, Any] = {"fromMs": from_ms, "toMs": to_ms, "limit": limit}
                while True:
                    page = await done(coach, SessionsPage, "sessions", user="ana", **params)
                    found.append([one.session.name for one in page.sessions])
                    if page.next is None:
                        return found
                    params["after"] = page.next

            assert await pages(0, now_ms, 2) == [["0", "1"], ["2", "3"], ["4"]]
            assert await pages(0, now_ms, 5) == [["0", "1", "2", "3", "4"]]
            # Those that touch the range: its end is not in it, nor is a session's in the session.
            assert await pages(now_ms - 90_000, now_ms - 80_000, 9) == [["1"]]
            assert await pages(now_ms - 90_001, now_ms - 79_999, 9) == [["0", "1", "2"]]
            assert await pages(now_ms - 55_000, now_ms, 9) == [[]]
            wrong = await ask(coach, "sessions", user="ana", fromMs=0, toMs=1, after="WzFd")
            assert isinstance(wrong, Error)
            assert wrong.code == "badRequest"


async def test_a_viewer_without_heart_rates_sees_sessions_without_them(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        tokens = await people(server)
        issue = server.admin.issue_token
        limited = await issue("limited", "viewer", ["ana"], 600, metrics=["session"])
        other = await issue("other", "viewer", ["ana"], 600, metrics=["heart_rate"], may_mark=True)
        async with (
            joined(server, tokens["pi-ana"]) as bridge,
            joined(server, await coach_of(server, "ana")) as coach,
            joined(server, limited) as peer,
            joined(server, other) as narrow,
        ):
            await done(coach, SessionResult, "startSession", user="ana", name="ride")
            run = Run(wall_ms())
            await run.declare(bridge)
            await run.publish(bridge, run.series([60], [1]))
            page = await done(
                peer, SessionsPage, "sessions", user="ana", fromMs=0, toMs=wall_ms() + 1
            )
            (found,) = page.sessions
            assert (found.session.name, found.readings, found.average) == ("ride", 0, None)
            # Nor does the right to mark reach beyond the metrics that are granted.
            for method, params in QUESTIONS:
                refused = await ask(narrow, method, user="ana", **params)
                assert isinstance(refused, Error)
                assert refused.code == "notGranted"


async def test_taking_the_right_away_holds_within_a_second(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await server.admin.add_user("ana", "Ana", "UTC")
        async with joined(server, await coach_of(server, "ana")) as coach:
            await done(coach, MarkResult, "mark", user="ana")
            await server.admin.grant("coach", "viewer", ["ana"])
            await server._look_at_rights()
            refused = await ask(coach, "mark", user="ana")
            assert isinstance(refused, Error)
            assert refused.code == "notAllowed"
