"""Questions under way, without a connection."""

import asyncio

import pytest

from strapline_client.errors import NotConnectedError, RequestRefusedError
from strapline_client.questions import QUESTIONS_BOUND, Questions
from strapline_protocol.asking import SyncResult
from strapline_protocol.errors import LocalProtocolError
from strapline_protocol.opening import Error, Result


async def test_an_answer_finds_its_question_and_no_other() -> None:
    questions = Questions()
    with questions.asked("r1", "sync") as answer:
        questions.answered(Result(request="r2", result={"asked": 1}))
        assert not questions.refused(Error(request="r2", code="failed", message="x"))
        assert not answer.done()
        questions.answered(Result(request="r1", result={"asked": 3}))
        assert await answer == SyncResult(asked=3)
        questions.answered(Result(request="r1", result={"asked": 4}))
    assert not questions.refused(Error(request="r1", code="failed", message="x"))


async def test_what_waits_when_the_connection_goes_is_told_so() -> None:
    questions = Questions()
    with questions.asked("r1", "sync") as answer:
        questions.leave()
        with pytest.raises(NotConnectedError, match="before sync was answered"):
            await answer


async def test_a_method_that_this_version_does_not_know_costs_nothing() -> None:
    with pytest.raises(LocalProtocolError, match="'future'"):
        async with Questions().turn("future"):
            pass
    with pytest.raises(LocalProtocolError, match="not asked"):
        Questions.question("r1", "sync", {"users": float("nan")})


async def test_too_many_are_refused_here() -> None:
    questions = Questions()
    gate = asyncio.Event()

    async def ask() -> None:
        async with questions.turn("sync"):
            await gate.wait()

    asking = [asyncio.create_task(ask()) for _ in range(QUESTIONS_BOUND)]
    await asyncio.sleep(0)
    with pytest.raises(RequestRefusedError, match="64") as refused:
        await ask()
    assert refused.value.code == "tooMany"
    gate.set()
    await asyncio.gather(*asking)
    await ask()
