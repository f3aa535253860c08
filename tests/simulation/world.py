"""All of it together: what happens to whom, by one seed, and what must hold whatever happens."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import sqlite3
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from strapline_bridge.outbox.batch import Batch
from strapline_protocol.codec import decode_server
from strapline_protocol.digest import digest_of_lines, lines_of
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.opening import Role
from strapline_protocol.publishing import Acknowledged, Rejected
from strapline_protocol.watching import HealthDataUpdate, HistoryChanged
from strapline_server.admin import Admin, make_authority
from strapline_server.store import Outcome, Store, put_back
from strapline_server.store.database import FILE_NAME
from tests.simulation import card
from tests.simulation.card import DROPPED, RECEIVED, REJECTED, Identity, Stored
from tests.simulation.machine import Machine
from tests.simulation.patches import simulated
from tests.simulation.server_process import SECRET, ServerProcess, config_of
from tests.simulation.viewer import Viewer
from tests.simulation.virtual import EndlessError, Process, VirtualLoop
from tests.simulation.wire import BridgeSocket, Dialling, End, Link

USERS: Final = ("ana", "ben")
METRICS: Final = ("heart_rate", "heart_rate", "steps")
VIEWERS: Final = ("vera", "walt")
BRIDGE: Final = "pi"
#: The server looks at rights twice a second; within a second what was taken holds.
_RIGHTS_HOLD_MS: Final = 1_000
_BEGAN_MS: Final = 1_790_000_000_000
_LONG_S: Final = 30 * 86_400
_STEPS: Final = 110
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  # files of the test's own, in a folder of its own
_MOST_MACHINES: Final = 3


class ViolationError(AssertionError):
    """Something that must hold did not."""


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


class World:
    """Straps, machines, a server and viewers, for some virtual seconds.

    Even seeds have roomy cards, and the store comes back from old copies; odd ones have cards
    whose bound is met, since what is then discarded nobody can send again.

    Attributes:
        slept_ms: by how much all clocks are ahead of the loop's: hours in which nothing happened.
        trace: all that happened, for a comparison with another run.
    """

    def __init__(self, loop: VirtualLoop, seed: int, folder: Path) -> None:
        self.loop = loop
        self.seed = seed
        self.folder = folder
        self.roomy = seed % 2 == 0
        self.random = self._dice("world")
        self.random_of_viewers = self._dice("viewers")
        self.slept_ms = 0
        self.calm = False
        self.trace: list[str] = []
        self.counts: Counter[str] = Counter()
        self.tokens: dict[str, str] = {}
        self.server: ServerProcess | None = None
        self.machines: list[Machine] = []
        self.viewers: dict[str, Viewer] = {}
        self._processes: list[Process] = []
        self._violation: str | None = None
        self._serial = 0
        self._numbers = 0
        self._generation = 0
        self._server_folder = folder / "server-0"
        #: All that was ever durable on a card: the truth.
        self.known: dict[Identity, str] = {}
        #: What the server must have in the end, or an explanation of.
        self.owed: dict[Identity, None] = {}
        #: Whatever was acknowledged, at any time.
        self._acknowledged: dict[str, IntervalSet] = defaultdict(IntervalSet)
        self._positions: dict[str, int] = {}
        self._log: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._granted: dict[str, list[tuple[int, frozenset[str]]]] = defaultdict(list)
        self._card_copies: list[Path] = []
        self._store_copies: list[Path] = []

    # ------------------------------------------------------------------ what the parts ask for

    def fail(self, what: str) -> None:
        """Something that must hold does not."""
        self._violation = self._violation or f"at {self.loop.now_ms} ms: {what}"

    def wall_ms(self) -> int:
        """The right wall time."""
        return _BEGAN_MS + self.loop.now_ms + self.slept_ms

    def new_process(self, name: str) -> Process:
        """A process with randomness of its own."""
        process = Process(name, self._dice(name))
        self._processes.append(process)
        return process

    def _dice(self, name: str) -> Random:
        return Random(f"{self.seed}-{name}")  # noqa: S311  # a simulation is to be repeated

    def _say(self, what: str) -> None:
        self.trace.append(f"{self.loop.now_ms} {what}")

    def dial(self, *_: object, **__: object) -> Dialling:
        """A bridge connects."""
        process = Process.current()
        machine = next(one for one in self.machines if one.process is process)

        async def join() -> BridgeSocket:
            await asyncio.sleep(self._patience_s(process.random))
            if self.server is None or not self.server.ready:
                raise ConnectionRefusedError("refused")
            link = self._new_link()
            machine.link = link
            socket = BridgeSocket(link)
            self._join(link, socket, BRIDGE)
            return socket

        return Dialling(join)

    def _patience_s(self, random: Random) -> float:
        return random.random() * (0.005 if self.calm else 0.05)

    def connect(self, viewer: Viewer, name: str) -> Link:
        """A viewer connects."""
        link = self._new_link()
        if self.server is None or not self.server.ready:
            self.loop.from_outside(0.02, lambda: viewer.lost(1006, "refused"))
            link.open = False
        else:
            self._join(link, viewer, name)
        return link

    def next_number(self) -> int:
        """Another one each time."""
        self._numbers += 1
        return self._numbers

    def _new_link(self) -> Link:
        return Link(self.loop, self._dice(f"link-{self.next_number()}"), calm=self.calm)

    def _join(self, link: Link, end: End, sub: str) -> None:
        assert self.server is not None
        carrier = self.server.accept(link, sub)
        link.join(end, carrier)
        carrier.begin()

    # ------------------------------------------------------------------- what the parts report

    def card_committed(self, machine: Machine, batch: Batch) -> None:
        """A transaction of an outbox is durable."""
        if batch.growth is None:
            return
        for row in batch.growth.rows:
            for number, line in lines_of(row.series):
                identity = row.stream, number
                if self.known.setdefault(identity, line) != line:
                    self.fail(f"{identity} was given to two readings")
                self.owed[identity] = None
                self._say(f"{machine.name} commits {identity}")

    def durable(self, outcome: Outcome) -> None:
        """A transaction of the store is durable, and nobody was told yet."""
        for change in outcome.changes:
            (_, n), user = change.message.position, change.user
            if n != self._positions[user] + 1:
                self.fail(f"{user}'s position {n} follows {self._positions[user]}")
            self._positions[user] = n
            self._log[user].append((n, change.metric))
            self._say(f"store: {user} {n} {change.metric}")

    def granted(self) -> None:
        """A grant was written."""
        for viewer in VIEWERS:
            self._granted[viewer].append((self.loop.now_ms, self._shown_to(viewer)))

    def _shown_to(self, viewer: str) -> frozenset[str]:
        assert self.server is not None
        return card.shown_to(self.server.look(), viewer)

    def narrowed(self, sub: str) -> None:
        """A viewer's way is too narrow for each change."""
        if sub in self.viewers:
            self.counts["congested"] += 1
            self.viewers[sub].narrowed(USERS)

    def server_says(self, sub: str, payload: bytes) -> None:
        """A message leaves the server: may it be said at this moment?"""
        message = decode_server(payload)
        self._say(f"server to {sub}: {message.type}")
        match message:
            case Acknowledged():
                self._check_acknowledged(message)
            case Rejected():
                self.fail(f"rejected: {message.code} {message.ranges} {message.message}")
            case HealthDataUpdate() | HistoryChanged():
                if message.position[1] > self._positions[message.user]:
                    self.fail(f"{sub} is told of {message.position}, which is not committed")
                self._check_shown(sub, message.user)

    def _check_acknowledged(self, message: Acknowledged) -> None:
        assert self.server is not None
        self.counts["acknowledged"] += 1
        known = card.accounted(self.server.look(), message.stream)
        told = IntervalSet(message.ranges)
        if missing := told.minus(known):
            self.fail(f"acknowledged and not stored: {missing} of {message.stream}")
        self._acknowledged[message.stream].update(message.ranges)

    def _check_shown(self, viewer: str, user: str) -> None:
        since_ms = self.loop.now_ms - _RIGHTS_HOLD_MS
        for at_ms, users in reversed(self._granted[viewer]):
            if user in users:
                return
            if at_ms <= since_ms:
                break
        self.fail(f"{viewer} is sent something of {user} without a grant")

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

    def _check_faults(self) -> None:
        faults = [*self.loop.faults, *(machine.fault() for machine in self.machines)]
        faults.append(self.server.fault() if self.server else None)
        for fault in faults:
            if fault is not None:
                self.fail(fault)
        if self._violation is not None:
            raise ViolationError(self._violation)

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

    # ------------------------------------------------------------------------------- what holds

    def _read_store(self) -> Stored:
        if self.server is not None:
            return card.read_store(self.server.look())
        with closing(sqlite3.connect(self._server_folder / FILE_NAME)) as database:
            database.isolation_level = None
            return card.read_store(database)

    async def _check(self) -> None:
        stored = self._read_store()
        self._check_store(stored)
        for machine in self.machines:
            self._check_card(machine, stored)
        for viewer in self.viewers.values():
            self._check_viewer(viewer, stored)
        self._check_faults()

    def _check_store(self, stored: Stored) -> None:
        for identity, lines in stored.lines.items():
            if lines != [self.known.get(identity)]:
                self.fail(f"{identity} is {lines} and not {self.known.get(identity)}")
        doubled = Counter(line for lines in stored.lines.values() for line in map(_content, lines))
        if twice := [line for line, times in doubled.items() if times > 1]:
            self.fail(f"counted twice: {twice[:3]}")
        for stream, numbers in stored.accounts[RECEIVED].items():
            there = IntervalSet.of(number for one, number in stored.lines if one == stream)
            if there != numbers:
                self.fail(f"{stream}: {numbers} is said to be there, and {there} is")
        if rejected := stored.accounts[REJECTED]:
            self.fail(f"rejected: {rejected}")
        missing = [
            identity
            for identity in self.owed
            if not stored.received(identity)
            and identity[1] not in stored.accounts[DROPPED][identity[0]]
        ]
        if missing:
            self.fail(f"nobody knows of {missing[:5]} ({len(missing)} of {len(self.owed)})")
        self.counts["stored"] = len(stored.lines)
        self.counts["dropped"] = sum(map(len, stored.accounts[DROPPED].values()))
        self._check_digests(stored)
        for user, n in stored.positions.items():
            if n != self._positions[user]:
                self.fail(f"{user} is at {n} where {self._positions[user]} was given")

    def _check_digests(self, stored: Stored) -> None:
        """Both ends say the same of each stream."""
        theirs = card.by_stream((one, lines[0]) for one, lines in stored.lines.items())
        ours = card.by_stream((one, self.known[one]) for one in stored.lines)
        for stream, numbered in theirs.items():
            if _digest(numbered) != _digest(ours[stream]):
                self.fail(f"{stream} differs")

    def _check_card(self, machine: Machine, stored: Stored) -> None:
        """All that was ever on this card is there, or said to be gone; nothing waits."""
        found = machine.look()
        if found.twice:
            self.fail(f"{machine.name} has twice: {found.twice[:3]}")
        for identity, line in found.rows.items():
            if self.known.get(identity) != line:
                self.fail(f"{machine.name} has {identity} as {line}")
        for stream, numbers in found.pending().items():
            if numbers:
                self.fail(f"{machine.name}: {numbers} of {stream} still waits")
        for stream, numbers in found.settled.items():
            if early := numbers.minus(self._acknowledged[stream]):
                self.fail(f"{machine.name}: nobody acknowledged {early} of {stream}")
        for stream, numbers in found.dead.items():
            if numbers:
                self.fail(f"{machine.name}: {numbers} of {stream} is dead")

    def _check_viewer(self, viewer: Viewer, stored: Stored) -> None:
        granted = self._granted[viewer.name][-1][1]
        if viewer.start.keys() != granted:
            self.fail(f"{viewer.name} sees {set(viewer.start)} and not {set(granted)}")
            return
        for (user, metric), n in stored.heads.items():
            if user not in granted:
                continue
            start = viewer.start[user]
            if viewer.seen.get((user, metric), start)[1] < n and n > start[1]:
                self.fail(f"{viewer.name} has not heard of {n} of {user}'s {metric}")
        for user, (_, begin) in viewer.start.items():
            due = [n for n, _ in self._log[user] if n > begin]
            taken = viewer.taken[user]
            if len(set(taken)) != len(taken):
                self.fail(f"{viewer.name} took a change of {user} twice")
            if user not in viewer.narrow and sorted(taken) != due:
                self.fail(f"{viewer.name} took {sorted(taken)[-9:]} of {user}, not {due[-9:]}")

    def summary(self) -> str:
        """A digest of all that happened."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()


def _make_room(process: Process) -> None:
    process.disk_full = False


def _content(line: str) -> str:
    """A reading without its number: that of each is another, whatever number it got."""
    return line.split(",", 1)[1]


def _digest(numbered: list[tuple[int, str]]) -> str:
    return digest_of_lines(line for _, line in numbered)
