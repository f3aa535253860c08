"""What a simulated world is made of, what it knows, and what must hold whatever happens."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Final

from strapline_bridge.outbox.batch import Batch
from strapline_protocol.codec import decode_server
from strapline_protocol.digest import digest_of_lines, lines_of
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.publishing import Acknowledged, Rejected
from strapline_protocol.watching import HealthDataUpdate, HistoryChanged
from strapline_server.store import Outcome
from strapline_server.store.database import FILE_NAME
from tests.simulation import card
from tests.simulation.card import DROPPED, RECEIVED, REJECTED, Identity, Stored
from tests.simulation.machine import Machine
from tests.simulation.server_process import ServerProcess
from tests.simulation.viewer import Viewer
from tests.simulation.virtual import Process, VirtualLoop
from tests.simulation.wire import BridgeSocket, Dialling, End, Link

USERS: Final = ("ana", "ben")
VIEWERS: Final = ("vera", "walt")
BRIDGE: Final = "pi"
#: The server looks at rights twice a second; within a second what was taken holds.
_RIGHTS_HOLD_MS: Final = 1_000
_BEGAN_MS: Final = 1_790_000_000_000


class ViolationError(AssertionError):
    """Something that must hold did not."""


class Ground:
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

    def _check_faults(self) -> None:
        faults = [*self.loop.faults, *(machine.fault() for machine in self.machines)]
        faults.append(self.server.fault() if self.server else None)
        for fault in faults:
            if fault is not None:
                self.fail(fault)
        if self._violation is not None:
            raise ViolationError(self._violation)

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


def _content(line: str) -> str:
    """A reading without its number: that of each is another, whatever number it got."""
    return line.split(",", 1)[1]


def _digest(numbered: list[tuple[int, str]]) -> str:
    return digest_of_lines(line for _, line in numbered)
