"""Questions of one connection: each answer finds its own, and none is waited for in vain."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from strapline_bridge.uplink import NotAnsweredError, NotConnectedError, Questions
from strapline_protocol.asking import Accounts, AccountsParams
from strapline_protocol.bridge_session import BridgeSession
from strapline_protocol.codec import encode
from strapline_protocol.opening import (
    Authenticated,
    Client,
    ClockState,
    Error,
    Hello,
    Limits,
    Result,
    Role,
)

STREAM = "s" * 22


def _questions(within_s: float = 5.0) -> Questions:
    session = BridgeSession(0, Client(name="bridge", version="0"))
    hello = Hello(store="s", epoch="e", server_time=0, clock_state=ClockState.SYNCHRONISED)
    session.receive(encode(hello), 0)
    session.authenticate("token")
    authenticated = Authenticated(
        session="s",
        principal="p",
        role=Role.BRIDGE,
        users=["anna"],
        expires_at=0,
        heartbeat_ms=15_000,
        reconnect_spread_ms=1,
        limits=Limits(window_readings=1_000, message_bytes=1_024),
    )
    session.receive(encode(authenticated), 0)
    return Questions(session, lambda: None, within_s)


def _accounts(readings: int) -> dict[str, Any]:
    empty: dict[str, Any] = {key: [] for key in ("received", "rejected", "dropped", "erased")}
    return {"stream": STREAM, **empty, "readings": readings}


def _ask(questions: Questions, first: int = 0) -> asyncio.Task[Accounts]:
    params = AccountsParams(stream=STREAM, first=first)
    return asyncio.create_task(questions.ask("accounts", params, Accounts))


async def _frame(questions: Questions) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while (frame := questions.next_frame()) is None:  # noqa: ASYNC110  # nobody tells of it
            await asyncio.sleep(0)
    said: dict[str, Any] = json.loads(frame)
    return said


async def test_answers_find_their_questions_in_any_order() -> None:
    questions = _questions()
    first, second = _ask(questions, 1), _ask(questions, 2)
    asked = [await _frame(questions), await _frame(questions)]
    assert [frame["params"]["first"] for frame in asked] == [1, 2]
    assert asked[0]["method"] == "accounts"
    for frame in reversed(asked):
        readings = frame["params"]["first"]
        assert questions.take(Result(request=frame["request"], result=_accounts(readings)))
    assert ((await first).readings, (await second).readings) == (1, 2)


async def test_few_are_under_way_at_one_time() -> None:
    questions = _questions()
    tasks = [_ask(questions, at) for at in range(5)]
    for done in range(5):
        asked = await _frame(questions)
        assert asked["params"]["first"] == done
        questions.take(Result(request=asked["request"], result=_accounts(done)))
    assert [(await task).readings for task in tasks] == list(range(5))


async def test_one_that_is_refused_says_why() -> None:
    questions = _questions()
    asked = _ask(questions)
    request = (await _frame(questions))["request"]
    assert questions.take(Error(request=request, code="notGranted", message="not granted"))
    with pytest.raises(NotAnsweredError, match="not granted") as raised:
        await asked
    assert raised.value.code == "notGranted"


async def test_an_older_server_is_to_be_upgraded() -> None:
    questions = _questions()
    asked = _ask(questions)
    request = (await _frame(questions))["request"]
    questions.take(Error(request=request, code="unknownMethod", message="no method accounts"))
    with pytest.raises(NotAnsweredError, match="Upgrade the server"):
        await asked


async def test_what_is_no_answer_to_it_is_not_taken_for_one() -> None:
    questions = _questions()
    asked = _ask(questions)
    request = (await _frame(questions))["request"]
    assert not questions.take(Error(code="failed", message=""))
    assert not questions.take(Result(request="other", result={}))
    questions.take(Result(request=request, result={"stream": STREAM}))
    with pytest.raises(NotAnsweredError, match="not in this protocol"):
        await asked


async def test_silence_is_not_waited_for() -> None:
    questions = _questions(within_s=0.01)
    with pytest.raises(NotAnsweredError, match=r"within 0\.01 s"):
        await _ask(questions)


async def test_the_end_of_the_connection_is_the_end_of_waiting() -> None:
    questions = _questions()
    asked = _ask(questions)
    await _frame(questions)
    questions.end()
    with pytest.raises(NotConnectedError, match="ended before"):
        await asked
    with pytest.raises(NotConnectedError):
        await _ask(questions)
