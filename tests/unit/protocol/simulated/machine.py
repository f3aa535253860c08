"""A machine with a bridge on it: runs, is killed, restored and cloned."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from strapline_protocol.bridge_session import BridgeSession
from strapline_protocol.closing import Backoff, Reaction, reaction_to
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.link import LinkState
from strapline_protocol.opening import Authenticated, Hello
from strapline_protocol.publishing import Acknowledged, Dropped, Lane, Rejected, Stream
from strapline_protocol.series import Series, differences
from tests.unit.protocol.examples import CLIENT, ZERO
from tests.unit.protocol.simulated.link import Link
from tests.unit.protocol.simulated.outbox import Kept, Outbox, Reading

if TYPE_CHECKING:
    from tests.unit.protocol.simulated.world import World

#: Instead of an hour.
LONG_MS = 3_000


class Machine:
    """One card, with at most one run of the bridge on it."""

    def __init__(self, world: World, outbox: Outbox | None = None) -> None:
        self.outbox = outbox or Outbox()
        self.run: Run | None = None
        self._world = world

    def start(self) -> None:
        """Begin a run, which makes a stream of its own."""
        if self.run is None:
            self.run = Run(self._world, self)

    def kill(self) -> None:
        """What is not on the card is gone."""
        if self.run is not None:
            self.run.die()
            self.run = None

    def restore(self, backup: Outbox) -> None:
        """The card is as it was then."""
        self.kill()
        self.outbox = copy.deepcopy(backup)

    def measure(self, reading: Reading) -> None:
        """The strap says something, to a bridge that runs."""
        if self.run is not None:
            self.run.measure(reading)


class Run:
    """One run of the bridge, and its connection."""

    def __init__(self, world: World, machine: Machine) -> None:
        self._world = world
        self._outbox = machine.outbox
        self._alive = True
        self._session = BridgeSession(world.clock.now_ms, CLIENT)
        self._link: Link | None = None
        self._backoff = Backoff()
        self._answered: set[str] = set()
        streams = list(self._outbox.streams)
        if "reuse_stream" in world.mutants and streams:
            self._stream = streams[-1]
        else:
            self._stream = world.new_stream()
        self._connect()

    def at_rest(self) -> bool:
        """Whether the server has answered for all that is on the card."""
        streams = self._outbox.streams
        return streams.keys() <= self._answered and not any(
            kept.pending() or kept.dropped for kept in streams.values()
        )

    def die(self) -> None:
        """End at once, in the middle of whatever it was."""
        self._alive = False
        if self._link:
            self._link.cut()

    def cut(self) -> None:
        """The network goes."""
        if self._link:
            self._link.cut()

    def measure(self, reading: Reading) -> None:
        """Commit a reading and send what can be sent."""
        number = self._outbox.add(self._stream, reading)
        self._world.measured(self._stream, number, reading, self._outbox)
        self._outbox.bound(self._world.disk, silently="silent_drop" in self._world.mutants)
        self._pump()

    def _connect(self) -> None:
        if self._alive:
            self._session = BridgeSession(self._world.clock.now_ms, CLIENT)
            self._answered.clear()
            self._link = self._world.connect(self, "bridge")

    def lost(self, code: int, _reason: str) -> None:
        """Come back later."""
        if not self._alive:
            return
        if "skip_range" in self._world.mutants:
            for stream, kept in self._outbox.streams.items():
                kept.acknowledged.update(self._session.under_way(stream))
        self._session.closed()
        self._backoff = self._backoff.useful() if self._session.useful else self._backoff.failed()
        delay_ms = self._backoff.delay_ms(self._world.random.random())
        if reaction_to(code) is Reaction.WAIT_LONG:
            delay_ms = LONG_MS
        self._world.clock.after(min(delay_ms, LONG_MS), self._connect)

    def heard(self, frame: bytes) -> None:
        """Take what the server says."""
        if not self._alive or self._session.state is LinkState.CLOSED:
            return
        message = self._session.receive(frame, self._world.clock.now_ms)
        match message:
            case Hello():
                self._send(self._session.authenticate("bridge"))
            case Authenticated():
                for stream in self._outbox.streams:
                    self._declare(stream)
            case Acknowledged():
                self._acknowledged(message)
            case Rejected():
                self._world.fail(f"rejected: {message}")
        self._pump()

    def _acknowledged(self, message: Acknowledged) -> None:
        kept = self._outbox.streams.setdefault(message.stream, Kept())
        held = IntervalSet(message.ranges)
        if message.zero_version is not None:
            # All that the server holds: a restored database may have lost what it acknowledged.
            kept.acknowledged = held.copy()
            self._answered.add(message.stream)
        kept.acknowledged.update(held)
        for first, last in held:
            kept.dropped.remove(first, last)
        self._world.acknowledged(message.stream, held, kept)

    def _declare(self, stream: str) -> None:
        kept = self._outbox.streams[stream]
        declared = Stream(stream=stream, next_seq=kept.next_seq, zero=ZERO)
        self._send(self._session.declare(declared))

    def _pump(self) -> None:
        """Send all that there is room for: the present first."""
        if self._session.state is not LinkState.READY:
            return
        for stream in sorted(self._outbox.streams, key=lambda one: one != self._stream):
            if self._session.declared(stream) is None:
                self._declare(stream)
            if stream in self._answered:
                self._publish(stream)

    def _publish(self, stream: str) -> None:
        kept = self._outbox.streams[stream]
        under_way = self._session.under_way(stream)
        if gone := kept.dropped.minus(under_way).ranges():
            self._send(self._session.drop(Dropped(stream=stream, ranges=gone, reason="full")))
        lane = Lane.LIVE if stream == self._stream else Lane.BACKLOG
        due = [number for number in kept.pending() if number not in under_way]
        while due and (room := self._session.room(lane)):
            part, due = due[: min(room, 6)], due[min(room, 6) :]
            series = as_series(kept, part)
            self._send(self._session.publish(stream, lane, series, self._world.clock.now_ms))

    def _send(self, frame: bytes) -> None:
        assert self._link is not None
        self._link.send(frame, to_client=False)


def as_series(kept: Kept, numbers: list[int]) -> list[Series]:
    """These rows as series, one for each user and metric."""
    groups: dict[tuple[str, str], list[int]] = {}
    for number in numbers:
        reading = kept.rows[number]
        groups.setdefault((reading.user, reading.metric), []).append(number)
    return [
        Series(
            user=user,
            device="strap",
            metric=metric,
            seq=differences(group),
            elapsed_ms=differences([number * 1_000 for number in group]),
            value=[kept.rows[number].value for number in group],
        )
        for (user, metric), group in groups.items()
    ]
