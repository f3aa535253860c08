"""A machine with a bridge on it: the real outbox and uplink; booted, killed, restored, cloned."""

from __future__ import annotations

import asyncio
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from strapline_bridge.clock import UNKNOWN_MS, ClockState, TimeSource
from strapline_bridge.intake import Arrived
from strapline_bridge.outbox import Limits, Outbox, Run
from strapline_bridge.readings import Reading
from strapline_bridge.timekeeper import Timekeeper
from strapline_bridge.uplink import Greeting, SignedTokens, Uplink
from strapline_protocol.closing import Backoff
from strapline_protocol.opening import Client
from strapline_protocol.publishing import Status
from tests.simulation import disks
from tests.simulation.card import Card, read_card
from tests.simulation.virtual import Process
from tests.simulation.wire import Link

if TYPE_CHECKING:
    from tests.simulation.ground import Ground

FILE: Final = "outbox.db"
_CLIENT: Final = Client(name="strapline-bridge", version="0")
#: Everything that is measured fits, or little of it.
ROOMY: Final = Limits(join_rows=12)
TIGHT: Final = Limits(most_bytes=2_500, kept_bytes=1_200, join_rows=12)
_FIRST_WALL_MS: Final = 86_400_000


class Machine:
    """One card, with at most one run of the bridge on it.

    Attributes:
        skew_ms: how far this machine's wall clock is off.
        synchronised: whether it says that it is right.
    """

    def __init__(self, world: Ground, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.outbox: Outbox | None = None
        self.process: Process | None = None
        self.link: Link | None = None
        self.skew_ms = 0
        self.synchronised = True
        self._world = world
        self._boots = 0
        self._booted_ms = 0
        self._runs = 0
        self._generation = 0
        self._task: asyncio.Task[None] | None = None
        self._timekeeper: Timekeeper | None = None
        self.boot(rightly=True)

    # ------------------------------------------------------------------------------ clocks

    def boot(self, *, rightly: bool) -> None:
        """The machine starts: its boot clock begins anew, its wall clock perhaps in 1970."""
        world = self._world
        self._boots += 1
        self._booted_ms = world.loop.now_ms + world.slept_ms - world.random.randrange(100_000)
        self.synchronised = rightly
        self.skew_ms = 0 if rightly else _FIRST_WALL_MS - world.wall_ms()

    def now_ns(self) -> int:
        """The boot clock, as the bridge reads it."""
        return (self._world.loop.now_ms + self._world.slept_ms - self._booted_ms) * 1_000_000

    def now_ms(self) -> int:
        """The wall clock, as the bridge reads it."""
        return self._world.wall_ms() + self.skew_ms

    def synchronise(self) -> None:
        """The clock is set, and the bridge sees it."""
        self.skew_ms, self.synchronised = 0, True
        if self.outbox is not None and self.process is not None and self._timekeeper is not None:
            self.process.run(self.outbox.correct_time, self._timekeeper.moment())

    def _clock_state(self) -> ClockState:
        if self.synchronised:
            return ClockState(TimeSource.SYSTEM, 10)
        return ClockState(TimeSource.ESTIMATE, UNKNOWN_MS)

    # -------------------------------------------------------------------------------- runs

    @property
    def path(self) -> Path:
        """The outbox."""
        return self.folder / FILE

    def start(self) -> None:
        """Begin a run of the bridge."""
        if self.process is None:
            self._runs += 1
            self.process = self._world.new_process(f"{self.name}.{self._runs}")
            self.process.committed = partial(self._world.card_committed, self)
            self._task = self.process.spawn(self._run(self.process))

    async def _run(self, process: Process) -> None:
        boot: Any = self  # both clocks in one, of which the protocols see one each
        wall = _Wall(self)
        keeper = self._timekeeper = Timekeeper(boot, wall, self._clock_state)
        world = self._world
        limits = ROOMY if world.roomy else TIGHT
        outbox = await Outbox.open(
            self.path,
            Run(f"{self.name}-boot-{self._boots}", self.now_ns()),
            keeper.moment,
            limits=limits,
            interval_ms=process.random.choice((0, 0, 0, 300)),
        )
        self.outbox = outbox
        uplink = Uplink(
            outbox,
            url="ws://127.0.0.1/ws",
            tokens=SignedTokens(lambda _: world.tokens["bridge"]),
            client=_CLIENT,
            boot_clock=boot,
            status=partial(self._status, outbox, keeper),
            greeted=partial(self._greeted, outbox, keeper),
            draw=process.random.random,
            backoff=Backoff(base_ms=50, cap_ms=1_000),
        )
        running = [asyncio.create_task(uplink.run()), asyncio.create_task(outbox.watch())]
        try:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in running:
                task.cancel()

    @staticmethod
    async def _status(outbox: Outbox, keeper: Timekeeper, request: str | None) -> Status:
        if request is not None:
            await outbox.flush()
        return Status(
            devices=[],
            pending=outbox.status().pending,
            oldest_pending_ms=0,
            clock=keeper.status(),
            request=request,
        )

    @staticmethod
    def _greeted(outbox: Outbox, keeper: Timekeeper, greeting: Greeting) -> None:
        told = keeper.greeted(greeting.hello, greeting.before_ns, greeting.after_ns)
        outbox.correct_time(told)

    def fault(self) -> str | None:
        """What ended the run, where nobody killed it."""
        if self._task is not None and self._task.done() and self.process is not None:
            return repr(self._task.exception())
        return None

    def measure(self, user: str, metric: str, serial: int) -> bool:
        """The strap says something, to a bridge that runs."""
        if self.outbox is None or self.process is None:
            return False
        columns = {"rr": [serial]} if metric == "heart_rate" else {}
        value = 40 + serial % 150 if metric == "heart_rate" else serial
        arrived = Arrived(
            user=user,
            device=f"strap-of-{user}",
            boot_ns=self.now_ns(),
            reading=Reading(metric, value, columns),
        )
        self.process.run(self.outbox.put, arrived)
        return True

    def kill(self) -> None:
        """SIGKILL: the memory is gone, the file stays as it is."""
        process, self.process = self.process, None
        if process is None:
            return
        outbox, self.outbox = self.outbox, None
        before, self.folder = self.folder, self._new_folder()
        disks.copy(before / FILE, self.path)
        process.die()
        if outbox is not None:
            outbox._storage._lock.release()
        self._task = None
        if self.link is not None:
            self.link.cut()

    async def stop(self) -> None:
        """SIGTERM: as the daemon ends."""
        process, outbox, task = self.process, self.outbox, self._task
        if process is None or outbox is None or task is None:
            return
        self._task = None

        async def end() -> None:
            await outbox.finish()
            task.cancel()
            await asyncio.wait([task])
            await outbox.close()

        await asyncio.wait([process.spawn(end())])
        if self.process is process:
            self.outbox = self.process = None
            process.die()

    # ------------------------------------------------------------------------------- cards

    def _new_folder(self) -> Path:
        self._generation += 1
        return self._world.folder / f"{self.name}-{self._generation}"

    def copy_card(self, target: Path) -> None:
        """The card as it is now."""
        disks.copy(self.path, target / FILE)

    def look(self) -> Card:
        """What is on the card."""
        scratch = self._world.folder / "look"
        shutil.rmtree(scratch, ignore_errors=True)
        self.copy_card(scratch)
        return read_card(scratch / FILE) if (scratch / FILE).exists() else Card()

    def restore(self, backup: Path) -> None:
        """The card is as it was then."""
        self.kill()
        self.folder = self._new_folder()
        disks.copy(backup / FILE, self.path)


class _Wall:
    """A machine's wall clock."""

    def __init__(self, machine: Machine) -> None:
        self.now_ms = machine.now_ms
