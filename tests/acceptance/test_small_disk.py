"""Both ends on a real file system that is full, then has room again; and on a read-only one."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from strapline_bridge.outbox import Outbox, OutboxError, Place
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.publishing import Acknowledged
from strapline_server import ServerError
from strapline_server.clock import wall_ms
from tests.integration.bridge_kit import Committed, Content, a_reading, an_outbox, readings_of
from tests.integration.bridge_kit import until as until_soon
from tests.integration.server_kit import Run, joined, serving, until

_DISK_BYTES = 2 * 2**20


class Disk:
    """A mounted file system of two MiB."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Somebody else takes all the room that is left."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (65_536, 4_096, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def free(self) -> None:
        """They give it back."""
        self._ballast.unlink()

    def remount(self, mode: str) -> None:
        """Read-only or writable, as long as nobody has a file open for writing."""
        subprocess.run(["mount", "-o", f"remount,{mode}", self.folder], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if os.geteuid() != 0:
        pytest.fail("a file system can be mounted by root only: run the tests as root")
    folder = tmp_path / "disk"
    folder.mkdir()
    size = f"size={_DISK_BYTES}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "strapline-test", folder], check=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


async def _pending(outbox: Outbox) -> Content:
    page = await outbox.page(Place(), outbox.behind(), 100_000)
    found: Content = {}
    for row in page.rows:
        found |= readings_of(row.stream, [row.series])
    return found


async def test_a_bridge_holds_the_newest_readings_and_stores_them_when_it_can(
    disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    stored = Committed()
    async with an_outbox(disk.state / "outbox.db", stored) as outbox:
        for rate in range(50):
            outbox.put(a_reading(60 + rate))
            await outbox.flush()
        disk.fill()
        # A log that was grown before may take a few more: what is written down is written down.
        given = 50
        with caplog.at_level(logging.ERROR):
            while outbox.status().fault is None:
                for rate in range(200):
                    outbox.put(a_reading(40 + rate))
                given += 200
                await until_soon(
                    lambda: outbox.status().fault is not None or not outbox.status().waiting
                )
        assert "cannot be stored" in caplog.text
        assert "make room on the disk" in caplog.text
        assert len(stored.content) < given, "what is not on the disk is not said to be"
        disk.free()
        await outbox.flush()
        assert outbox.status().fault is None
        assert len(stored.content) == given
        assert outbox.status().unstored == 0
    async with an_outbox(disk.state / "outbox.db") as outbox:
        assert len(await _pending(outbox)) == given


async def test_a_server_acknowledges_nothing_says_so_and_recovers(disk: Disk) -> None:
    async with serving(disk.state) as server:
        await server.admin.add_user("ana", "Ana", "UTC")
        token = await server.admin.issue_token("pi", "bridge", ["ana"], 600)
        async with joined(server, token) as bridge:
            run = Run(wall_ms() - 600_000)
            await run.declare(bridge)
            await run.publish(bridge, run.series([70], [0]))
            disk.fill()
            held = IntervalSet([(0, 0)])
            while server.storing:
                values = range(run.next, run.next + 500)
                await bridge.say(run.readings(run.series([80] * 500, values, rr=[[900]] * 500)))
                await until(
                    lambda: not server.storing or server.counters.readings_stored == run.next,
                    "it was tried",
                )
            assert server.counters.readings_stored < run.next
            disk.free()
            while len(held) < run.next:
                held.update((await bridge.expect(Acknowledged)).ranges)
            assert server.counters.commit_failures > 0
            assert (await run.declare(bridge)).ranges == [(0, run.next - 1)]
    async with serving(disk.state) as server, joined(server, token) as bridge:
        assert (await run.declare(bridge)).ranges == [(0, run.next - 1)]


async def test_on_a_read_only_disk_both_say_so_at_their_start_and_spoil_nothing(
    disk: Disk,
) -> None:
    stored = Committed()
    async with an_outbox(disk.state / "outbox.db", stored) as outbox:
        outbox.put(a_reading())
        await outbox.flush()
    async with serving(disk.state):
        pass
    disk.remount("ro")
    with pytest.raises(OutboxError, match=r"Read-only file system.*state_dir"):
        async with an_outbox(disk.state / "outbox.db"):
            pass
    with pytest.raises(ServerError, match=r"Read-only file system"):
        async with serving(disk.state):
            pass
    disk.remount("rw")
    async with an_outbox(disk.state / "outbox.db") as outbox:
        assert await _pending(outbox) == stored.content
