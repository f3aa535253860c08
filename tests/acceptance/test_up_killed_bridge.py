"""Bridge, server and viewer as real processes over real sockets: the bridge is killed, and again.

What its outbox had committed at that moment must be on the server once, unchanged.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from strapline.account import Content, Identity, contents
from strapline.simulated import PEOPLE
from strapline_bridge.outbox import Row
from strapline_bridge.wearables import Wearables, WearablesFile
from strapline_client import Updates, WebSocketService
from strapline_protocol.asking import HistoryPage
from strapline_protocol.series import Series
from strapline_protocol.watching import HealthDataUpdate
from tests.acceptance.processes import PATIENCE_S, Program, environment, program, strapline

SERVER = """
[server]
state_folder = "{folder}/server"
port = 0
"""
BRIDGE = """
state_dir = "{folder}/bridge"
[server]
url = "ws://127.0.0.1:{port}/ws"
token_file = "{folder}/bridge.token"
"""
RATE_HZ = 20.0
FAR_AWAY_MS = 2**45


def wears(known: Wearables, *, number: int, user: str) -> Wearables:
    """With the simulation's strap of this number on this person."""
    address = f"D0:5E:00:00:00:{number:02X}"
    return known.add(address=address, user=user, name="Strap", added_at=0)[0]


class Machine:
    """A folder with everything that an owner would set up by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = environment(folder)
        self.server_config = folder / "server.toml"
        self.bridge_config = folder / "bridge.toml"
        self.server_config.write_text(SERVER.format(folder=folder))

    def command(self, *arguments: str) -> str:
        """The output of `strapline server ARGUMENTS`."""
        with strapline(["server", *arguments, "--config", self.server_config], self.env) as run:
            assert run.wait() == 0, run.err
            return run.out.strip()

    def set_up(self) -> list[str]:
        """People, straps and the bridge's token; the people's ids."""
        users = [self.command("user", "add", name, "--zone", "Europe/Berlin") for name in PEOPLE]
        token = self.folder / "bridge.token"
        token.write_text(self.command("token", "--bridge", "Pi", "--users", ",".join(users)))
        token.chmod(0o600)
        file = WearablesFile(self.folder / "bridge")
        for number, user in enumerate(users, start=1):
            file.change(partial(wears, number=number, user=user))
        return users

    def bridge(self, rate_hz: float) -> contextlib.AbstractContextManager[Program]:
        """A bridge's process."""
        module = "tests.acceptance.simulated_bridge"
        return program(["-m", module, str(self.bridge_config), str(rate_hz)], self.env)

    def committed(self) -> tuple[dict[str, int], dict[Identity, Content]]:
        """What the outbox of a dead bridge holds: each stream's next number, and what is left."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        # The dead bridge's socket is no file that could be copied.
        sockets = shutil.ignore_patterns("*.sock")
        shutil.copytree(self.folder / "bridge", copy, ignore=sockets)
        with contextlib.closing(sqlite3.connect(copy / "outbox.db")) as database:
            streams = dict(database.execute("SELECT id, next_seq FROM stream"))
            rows = database.execute(
                "SELECT id, payload FROM series_row JOIN stream ON stream.key = series_row.stream"
            )
            left: dict[Identity, Content] = {}
            for stream, payload in rows:
                row = Row(stream, Series.model_validate_json(payload))
                numbers = row.series.numbers()
                left.update(zip([(stream, n) for n in numbers], contents(row.series), strict=True))
        return streams, left


class Arrivals:
    """What came to a viewer, in order."""

    def __init__(self) -> None:
        self.readings: list[tuple[Identity, Content]] = []
        self._more = asyncio.Event()

    async def collect(self, updates: Updates) -> None:
        async for update in updates:
            message = update.message
            if isinstance(message, HealthDataUpdate):
                numbers = [(message.stream, number) for number in message.series.numbers()]
                self.readings += zip(numbers, contents(message.series), strict=True)
                self._more.set()

    async def until(self, enough: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not enough():
                self._more.clear()
                await self._more.wait()

    def has(self, count: int) -> bool:
        return len(self.readings) >= count

    def lack(self, wanted: set[Identity]) -> set[Identity]:
        return wanted - {identity for identity, _ in self.readings}


async def count_history(service: WebSocketService, users: list[str]) -> int:
    """How many readings the server has, by its own history."""
    count = 0
    for user in users:
        for metric in ("heart_rate", "steps", "battery"):
            after: str | None = None
            while True:
                params = {"user": user, "metric": metric, "fromMs": 0, "toMs": FAR_AWAY_MS}
                more = {} if after is None else {"after": after}
                page = await service.request("history", {**params, **more})
                assert isinstance(page, HistoryPage)
                count += sum(map(len, page.series))
                after = page.next
                if after is None:
                    break
    return count


async def test_a_bridge_killed_in_mid_flow_loses_and_doubles_nothing_stored(
    tmp_path: Path,
) -> None:
    machine = Machine(tmp_path)
    users = await asyncio.to_thread(machine.set_up)
    viewer_token = await asyncio.to_thread(machine.command, "token", "--viewer", "Coach", "--all")
    came = Arrivals()
    streams: dict[str, int] = {}
    left: dict[Identity, Content] = {}
    with strapline(["server", "run", "--config", machine.server_config], machine.env) as server:
        ready = await asyncio.to_thread(server.wait_for, r"serving on port (\d+)")
        port = ready[1]
        machine.bridge_config.write_text(BRIDGE.format(folder=tmp_path, port=port))
        async with WebSocketService(f"ws://127.0.0.1:{port}/ws", viewer_token) as viewer:
            collecting = asyncio.create_task(came.collect(viewer.updates(100_000)))
            for kill in range(3):
                with machine.bridge(RATE_HZ) as bridge:
                    enough = len(came.readings) + 150 + 37 * kill
                    await came.until(partial(came.has, enough))
                    status, _ = await asyncio.to_thread(bridge.stop, signal.SIGKILL)
                    assert status == -signal.SIGKILL
                at_death, still_there = machine.committed()
                streams.update(at_death)
                left.update(still_there)
            assert len(streams) == 3
            with machine.bridge(0) as bridge:
                wanted = {(stream, n) for stream, end in streams.items() for n in range(end)}
                await asyncio.to_thread(bridge.wait_for, "connected")
                await came.until(lambda: not came.lack(wanted))
                status, took_s = await asyncio.to_thread(bridge.stop)
                assert status == 0
                assert took_s < 5
            held = await count_history(viewer, users)
            collecting.cancel()
        assert (await asyncio.to_thread(server.stop))[0] == 0
    times = Counter(identity for identity, _ in came.readings)
    assert set(times.values()) == {1}
    # Nothing is on the server that was not stored: of the last run's own, only what it read.
    last_run = {identity for identity in times if identity[0] not in streams}
    assert set(times) == wanted | last_run
    assert held == len(times)
    arrived = dict(came.readings)
    assert left
    assert {identity: arrived[identity] for identity in left} == left
