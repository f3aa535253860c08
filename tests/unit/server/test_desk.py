"""The desk: a real socket in a real folder, for its owner, whatever others ask of it."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from strapline_server import desk as desk_module
from strapline_server.desk import NAME, Desk, ask_desk
from strapline_server.stats import Stats

TOLD = Stats(version="1.2.3")


async def stats() -> Stats:
    return TOLD


async def asked(folder: Path, request: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(folder / NAME)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()


async def test_it_tells_while_it_is_open(tmp_path: Path) -> None:
    assert await ask_desk(tmp_path) is None
    desk = Desk(tmp_path, stats)
    await desk.open()
    assert await ask_desk(tmp_path) == TOLD
    mode = os.stat(tmp_path / NAME).st_mode  # noqa: PTH116  # a path's own would block the same
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    await desk.close()
    await desk.close()
    assert await ask_desk(tmp_path) is None
    assert os.listdir(tmp_path) == []  # noqa: PTH208  # see above


async def test_nobody_has_a_moment_in_which_others_may_open_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.umask(0)
    monkeypatch.setattr("os.chmod", None)
    try:
        desk = Desk(tmp_path, stats)
        await desk.open()
        assert stat.S_IMODE(os.stat(tmp_path / NAME).st_mode) == 0o600  # noqa: PTH116  # see above
        await desk.close()
    finally:
        os.umask(before)


async def test_what_a_dead_server_left_is_no_server_and_is_taken_over(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / NAME))
    assert await ask_desk(tmp_path) is None
    desk = Desk(tmp_path, stats)
    await desk.open()
    assert await ask_desk(tmp_path) == TOLD
    await desk.close()


@pytest.mark.parametrize("length", [107, 108, 250])
async def test_a_folder_of_any_length_has_one(tmp_path: Path, length: int) -> None:
    room = length - len(str(tmp_path)) - len(NAME) - 2
    folder = tmp_path / ("f" * max(1, room))
    os.mkdir(folder)  # noqa: PTH102  # see above
    handles = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # see above
    desk = Desk(folder, stats)
    await desk.open()
    assert await ask_desk(folder) == TOLD
    await desk.close()
    assert await ask_desk(folder) is None
    del desk
    await asyncio.sleep(0)
    assert len(os.listdir("/proc/self/fd")) <= handles  # noqa: PTH208  # see above


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
        b"POST /stats HTTP/1.1\r\n\r\n",
        b"GET /stats?token=x HTTP/1.1\r\n\r\n",
        b"\r\n\r\n",
        b"\xff\x00 \r\n\r\n",
    ],
    ids=["root", "health", "socket", "post", "query", "empty", "noise"],
)
async def test_it_answers_one_question_alone(tmp_path: Path, request_: bytes) -> None:
    desk = Desk(tmp_path, stats)
    await desk.open()
    assert (await asked(tmp_path, request_)).startswith(b"HTTP/1.1 404 ")
    assert await ask_desk(tmp_path) == TOLD
    await desk.close()


async def test_one_that_says_too_much_or_goes_is_left_alone(tmp_path: Path) -> None:
    desk = Desk(tmp_path, stats)
    await desk.open()
    # It may be closed before it has sent all.
    with suppress(ConnectionError):
        assert await asked(tmp_path, b"GET /stats HTTP/1.1\r\nX: " + b"x" * 10_000) == b""
    _, writer = await asyncio.open_unix_connection(tmp_path / NAME)
    writer.write(b"GET /st")
    writer.close()
    assert await ask_desk(tmp_path) == TOLD
    await desk.close()


async def test_those_that_dribble_are_bounded_in_time_and_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path, stats)
    await desk.open()
    slow = [await asyncio.open_unix_connection(tmp_path / NAME) for _ in range(8)]
    async with asyncio.timeout(10):
        while len(desk._visitors) < 8:  # noqa: ASYNC110  # no event tells of it
            await asyncio.sleep(0)
    # The ninth is turned away.
    assert await asked(tmp_path, b"") == b""
    slow[0][1].close()
    async with asyncio.timeout(10):
        while len(desk._visitors) >= 8:  # noqa: ASYNC110  # see above
            await asyncio.sleep(0)
    assert await ask_desk(tmp_path) == TOLD
    monkeypatch.setattr(desk_module, "_PATIENCE_S", 0.1)
    late, writer = await asyncio.open_unix_connection(tmp_path / NAME)
    assert await asyncio.wait_for(late.read(), 10) == b""
    for one in (writer, *(pair[1] for pair in slow)):
        one.close()
    await desk.close()
    assert desk._visitors == set()


async def test_a_fault_is_logged_and_told_to_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> Stats:
        raise ZeroDivisionError

    desk = Desk(tmp_path, broken)
    await desk.open()
    with pytest.raises(OSError, match="has no answer"):
        await ask_desk(tmp_path)
    assert "ZeroDivisionError" in caplog.text
    await desk.close()


async def test_a_folder_that_takes_no_socket_is_said_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(tmp_path / "none", stats)
    with caplog.at_level(logging.WARNING):
        await desk.open()
    assert "`strapline server stats` will find no server" in caplog.text
    await desk.close()
