"""Three straps, their bridge and a server live a day with faults on a virtual clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from strapline_bridge.decoders import battery, heart_rate
from strapline_bridge.outbox import Limits
from strapline_bridge.radio import AdapterChange, Heard, LinkChange, LinkState, Notification
from strapline_bridge.wearables import Wearable
from strapline_protocol.opening import Role
from strapline_protocol.publishing import DeviceStatus
from strapline_server.store import Store
from tests.integration.day_bridge import SUB, BridgeRun, Fates, Kept, Line, Machine
from tests.integration.day_faults import DAY_S, STRAPS, Fault, Kind

#: A Tuesday in UTC.
BEGIN_MS: Final = int(datetime(2026, 11, 24, tzinfo=UTC).timestamp() * 1_000)
DEVICES: Final = tuple(f"strap-{number}" for number in range(STRAPS))
VIEWER: Final = "viewer"
USERS: Final = ("ana", "ben", "cleo")
#: So seldom a bridge may store, as its configuration allows.
COMMIT_S: Final = 60
#: So often a bridge looks at silences.
_LOOK_EACH_S: Final = 5
#: Until a link stands again.
LINK_S: Final = 3
#: What the way to the server may be away for without the bound being reached, and a little.
MOST_BYTES: Final = 640 * 1_024
_WORN: Final = 0x06
_NOT_WORN: Final = 0x04
#: Percent of a battery.
_EMPTY: Final = 2
_FULL: Final = 90
_UNLINKED: Final = frozenset({Kind.LINK_LOST, Kind.HEARD, Kind.EMPTY})


#: What somebody does at a moment of the day.
Look = Callable[["Day"], Awaitable[None]]


@dataclass(slots=True)
class Strap:
    """One of them.

    Attributes:
        trouble: the fault that it is in.
        link_s: from when on its link may stand.
    """

    device: str
    phase_ms: int
    trouble: Fault | None = None
    linked: bool = False
    link_s: int = 0
    last_words: int = 0


@dataclass(frozen=True, slots=True)
class Down:
    """When the bridge's process was not there; of a killed one from what it stored last on."""

    kind: Kind
    from_s: int
    to_s: int


class Day:
    """One day.

    Attributes:
        safe: every reading that was committed, by stream and number.
        fates: what of them was dropped or refused.
        downs: when there was no bridge.
        heard_ms: when the bridge said last that nothing waits with it.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        machine: Machine,
        faults: Sequence[Fault],
        looks: Mapping[int, Look],
    ) -> None:
        self.store = store
        self.machine = machine
        self.faults = faults
        self.safe: dict[tuple[str, int], Kept] = {}
        self.fates = Fates(set(), set())
        self.downs: list[Down] = []
        self.heard_ms = 0
        self.straps = [Strap(device, 200 + 250 * at) for at, device in enumerate(DEVICES)]
        self.line: Line | None = None
        self.second = 0
        self._folder = folder
        self._run: BridgeRun | None = None
        self._asleep = self._adapter_away = self._server_away = False
        self._looks = looks
        self._stored_s = 0
        self._turns: dict[int, list[tuple[Fault, str]]] = defaultdict(list)
        for fault in faults:
            self._turns[fault.to_s].append((fault, "ends"))
        for fault in faults:
            self._turns[fault.from_s].append((fault, "begins"))
            if fault.clock_s:
                self._turns[fault.to_s + fault.clock_s].append((fault, "is known"))

    @property
    def run(self) -> BridgeRun:
        """The bridge that runs."""
        assert self._run is not None
        return self._run

    async def live(self) -> None:
        """The whole day; at its end all is well."""
        await self._start()
        for second in range(DAY_S):
            self.second = second
            self.machine.now_ms = BEGIN_MS + second * 1_000
            for fault, what in self._turns.get(second, ()):
                await self._turn(fault, what)
            if self._run is not None and not self._asleep:
                self._pass(self._run, second)
                if second % COMMIT_S == COMMIT_S - 1:
                    await self._commit()
            if second in self._looks:
                await self._looks[second](self)
        await self._commit()

    def complete_through_ms(self, user: str) -> int | None:
        """Up to when, as the bridge says, all that was measured of a user is with the server."""
        status = None if self.line is None else self.line.status
        devices = [] if status is None else status.devices
        told = [self._wall_ms(one) for one in devices if one.user == user]
        return min((at_ms for at_ms in told if at_ms is not None), default=None)

    def _wall_ms(self, device: DeviceStatus) -> int | None:
        moment = device.complete_through
        record = None if moment is None else self.run.outbox.record(moment.stream)
        if moment is None or record is None:
            return None
        return record.zero.wall_ms(moment.elapsed_ms)

    async def close(self) -> None:
        """Give the files back."""
        await self.run.close()

    # ------------------------------------------------------------------- a second of the bridge

    def _pass(self, run: BridgeRun, second: int) -> None:
        base_ms = BEGIN_MS + second * 1_000
        for strap in self.straps:
            self.machine.now_ms = base_ms + strap.phase_ms
            self._keep_link(run, strap, second)
            if strap.linked and (strap.trouble is None or strap.last_words):
                flags = _NOT_WORN if strap.last_words else _WORN
                strap.last_words = max(0, strap.last_words - 1)
                self._say(run, strap, heart_rate.CHARACTERISTIC, (flags, 60 + second % 97))
        self.machine.now_ms = base_ms + 999
        if second % _LOOK_EACH_S == 0:
            run.look()

    def _say(self, run: BridgeRun, strap: Strap, characteristic: str, said: Sequence[int]) -> None:
        boot_ns = self.machine.boot_ns()
        run.hear(Notification(strap.device, characteristic, bytes(said), boot_ns))

    def _keep_link(self, run: BridgeRun, strap: Strap, second: int) -> None:
        trouble = None if strap.trouble is None else strap.trouble.kind
        may_stand = not self._adapter_away and trouble not in _UNLINKED
        if strap.linked and not may_stand:
            self._unlink(run, strap)
        elif not strap.linked and may_stand and second >= strap.link_s:
            strap.linked = True
            run.hear(LinkChange(strap.device, LinkState.CONNECTED, self.machine.boot_ns()))
            self._say(run, strap, battery.CHARACTERISTIC, (_FULL,))
        if not strap.linked and not may_stand:
            strap.link_s = second + LINK_S
            if trouble is Kind.HEARD and not self._adapter_away and second % 5 == 0:
                run.notice(Heard(strap.device, self.machine.boot_ns()))

    def _notice_adapter(self, run: BridgeRun) -> None:
        run.notice(AdapterChange(self._adapter_away, self.machine.boot_ns()))

    def _unlink(self, run: BridgeRun, strap: Strap) -> None:
        strap.linked = False
        run.hear(LinkChange(strap.device, LinkState.SEARCHING, self.machine.boot_ns()))

    async def _commit(self) -> None:
        """Store what came, and send it where there is a server."""
        await self._store()
        self.run.look_at_clock()
        if self.line is not None:
            self.line.report()
            await self._pump(self.line)

    async def _store(self) -> None:
        await self.run.outbox.flush()
        self._stored_s = self.second

    async def _pump(self, line: Line) -> None:
        await line.pump(self.machine.now_ms, self.fates)
        if line.status is not None and not line.status.pending:
            self.heard_ms = self.machine.now_ms

    # ----------------------------------------------------------------------------------- faults

    async def _turn(self, fault: Fault, what: str) -> None:
        if fault.strap is not None and fault.kind is not Kind.REFUSED:
            self._trouble(fault, self.straps[fault.strap], begins=what == "begins")
            return
        match fault.kind, what:
            case Kind.ADAPTER | Kind.ASLEEP, _:
                self._hold(fault, begins=what == "begins")
            case Kind.STOPPED | Kind.KILLED | Kind.REBOOT, "begins":
                await self._end(fault)
            case Kind.STOPPED | Kind.KILLED, "ends":
                await self._start()
            case Kind.REBOOT, "ends":
                self.machine.boot(clock_right=False)
                await self._start()
            case Kind.REBOOT, "is known":
                self.machine.clock_right = True
            case Kind.CUT | Kind.FULL, _:
                self._server_away = what == "begins"
                await self._connect()
            case Kind.REFUSED, _:
                await self._refuse(fault, begins=what == "begins")

    def _trouble(self, fault: Fault, strap: Strap, *, begins: bool) -> None:
        strap.trouble = fault if begins else None
        if fault.kind is Kind.NOT_WORN and begins and strap.linked:
            strap.last_words = 2
        heard = self._run is not None and not self._asleep and strap.linked
        if fault.kind is Kind.EMPTY and begins and heard:
            self._say(self.run, strap, battery.CHARACTERISTIC, (_EMPTY,))

    def _hold(self, fault: Fault, *, begins: bool) -> None:
        """The adapter or the whole machine stands still, or goes on."""
        if fault.kind is Kind.ADAPTER:
            self._adapter_away = begins
            if self._run is not None:
                self._notice_adapter(self._run)
            return
        self._asleep = begins
        if not begins:
            self.machine.slept_ms += (fault.to_s - fault.from_s) * 1_000
            for strap in self.straps:
                if strap.linked:
                    self._unlink(self.run, strap)
                strap.link_s = self.second + LINK_S

    async def _end(self, fault: Fault) -> None:
        """The process ends: with a goodbye, or without. Half of the reboots are without."""
        run, self._run = self.run, None
        clean = fault.kind is Kind.STOPPED or (fault.kind is Kind.REBOOT and fault.from_s % 2 == 0)
        kind = Kind.STOPPED if clean else Kind.KILLED
        begin_s = self.second if clean else self._stored_s
        self.downs.append(Down(kind, begin_s, fault.to_s))
        if clean:
            await run.stop()
            if self.line is not None:
                await self._pump(self.line)
        if self.line is not None:
            self.line.cut()
            self.line = None
        if clean:
            await run.close()
        else:
            self._folder = self._folder.parent / f"from-{self.second}"
            await run.kill(self._folder)

    async def _start(self) -> None:
        wearables = [
            Wearable(
                device=device,
                addresses=(f"00:00:00:00:00:0{at}",),
                user=USERS[at],
                name=device,
                added_at=0,
            )
            for at, device in enumerate(DEVICES)
        ]
        self._run = BridgeRun(self.machine, self._folder, wearables)
        await self._run.start(Limits(most_bytes=MOST_BYTES), self.safe)
        if self._adapter_away:
            self._notice_adapter(self._run)
        for strap in self.straps:
            strap.linked, strap.link_s = False, self.second + LINK_S
        await self._connect()

    async def _connect(self) -> None:
        """As the way to the server is now."""
        if self._run is None:
            return
        if self._server_away:
            if self.line is not None:
                await self._store()
                await self.line.break_off(self.fates)
                self.line = None
        elif self.line is None:
            self.line = Line(self._run, self.store, self.machine.now_ms)
            await self._pump(self.line)

    async def _refuse(self, fault: Fault, *, begins: bool) -> None:
        """From now on, or until now: what came before goes by the rights before."""
        if self._run is not None and not self._asleep:
            await self._commit()
        assert fault.strap is not None
        users = [user for at, user in enumerate(USERS) if not begins or at != fault.strap]
        assert await self.store.put_grant(SUB, Role.BRIDGE, SUB, users, None) == []


@asynccontextmanager
async def a_day(
    folder: Path, faults: Sequence[Fault], looks: Mapping[int, Look] | None = None
) -> AsyncIterator[Day]:
    """A day that has been lived, its store still open.

    Args:
        looks: what to do at the end of a second.
    """
    machine = Machine(BEGIN_MS)
    state = folder / "server"
    outbox = folder / "bridge"
    for one in (state, outbox):
        one.mkdir()
    store = Store(state, lambda: machine.now_ms)
    await store.open()
    try:
        for user in USERS:
            await store.add_user(user, user.title(), "UTC")
        await store.put_grant(SUB, Role.BRIDGE, SUB, "all", None)
        await store.put_grant(VIEWER, Role.VIEWER, VIEWER, "all", None)
        day = Day(outbox, store, machine, faults, looks or {})
        await day.live()
        try:
            yield day
        finally:
            await day.close()
    finally:
        await store.close()
