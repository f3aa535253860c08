"""All of it together: what happens to whom, by one seed, and what must hold whatever happens."""

from __future__ import annotations

import copy
from collections import Counter
from random import Random
from typing import Literal

from strapline_protocol.intervals import IntervalSet
from tests.unit.protocol.simulated.link import Clock, End, Link
from tests.unit.protocol.simulated.machine import Machine
from tests.unit.protocol.simulated.outbox import Kept, Outbox, Reading
from tests.unit.protocol.simulated.server import Server
from tests.unit.protocol.simulated.store import Store
from tests.unit.protocol.simulated.viewer import Viewer

USERS = ("ada", "bob")
METRICS = ("heart_rate", "steps")
VIEWERS = ("vera", "walt")
Fate = Literal["sent", "lost", "left out"]


class ViolationError(AssertionError):
    """Something that must hold did not."""


class World:
    """A strap, machines, a server and viewers, for some virtual seconds.

    Args:
        seed: of everything that happens.
        mutants: names of bugs that are planted.
        backups: whether the server's database is restored from backups at times; then the
            machines' cards hold everything, since nobody else has what was acknowledged.
    """

    def __init__(
        self, seed: int, mutants: frozenset[str] = frozenset(), *, backups: bool = False
    ) -> None:
        self.random = Random(seed)  # noqa: S311  # a simulation is to be repeated
        self.mutants = mutants
        self.clock = Clock()
        self._backups = backups
        #: How many rows a card holds.
        self.disk = 10_000 if backups else 40
        self._calm = False
        self._streams = 0
        self._values = 0
        #: By number, what was measured: the truth.
        self._truth: dict[tuple[str, int], Reading] = {}
        self._grants = {viewer: set(USERS) for viewer in VIEWERS}
        #: When each grant ended, and whether it holds.
        self._revoked: dict[tuple[str, str], list[tuple[int, bool]]] = {}
        self._backup = Store()
        self._epochs = 0
        self.server = Server(self, Store())
        self.machines = [Machine(self)]
        self._cards: list[Outbox] = []
        self.viewers = [Viewer(self, name) for name in VIEWERS]
        self.machines[0].start()

    # ------------------------------------------------------------------- what the parts ask for

    def fail(self, what: str) -> None:
        """Something that must hold does not."""
        raise ViolationError(f"at {self.clock.now_ms} ms: {what}")

    def new_stream(self) -> str:
        """A stream's identity, as random as 128 bits."""
        self._streams += 1
        return f"stream{self._streams:016d}"

    def connect(self, client: End, who: str) -> Link:
        """A connection to the server, if there is one."""
        link = Link(self.clock, self.random)
        if self.server.alive:
            connection = self.server.accept(link, who)
            link.join(client, connection)
            connection.greet()
        else:
            self.clock.after(10, lambda: client.lost(1006, "refused"))
        return link

    def grants_of(self, who: str) -> set[str]:
        """Whom a viewer may see now."""
        return set(self._grants.get(who, ()))

    def fate(self) -> Fate:
        """What becomes of one change on its way to one viewer."""
        if self._calm:
            return "sent"
        return self.random.choices(("sent", "lost", "left out"), (90, 5, 5))[0]

    def measured(self, stream: str, number: int, reading: Reading, _: Outbox) -> None:
        """A bridge has committed a reading."""
        self._truth[stream, number] = reading

    def acknowledged(self, stream: str, held: IntervalSet, kept: Kept) -> None:
        """A bridge is told that these are safe: they had better be."""
        if self._backups:
            return  # a backup may have been restored meanwhile
        known = self.server.store.accounted(stream)
        if held.minus(known):
            self.fail(f"acknowledged and not stored: {held.minus(known)} of {stream}")
        for number, reading in kept.rows.items():
            if number in held:
                self._stored(stream, number, reading)

    def shown(self, viewer: str, user: str, sent_ms: int) -> None:
        """A viewer is shown something of a user that was sent at that moment."""
        before, at_that_time = True, False
        for at_ms, state in self._revoked.get((viewer, user), []):
            if at_ms < sent_ms:
                before = state
            elif at_ms == sent_ms:
                # In that same millisecond either may have come first.
                at_that_time = at_that_time or state
        if not (before or at_that_time):
            self.fail(f"{viewer} was sent something of {user} without a grant")

    def _stored(self, stream: str, number: int, reading: Reading) -> None:
        expected = (reading.user, reading.metric, reading.value)
        found = self.server.store.readings.get((stream, number))
        if found != expected:
            self.fail(f"reading {number} of {stream} is {found} and not {expected}")

    # ----------------------------------------------------------------------------- what happens

    def run(self, for_ms: int = 12_000) -> None:
        """Trouble for so long, then calm, then everything is checked."""
        end_ms = self.clock.now_ms + for_ms
        while self.clock.now_ms < end_ms:
            self.clock.run(self.random.randrange(60))
            self._happen()
        self._settle()
        self._check()

    def _happen(self) -> None:
        happenings = [
            (60, self._measure),
            (5, self._cut),
            (3, self._restart_machine),
            (2, self._back_up_card),
            (2, self._restart_server),
            (3, self._change_grant),
            (1, self._clone),
        ]
        if self._backups:
            happenings += [(1, self._back_up_store), (1, self._restore_store)]
        else:
            happenings += [(2, self._restore_card)]
        weights = [weight for weight, _ in happenings]
        self.random.choices([happening for _, happening in happenings], weights)[0]()

    def _measure(self, machine: Machine | None = None) -> None:
        machine = machine or self.random.choice(self.machines)
        for _ in range(self.random.choice((1, 1, 1, 4))):
            self._values += 1
            user, metric = self.random.choice(USERS), self.random.choice(METRICS)
            machine.measure(Reading(user, metric, self._values))

    def _cut(self) -> None:
        cuts = [machine.run.cut for machine in self.machines if machine.run]
        cuts += [viewer.cut for viewer in self.viewers]
        self.random.choice(cuts)()

    def _restart_machine(self) -> None:
        machine = self.random.choice(self.machines)
        machine.kill()
        self.clock.after(self.random.randrange(800), machine.start)

    def _back_up_card(self) -> None:
        self._cards.append(copy.deepcopy(self.random.choice(self.machines).outbox))

    def _restore_card(self) -> None:
        if self._cards:
            machine = self.random.choice(self.machines)
            machine.restore(self.random.choice(self._cards))
            self.clock.after(self.random.randrange(800), machine.start)

    def _clone(self) -> None:
        if len(self.machines) < 3:
            original = self.random.choice(self.machines).outbox
            clone = Machine(self, copy.deepcopy(original))
            self.machines.append(clone)
            clone.start()

    def _restart_server(self, store: Store | None = None) -> None:
        if self.server.alive:
            store = store or self.server.store
            if "positions_in_memory" in self.mutants:
                store.last = self.server.began_with.copy()
            self.server.die()
            self.clock.after(self.random.randrange(500), lambda: self._begin(store))

    def _begin(self, store: Store) -> None:
        self.server = Server(self, store)

    def _back_up_store(self) -> None:
        self._backup = self.server.store.copy()

    def _restore_store(self) -> None:
        store = self._backup.copy()
        if "keep_epoch" not in self.mutants:
            self._epochs += 1
            store.epoch = f"epoch-{self._epochs}"
        self._restart_server(store)

    def _change_grant(self) -> None:
        viewer, user = self.random.choice(VIEWERS), self.random.choice(USERS)
        self._set_grant(viewer, user, now=user not in self._grants[viewer])

    def _set_grant(self, viewer: str, user: str, *, now: bool) -> None:
        if now:
            self._grants[viewer].add(user)
        else:
            self._grants[viewer].discard(user)
        self._revoked.setdefault((viewer, user), []).append((self.clock.now_ms, now))
        self.server.granted(viewer, user, now=now)

    def _settle(self) -> None:
        """No trouble any more: each card has its turn, and then everybody hears a last word."""
        self._calm = True
        self.clock.run(1_000)
        for machine in self.machines:
            machine.kill()
        for machine in self.machines:
            machine.start()
            self._drain(machine)
            for user in USERS:
                for metric in METRICS:
                    self._values += 1
                    machine.measure(Reading(user, metric, self._values))
            self._drain(machine)
            machine.kill()
        self.clock.run(8_000)

    def _drain(self, machine: Machine) -> None:
        for _ in range(100):
            self.clock.run(1_000)
            if machine.run and machine.run.at_rest():
                return
        self.fail("a machine that is left in peace does not come to an end")

    # ------------------------------------------------------------------------------- what holds

    def _check(self) -> None:
        store = self.server.store
        for machine in self.machines:
            for stream, kept in machine.outbox.streams.items():
                self._check_card(stream, kept)
        for (stream, number), found in store.readings.items():
            reading = self._truth[stream, number]
            if found != (reading.user, reading.metric, reading.value):
                self.fail(f"reading {number} of {stream} is {found} and not {reading}")
        counted = Counter((user, metric) for user, metric, _ in store.readings.values())
        if +store.totals != counted:
            self.fail(f"counted {store.totals} where there are {counted}")
        for user, given in store.given.items():
            if given != list(range(1, len(given) + 1)):
                self.fail(f"positions of {user} have a hole or a repeat: {given}")
        for viewer in self.viewers:
            granted = self._grants[viewer.name]
            expected = {key: n for key, n in store.totals.items() if key[0] in granted}
            if viewer.screen != expected:
                self.fail(f"{viewer.name} sees {viewer.screen} and not {expected}")

    def _check_card(self, stream: str, kept: Kept) -> None:
        """All that was ever on this card is stored, or said to be gone."""
        known = self.server.store.accounted(stream)
        if missing := known.missing(0, kept.next_seq - 1) if kept.next_seq else []:
            self.fail(f"nothing is known of {missing} of {stream}")
        for number, reading in kept.rows.items():
            self._stored(stream, number, reading)
        if kept.dropped:
            self.fail(f"{kept.dropped} of {stream} was dropped and nobody told")
