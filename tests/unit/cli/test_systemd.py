"""What systemd is told, over a real datagram socket."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from strapline.systemd import Systemd


class Manager:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self._socket.recv(4_096).decode())
            except BlockingIOError:
                return found

    async def next(self) -> str:
        data = await asyncio.get_running_loop().sock_recv(self._socket, 4_096)
        return data.decode()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    found = Manager(tmp_path / "notify")
    yield found
    found.close()


async def fine() -> str:
    return "all\nis  well"


def test_without_a_manager_nothing_is_said_and_nothing_fails() -> None:
    silent = Systemd.from_environment({"WATCHDOG_USEC": "1000000"})
    silent.ready()
    silent.status("well")
    assert silent.watchdog_s is None


def test_the_watchdog_is_read_as_the_manager_sets_it(manager: Manager) -> None:
    address = {"NOTIFY_SOCKET": str(manager.path)}

    def watchdog(**more: str) -> float | None:
        return Systemd.from_environment({**address, **more}).watchdog_s

    assert watchdog() is None
    assert watchdog(WATCHDOG_USEC="30000000") == 30
    assert watchdog(WATCHDOG_USEC="30000000", WATCHDOG_PID=str(os.getpid())) == 30
    # Meant for a process that started this one.
    assert watchdog(WATCHDOG_USEC="30000000", WATCHDOG_PID="1") is None
    assert watchdog(WATCHDOG_USEC="0") is None
    assert watchdog(WATCHDOG_USEC="soon") is None


async def test_ready_comes_with_a_status_and_stopping_at_the_end(manager: Manager) -> None:
    async with Systemd(str(manager.path)).serving(fine):
        assert manager.heard() == ["STATUS=all is well", "READY=1"]
    assert manager.heard()[-1] == "STOPPING=1"


async def test_a_status_that_is_the_same_is_told_once(manager: Manager) -> None:
    systemd = Systemd(str(manager.path))
    systemd.status("one")
    systemd.status("one")
    systemd.status("two")
    assert manager.heard() == ["STATUS=one", "STATUS=two"]


async def test_the_watchdog_is_fed_while_all_parts_live(manager: Manager) -> None:
    lives = True
    async with Systemd(str(manager.path), 0.03).serving(fine, lambda: lives):
        for expected in ("STATUS=all is well", "READY=1", "WATCHDOG=1", "WATCHDOG=1"):
            assert await manager.next() == expected
        lives = False
        manager.heard()
        asked = asyncio.Event()

        async def ask() -> str:
            asked.set()
            return "hangs"

    async with Systemd(str(manager.path), 0.03).serving(ask, lambda: lives):
        asked.clear()
        await asked.wait()
        assert "WATCHDOG=1" not in manager.heard()


async def test_a_disk_that_does_not_answer_is_no_death(manager: Manager) -> None:
    first = True

    async def stuck() -> str:
        nonlocal first
        if first:
            first = False
            return "starts"
        await asyncio.Event().wait()
        raise AssertionError

    async with Systemd(str(manager.path), 0.03).serving(stuck):
        heard = [await manager.next() for _ in range(6)]
    assert heard[2:4] == ["WATCHDOG=1", "STATUS=waits for the disk"]
    assert heard[4:] == ["WATCHDOG=1", "WATCHDOG=1"]


def test_an_abstract_name_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(f"\0strapline-{os.getpid()}")
        Systemd(f"@strapline-{os.getpid()}").ready()
        assert end.recv(100) == b"READY=1"


def test_a_manager_that_is_gone_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        Systemd(str(tmp_path / "nobody")).ready()
    assert "systemd cannot be told READY" in caplog.text
