"""The service's end: bounded in visitors, in what they say, and in how long they take."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from strapline_bridge.control import Command, Commands, ControlSocket
from strapline_bridge.control.lines import LONGEST_ANSWER, LONGEST_QUESTION
from strapline_bridge.control.place import NAME
from strapline_protocol.base import WireModel

_ASK = b'{"version":1,"command":"say","params":{"text":"yes"}}\n'


class Said(WireModel):
    text: str


class Work:
    """A command that answers at once, or waits, and notes when it is let go of."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.let_go = asyncio.Event()

    async def say(self, asked: Said) -> Said:
        self.begun.set()
        if asked.text == "wait":
            try:
                await asyncio.Event().wait()
            finally:
                self.let_go.set()
        if asked.text == "bug":
            raise RuntimeError("a bug")
        if asked.text == "much":
            return Said(text="x" * LONGEST_ANSWER)
        return asked


@asynccontextmanager
async def _listening(
    folder: Path, work: Work | None = None, patience_s: float = 5.0
) -> AsyncIterator[ControlSocket]:
    commands = Commands()
    commands.add(Command("say", Said, Said), (work or Work()).say)
    control = ControlSocket(folder, commands, patience_s=patience_s)
    await control.open()
    try:
        yield control
    finally:
        await control.close()


async def _visit(folder: Path, *said: bytes) -> list[bytes]:
    """What each of these is answered with; empty where the socket is closed."""
    reader, writer = await asyncio.open_unix_connection(folder / NAME, limit=2 * LONGEST_ANSWER)
    heard = []
    try:
        for line in said:
            writer.write(line)
            heard.append(await reader.readline())
    finally:
        writer.close()
    return heard


async def test_one_visitor_asks_one_thing_after_another(tmp_path: Path) -> None:
    async with _listening(tmp_path):
        first, second = await _visit(tmp_path, _ASK, _ASK)
    assert json.loads(first) == {"version": 1, "result": {"text": "yes"}}
    assert first == second
    assert not (tmp_path / NAME).exists()


async def test_what_is_no_question_is_answered_and_tells_nothing(tmp_path: Path) -> None:
    async with _listening(tmp_path):
        (heard,) = await _visit(tmp_path, b"GET /secret HTTP/1.1\n")
    assert b"secret" not in heard
    assert "no question" in json.loads(heard)["fault"]["what"]


@pytest.mark.parametrize(
    "said", [b"x" * (2 * LONGEST_QUESTION) + b"\n", _ASK.replace(b"yes", b"wait") + _ASK]
)
async def test_one_that_says_too_much_is_left_alone(tmp_path: Path, said: bytes) -> None:
    async with _listening(tmp_path):
        assert await _visit(tmp_path, said) == [b""]


async def test_one_that_dribbles_is_left_alone(tmp_path: Path) -> None:
    async with _listening(tmp_path, patience_s=0.05):
        assert await _visit(tmp_path, b'{"version"') == [b""]


async def test_an_answer_is_bounded_too(tmp_path: Path) -> None:
    async with _listening(tmp_path):
        (heard,) = await _visit(tmp_path, _ASK.replace(b"yes", b"much"))
    assert "Ask for less" in json.loads(heard)["fault"]["remedy"]


async def test_a_command_ends_when_its_asker_goes(tmp_path: Path) -> None:
    work = Work()
    async with _listening(tmp_path, work), asyncio.timeout(5):
        _, writer = await asyncio.open_unix_connection(tmp_path / NAME)
        writer.write(_ASK.replace(b"yes", b"wait"))
        await work.begun.wait()
        writer.close()
        await work.let_go.wait()


async def test_closing_lets_go_of_what_runs(tmp_path: Path) -> None:
    work = Work()
    async with asyncio.timeout(5):
        async with _listening(tmp_path, work):
            reader, writer = await asyncio.open_unix_connection(tmp_path / NAME)
            writer.write(_ASK.replace(b"yes", b"wait"))
            await work.begun.wait()
        assert work.let_go.is_set()
        assert await reader.read() == b""
        writer.close()


async def test_visitors_are_few(tmp_path: Path) -> None:
    async with _listening(tmp_path) as control:
        visitors = [await asyncio.open_unix_connection(tmp_path / NAME) for _ in range(8)]
        for reader, writer in visitors:
            writer.write(_ASK)
            await reader.readline()
        assert await _visit(tmp_path, b"") == [b""]
        assert control.turned_away == 1
        for _, writer in visitors:
            writer.close()


async def test_a_bug_is_logged_and_the_next_is_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with _listening(tmp_path):
        assert await _visit(tmp_path, _ASK.replace(b"yes", b"bug")) == [b""]
        assert (await _visit(tmp_path, _ASK))[0]
    assert "could not answer" in caplog.text


async def test_where_it_cannot_be_made_the_bridge_says_so_and_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / NAME).mkdir()
    with caplog.at_level(logging.WARNING):
        async with _listening(tmp_path):
            pass
    assert "cannot be made" in caplog.text
    assert "Let this user" in caplog.text
