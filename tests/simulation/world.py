"""All of it together: what happens to whom, by one seed."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from strapline_protocol.opening import Role
from strapline_server.admin import Admin, make_authority
from strapline_server.store import Store, put_back
from strapline_server.store.database import FILE_NAME
from tests.simulation import card
from tests.simulation.card import Identity
from tests.simulation.ground import BRIDGE, USERS, VIEWERS, Ground, ViolationError
from tests.simulation.machine import Machine
from tests.simulation.patches import simulated
from tests.simulation.server_process import SECRET, ServerProcess, config_of
from tests.simulation.viewer import Viewer
from tests.simulation.virtual import EndlessError, Process, VirtualLoop
from tests.simulation.wire import Link

METRICS: Final = ("heart_rate", "heart_rate", "steps")
_LONG_S: Final = 30 * 86_400
_STEPS: Final = 110
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  # files of the test's own, in a folder of its own
_MOST_MACHINES: Final = 3


Mutant = Callable[[pytest.MonkeyPatch], None]


def run(seed: int, mutant: Mutant | None = None) -> World:
    """One simulation.

    Args:
        mutant: plants a bug.

    Raises:
        ViolationError: something that must hold does not.
    """
    world, violation = replay(seed, mutant)
    if violation is not None:
        raise ViolationError(violation)
    return world


def replay(seed: int, mutant: Mutant | None = None) -> tuple[World, str | None]:
    """One simulation, and what of it does not hold."""
    loop = VirtualLoop()
    folder = Path(tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))
    try:
        world = World(loop, seed, folder)
        with simulated(loop, seed, world.dial) as patch:
            if mutant is not None:
                mutant(patch)
            try:
                loop.run_until_complete(world.run())
            except (ViolationError, EndlessError) as error:
                return world, str(error)
        return world, None
    finally:
        loop.close()
        shutil.rmtree(folder)


class World(Ground):
    """Everything that happens to it: trouble first, then calm, then the check."""

    # ------------------------------------------------------------------------------- happenings

    async def run(self) -> None:
        """Trouble, then calm, then everything is checked."""
        try:
            await self._prepare()
            await self._happen()
            await self._settle()
            await self._check()
        finally:
            await self._end_all()

    async def _end_all(self) -> None:
        """Nothing is left that could go on."""
        for process in self._processes:
            if process.alive:
                process.die()
        for machine in self.machines:
            machine.kill()
        # Each task ends within a few steps, for nothing that it waits for comes.
        for _ in range(20):
            await asyncio.sleep(0)

    async def _happen(self) -> None:
        happenings = self._happenings()
        weights = [weight for weight, _ in happenings]
        for _ in range(_STEPS):
            await asyncio.sleep(self._pause_s())
            (_, happen), *_ = self.random.choices(happenings, weights)
            self._say(happen.__name__)
            self.counts[happen.__name__.strip("_")] += 1
            await happen()
            self._check_faults()

    def _happenings(self) -> list[tuple[int, Callable[[], Any]]]:
        happenings: list[tuple[int, Callable[[], Any]]] = [
            (60, self._measure),
            (6, self._cut),
            (2, self._go_silent),
            (4, self._kill_machine),
            (2, self._stop_machine),
            (2, self._reboot),
            (1, self._synchronise),
            (3, self._copy_card),
            (2, self._restore_card),
            (2, self._clone),
            (4, self._kill_server),
            (1, self._stop_server),
            (3, self._change_grant),
            (2, self._sleep),
            (2, self._fill_disk),
        ]
        if self.roomy:
            happenings += [(2, self._copy_store), (2, self._restore_store)]
        return happenings

    def _pause_s(self) -> float:
        draw = self.random.random()
        return self.random.random() * (2.0 if draw < 0.05 else 0.2 if draw < 0.6 else 0.01)

    async def _prepare(self) -> None:
        self._server_folder.mkdir()
        config = config_of(self._server_folder)
        store = Store(self._server_folder, self.wall_ms)
        process = self.new_process("setup")
        database: Any = store._database
        await process.spawn(store.open())
        admin = Admin(store, make_authority(config, SECRET, self.wall_ms))

        async def set_up() -> None:
            for user in USERS:
                await admin.add_user(user, zone="Europe/Berlin")
            self.tokens["bridge"] = await admin.issue_token(
                BRIDGE, Role.BRIDGE, list(USERS), _LONG_S
            )
            for viewer in VIEWERS:
                self.tokens[viewer] = await admin.issue_token(
                    viewer, Role.VIEWER, list(USERS), _LONG_S
                )

        await process.spawn(set_up())
        database._close()
        self._positions = dict.fromkeys(USERS, 0)
        for viewer in VIEWERS:
            self._granted[viewer].append((0, frozenset(USERS)))
        self._start_server()
        self.machines = [Machine(self, "card1", self.folder / "card1-0")]
        self.machines[0].start()
        self.viewers = {name: Viewer(self, name) for name in VIEWERS}

    async def _measure(self) -> None:
        self._measure_on(self.random.choice(self.machines), self.random.choice((1, 1, 2, 9)))

    def _measure_on(self, machine: Machine, readings: int) -> None:
        for _ in range(readings):
            self._serial += 1
            user, metric = self.random.choice(USERS), self.random.choice(METRICS)
            self.counts["measured"] += machine.measure(user, metric, self._serial)

    def _links(self) -> list[Link]:
        ends: list[Machine | Viewer] = [*self.machines, *self.viewers.values()]
        return [end.link for end in ends if end.link is not None and end.link.open]

    async def _cut(self) -> None:
        if links := self._links():
            self.random.choice(links).cut()

    async def _go_silent(self) -> None:
        if links := self._links():
            self.random.choice(links).silent = True

    async def _kill_machine(self) -> None:
        machine = self.random.choice(self.machines)
        machine.kill()
        self._start_later(machine)

    def _start_later(self, machine: Machine) -> None:
        self.loop.from_outside(self.random.random() * 0.8, lambda: self._start(machine))

    def _start(self, machine: Machine) -> None:
        if not self.calm:
            machine.start()

    async def _stop_machine(self) -> None:
        machine = self.random.choice(self.machines)
        await machine.stop()
        self._start_later(machine)

    async def _reboot(self) -> None:
        machine = self.random.choice(self.machines)
        machine.kill()
        machine.boot(rightly=self.random.random() < 0.5)
        self._start_later(machine)

    async def _synchronise(self) -> None:
        self.random.choice(self.machines).synchronise()

    async def _copy_card(self) -> None:
        machine = self.random.choice(self.machines)
        if machine.path.exists():
            target = self.folder / f"card-copy-{len(self._card_copies)}"
            machine.copy_card(target)
            self._card_copies.append(target)

    async def _restore_card(self) -> None:
        if not self._card_copies:
            return
        machine = self.random.choice(self.machines)
        before = machine.look()
        lost = [one for one in self.owed if before.knows(one)]
        machine.restore(self.random.choice(self._card_copies))
        self._forgive(lost)
        self._start_later(machine)

    def _forgive(self, lost: Iterable[Identity]) -> None:
        """What no card has any more and no store has is nobody's to send."""
        cards = [machine.look() for machine in self.machines]
        stored = self._read_store()
        for identity in lost:
            known = any(one.knows(identity) for one in cards) or stored.received(identity)
            if not known and identity in self.owed:
                del self.owed[identity]
                self.counts["forgiven"] += 1

    async def _clone(self) -> None:
        if len(self.machines) < _MOST_MACHINES:
            original = self.random.choice(self.machines)
            name = f"card{len(self.machines) + 1}"
            clone = Machine(self, name, self.folder / f"{name}-0")
            if original.path.exists():
                original.copy_card(clone.folder)
            self.machines.append(clone)
            clone.start()

    # The server

    def _new_server_folder(self) -> Path:
        self._generation += 1
        folder = self.folder / f"server-{self._generation}"
        folder.mkdir()
        return folder

    def _start_server(self) -> None:
        process = self.new_process(f"server-{self._generation}")
        self.server = ServerProcess(self, self._server_folder, process)

    async def _kill_server(self, then: Callable[[], None] = lambda: None) -> None:
        server, self.server = self.server, None
        if server is None:
            return
        self._server_folder = self._new_server_folder()
        server.kill(self._server_folder)
        then()
        self.loop.from_outside(self.random.random() * 0.5, self._start_server)

    async def _stop_server(self) -> None:
        server = self.server
        if server is None or not server.ready:
            return
        self._server_folder = self._new_server_folder()
        await server.stop(self._server_folder)
        self.server = None
        self.loop.from_outside(self.random.random() * 0.5, self._start_server)

    async def _change_grant(self) -> None:
        server = self.server
        if server is None or not server.ready:
            return
        viewer = self.random.choice(VIEWERS)
        users = self.random.choice((["ana"], ["ben"], ["ana", "ben"]))
        work = server.process.spawn(server.server.admin.grant(viewer, Role.VIEWER, users))
        await asyncio.wait([work])
        if not work.cancelled():
            # A disk that is full refuses it.
            work.exception()

    async def _copy_store(self) -> None:
        if self.server is not None and self.server.ready:
            target = self.folder / f"store-copy-{len(self._store_copies)}"
            self.server.back_up(target)
            self._store_copies.append(target)

    async def _restore_store(self) -> None:
        if self._store_copies:
            await self._kill_server(self._put_back)

    def _put_back(self) -> None:
        before = self._read_store()
        put_back(self._server_folder, self.random.choice(self._store_copies))
        after = self._read_store()
        self._positions = {user: after.positions[user] for user in USERS}
        for user, log in self._log.items():
            self._log[user] = [one for one in log if one[0] <= after.positions[user]]
        with closing(sqlite3.connect(self._server_folder / FILE_NAME)) as database:
            for viewer in VIEWERS:
                users = card.shown_to(database, viewer)
                self._granted[viewer].append((self.loop.now_ms, users))
        self._forgive(
            [one for one in before.lines if before.received(one) and not after.received(one)]
        )

    async def _sleep(self) -> None:
        """Hours pass in which nothing is measured."""
        self.slept_ms += self.random.choice((3_000, 400_000, 4_500_000))

    async def _fill_disk(self) -> None:
        choices = [machine.process for machine in self.machines if machine.process]
        if self.server is not None and self.server.ready:
            choices.append(self.server.process)
        if choices:
            process = self.random.choice(choices)
            process.disk_full = True
            self.loop.from_outside(self.random.random() * 2, lambda: _make_room(process))

    # ---------------------------------------------------------------------------------- the end

    async def _settle(self) -> None:
        """No trouble any more: each card has its turn, and says a last word."""
        self.calm = True
        for link in self._links():
            link.cut()
        await asyncio.sleep(2.5)
        if self.server is None:
            self._start_server()
        for machine in self.machines:
            machine.kill()
            machine.synchronise()
        for machine in self.machines:
            machine.start()
            await self._drain(machine)
            self._measure_on(machine, 9)
            await self._drain(machine)
            await machine.stop()
            self._check_faults()
        await asyncio.sleep(3)
        self._check_faults()

    async def _drain(self, machine: Machine) -> None:
        for _ in range(600):
            await asyncio.sleep(0.2)
            self._check_faults()
            outbox = machine.outbox
            if outbox is None:
                continue
            status = outbox.status()
            records = outbox.records()
            quiet = all(one.told and not any(one.holes.values()) for one in records)
            if not status.pending and not status.waiting and quiet:
                # What was answered is on the disk a second later.
                await asyncio.sleep(1.2)
                return
        outbox = machine.outbox
        left = outbox and [(one.pending(), one.told, one.holes) for one in outbox.records()]
        self.fail(f"{machine.name} is left in peace and does not come to an end: {left}")
        self._check_faults()


def _make_room(process: Process) -> None:
    process.disk_full = False
