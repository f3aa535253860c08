"""A bridge's real parts and a real store on a virtual clock; between them frames, and no socket."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from strapline_bridge.clock import ClockState, TimeSource
from strapline_bridge.gaps import GapWatch
from strapline_bridge.intake import Arrived, Described, Intake
from strapline_bridge.outbox import Limits, Outbox, OutboxObserver, Row, Run
from strapline_bridge.radio import LinkChange, RadioEvent, RadioNotice
from strapline_bridge.status import DeviceBoard
from strapline_bridge.timekeeper import Timekeeper
from strapline_bridge.uplink.conversation import Conversation
from strapline_bridge.uplink.sent import Sent
from strapline_bridge.wearables import Wearable
from strapline_protocol.base import WireModel
from strapline_protocol.bridge_session import BridgeSession
from strapline_protocol.codec import decode_client, encode
from strapline_protocol.metrics import METRICS
from strapline_protocol.opening import Authenticated, Client, Hello, Role
from strapline_protocol.opening import ClockState as ServerClockState
from strapline_protocol.publishing import (
    ClockStatus,
    Dropped,
    Readings,
    Rejected,
    Status,
    Stream,
)
from strapline_server.store import Store, Work

SUB: Final = "pi"
_NS_PER_MS: Final = 1_000_000
_CLIENT: Final = Client(name="strapline-bridge", version="0", metrics=list(METRICS))
_FAR_MS: Final = 2**45


class Machine:
    """The bridge's machine: its clocks over the true time, which alone a test knows.

    Attributes:
        now_ms: the true time, wall ms.
        clock_right: its wall clock is synchronised; else it began in 1970 at its boot.
        slept_ms: for how long of this boot it was suspended.
    """

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.clock_right = True
        self.slept_ms = 0
        self._boots = 0
        self.boot(clock_right=True)

    def boot(self, *, clock_right: bool) -> None:
        """Another boot: its boot clock has nothing in common with the one before."""
        self._boots += 1
        self.boot_ms = self.now_ms
        self.slept_ms = 0
        self.clock_right = clock_right

    @property
    def boot_id(self) -> str:
        return f"boot-{self._boots}"

    def boot_ns(self) -> int:
        """The boot clock, which counts sleep."""
        return (self.now_ms - self.boot_ms) * _NS_PER_MS

    def awake_ns(self) -> int:
        """The monotonic clock, which does not."""
        return self.boot_ns() - self.slept_ms * _NS_PER_MS

    def wall_ms(self) -> int:
        """What the machine takes for the time."""
        return self.now_ms if self.clock_right else self.now_ms - self.boot_ms

    def clock_state(self) -> ClockState:
        if self.clock_right:
            return ClockState(TimeSource.SYSTEM, 10)
        return ClockState(TimeSource.ESTIMATE, 86_400_000)


@dataclass(frozen=True, slots=True)
class _Clock:
    read: Callable[[], int]

    def now_ns(self) -> int:
        return self.read()


@dataclass(frozen=True, slots=True)
class _WallClock:
    machine: Machine

    def now_ms(self) -> int:
        return self.machine.wall_ms()


class Told(OutboxObserver):
    """What was committed, by number: the readings that nothing may lose from then on.

    Attributes:
        safe: the true time and the value of each heart rate, by stream, number and device.
    """

    def __init__(self, zero_ms: int, safe: dict[tuple[str, int], Kept]) -> None:
        self._zero_ms = zero_ms
        self._safe = safe

    def committed(self, rows: Sequence[Row]) -> None:
        for row in rows:
            series = row.series
            for number, elapsed, value in zip(
                series.numbers(), series.elapsed(), series.value, strict=True
            ):
                kept = Kept(series.device, series.metric, self._zero_ms + elapsed, value)
                assert (row.stream, number) not in self._safe, "a number is given once"
                self._safe[row.stream, number] = kept


@dataclass(frozen=True, slots=True)
class Kept:
    """One reading that was committed; ``at_ms`` is the true time."""

    device: str
    metric: str
    at_ms: int
    value: float | None


@dataclass(slots=True)
class Fates:
    """What became of numbers, as the server and the outbox said it; by stream and number."""

    dropped: set[tuple[str, int]]
    rejected: set[tuple[str, int]]


class Line:
    """One connection from a bridge to the store, without a socket: what ingest does, at once."""

    def __init__(self, run: BridgeRun, store: Store, now_ms: int) -> None:
        self._run = run
        self._store = store
        self._session = BridgeSession(now_ms, _CLIENT)
        self.status: Status | None = None
        hello = Hello(
            store=store.store_id,
            epoch=store.epoch,
            server_time=now_ms,
            clock_state=ServerClockState.SYNCHRONISED,
        )
        self._session.receive(encode(hello), now_ms)
        run.greeted(hello)
        self._session.authenticate("t")
        authenticated = Authenticated(
            session="s",
            principal=SUB,
            role=Role.BRIDGE,
            users=[],
            expires_at=_FAR_MS,
            heartbeat_ms=15_000,
            reconnect_spread_ms=0,
        )
        self._session.receive(encode(authenticated), now_ms)
        self._conversation = Conversation(
            run.outbox,
            self._session,
            authenticated,
            store=store.store_id,
            new_history=False,
            sent=run.sent,
            status=run.status,
            wake=lambda: None,
            most_bytes=256 * 1_024,
        )
        run.outbox.observe(self._conversation)

    async def pump(self, now_ms: int, fates: Fates) -> None:
        """Say all that there is to say, and take the answers; until both have nothing left."""
        while works := await self._works(fates):
            for answer in await self._answers(works, fates):
                message = self._session.receive(encode(answer), now_ms)
                assert message is not None
                self._conversation.take(message)

    async def break_off(self, fates: Fates) -> None:
        """What was said last is stored, and the answer never comes; the connection is gone.

        It is said once more, as by a clone of this outbox that missed the answer too.
        """
        works = await self._works(fates)
        for _ in range(2):
            await self._answers(works, fates)
        self.cut()

    async def _answers(self, works: Sequence[Work], fates: Fates) -> list[WireModel]:
        outcome = await self._store.commit(works)
        answers = [one for answers in outcome.answers for one in answers]
        for answer in answers:
            if isinstance(answer, Rejected):
                fates.rejected.update(_numbers(answer))
        return answers

    async def _works(self, fates: Fates) -> list[Work]:
        grant = await self._store.grant(SUB)
        assert grant is not None
        works = []
        while (frame := await self._conversation.next_frame()) is not None:
            message = decode_client(frame)
            if isinstance(message, Status):
                self.status = message
                continue
            assert isinstance(message, Stream | Readings | Dropped)
            if isinstance(message, Dropped):
                fates.dropped.update(_numbers(message))
            works.append(Work(grant, message))
        return works

    def report(self) -> None:
        """Let the bridge say how it is with the next frames."""
        self._conversation.report()

    def cut(self) -> None:
        """The connection is gone."""
        self._run.outbox.ignore(self._conversation)
        self._session.closed()


def _numbers(message: Dropped | Rejected) -> list[tuple[str, int]]:
    return [
        (message.stream, number)
        for first, last in message.ranges
        for number in range(first, last + 1)
    ]


class BridgeRun:
    """One run of the bridge's process: radio events in, an outbox on the disk."""

    def __init__(self, machine: Machine, folder: Path, wearables: Sequence[Wearable]) -> None:
        self.machine = machine
        self.folder = folder
        self.sent = Sent()
        self.zero_ms = machine.now_ms
        self._wearables = wearables
        self._users = {one.device: one.user for one in wearables}
        self._time = Timekeeper(
            _Clock(machine.boot_ns),
            _WallClock(machine),
            machine.clock_state,
            _Clock(machine.awake_ns),
        )
        self._board = DeviceBoard(machine.boot_ns())
        self._gaps = GapWatch(machine.boot_ns(), self._time.suspensions.slept_ns)

    async def start(self, limits: Limits, safe: dict[tuple[str, int], Kept]) -> None:
        """Open the outbox, as the daemon does."""
        machine = self.machine
        self._told = Told(self.zero_ms, safe)
        self.outbox = await Outbox.open(
            self.folder / "outbox.db",
            Run(machine.boot_id, machine.boot_ns()),
            self._time.moment,
            limits=limits,
            observers=[self._board, self._told],
            interval_ms=60_000,
        )
        self._intake = Intake(
            self._users.get,
            self._deliver,
            await self.outbox.load_steps(),
            boot_id=machine.boot_id,
            wall_clock=_WallClock(machine),
        )
        for one in self._wearables:
            self._store(self._gaps.worn(one.device, one.user, machine.boot_ns()))

    def hear(self, event: RadioEvent) -> None:
        """Something came over the air."""
        self._intake(event)

    def notice(self, notice: RadioNotice) -> None:
        """The radio noticed something beside what it heard."""
        self._store(self._gaps.noticed(notice))

    def look(self) -> None:
        """What the daemon does each few seconds."""
        self._store(self._gaps.look(self.machine.boot_ns()))

    def _deliver(self, item: Arrived | LinkChange | Described) -> None:
        if isinstance(item, Arrived):
            self._store(self._gaps.arrived(item))
            self.outbox.put(item)
            self._board.arrived(item)
        elif isinstance(item, LinkChange):
            self._store(self._gaps.link_changed(item))
            self._board.link_changed(item)

    def _store(self, statements: Sequence[Arrived]) -> None:
        for statement in statements:
            self.outbox.put(statement)

    def greeted(self, hello: Hello) -> None:
        """A server said its time."""
        now_ns = self.machine.boot_ns()
        self.outbox.correct_time(self._time.greeted(hello, now_ns, now_ns))

    def look_at_clock(self) -> None:
        """What the daemon does each minute."""
        self.outbox.correct_time(self._time.moment())

    async def status(self, request: str | None) -> Status:
        """What the server is told."""
        oldest = await self.outbox.oldest_pending()
        devices = self._board.describe(self._wearables, self.machine.boot_ns(), oldest)
        clock: ClockStatus = self._time.status()
        return Status(
            devices=devices,
            pending=self.outbox.status().pending,
            oldest_pending_ms=0,
            clock=clock,
            request=request,
        )

    async def stop(self) -> None:
        """Say goodbye, as the daemon does."""
        self._store(self._gaps.finish(self.machine.boot_ns()))
        await self.outbox.finish()

    async def close(self) -> None:
        """Give the file back."""
        await self.outbox.close()

    async def kill(self, into: Path) -> None:
        """As SIGKILL: the next run finds what was durable, and none of what this one says now."""
        await asyncio.to_thread(_copy, self.folder, into)
        # What it writes from here on is nobody's.
        self.outbox.ignore(self._told)
        await self.outbox.close()


def _copy(folder: Path, into: Path) -> None:
    into.mkdir()
    for name in ("outbox.db", "outbox.db-wal"):
        shutil.copy(folder / name, into / name)
