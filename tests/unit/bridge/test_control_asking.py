"""The command's end: an answer, none where nothing runs, or an error with a remedy."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from strapline_bridge.control import Command, Commands, ControlError, ControlSocket, ask
from strapline_bridge.control.place import bind
from strapline_bridge.errors import BridgeError
from strapline_protocol.base import WireModel


class Said(WireModel):
    text_of: str


SAY = Command("say", Said, Said)


@asynccontextmanager
async def _bridge(folder: Path, work: Callable[[Said], Awaitable[Said]]) -> AsyncIterator[None]:
    commands = Commands()
    commands.add(SAY, work)
    control = ControlSocket(folder, commands)
    await control.open()
    try:
        yield
    finally:
        await control.close()


async def _echo(asked: Said) -> Said:
    return asked


async def test_it_asks_and_is_answered(tmp_path: Path) -> None:
    async with _bridge(tmp_path, _echo):
        assert await ask(tmp_path, SAY, Said(text_of="a\nb")) == Said(text_of="a\nb")


async def test_where_nothing_runs_there_is_no_answer(tmp_path: Path) -> None:
    assert await ask(tmp_path, SAY, Said(text_of="")) is None
    bind(tmp_path).close()
    assert await ask(tmp_path, SAY, Said(text_of="")) is None


async def test_what_went_wrong_there_is_said_here(tmp_path: Path) -> None:
    async def fail(asked: Said) -> Said:
        raise BridgeError("the disk is full", "Make room")

    async with _bridge(tmp_path, fail):
        with pytest.raises(ControlError, match=r"the disk is full. Make room.") as raised:
            await ask(tmp_path, SAY, Said(text_of=""))
    assert raised.value.kind == "BridgeError"


async def test_one_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    async def wait(asked: Said) -> Said:
        await asyncio.Event().wait()
        return asked

    async with _bridge(tmp_path, wait):
        with pytest.raises(ControlError, match="does not answer"):
            await ask(tmp_path, SAY, Said(text_of=""), within_s=0.05)


async def test_one_that_goes_in_the_middle_is_said(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def wait(asked: Said) -> Said:
        begun.set()
        await asyncio.Event().wait()
        return asked

    async with _bridge(tmp_path, wait):
        asked = asyncio.create_task(ask(tmp_path, SAY, Said(text_of="")))
        await begun.wait()
    with pytest.raises(ControlError, match="went away"):
        await asked


@pytest.mark.parametrize("line", [b"hello\n", b'{"version":1,"result":{"other":1}}\n', b"\n"])
async def test_an_answer_of_another_shape_is_an_error(tmp_path: Path, line: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(line)
        writer.close()

    server = await asyncio.start_unix_server(speak, sock=bind(tmp_path))
    try:
        with pytest.raises(ControlError, match="Restart the bridge"):
            await ask(tmp_path, SAY, Said(text_of=""))
    finally:
        server.close()


async def test_another_users_socket_names_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(path: str, **options: object) -> None:
        # What the kernel says to another user, whom tests that run as root cannot be.
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(asyncio, "open_unix_connection", refuse)
    with pytest.raises(ControlError, match=r"another user's.*runuser"):
        await ask(tmp_path, SAY, Said(text_of=""))
