"""A bridge and a server whose clocks a test sets: what time it truly is, the test alone knows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Final

from bleak import BleakScanner
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason

from strapline_bridge.clock import UNKNOWN_MS, ClockState, TimeSource
from strapline_bridge.config import BridgeConfig, OutboxSection, ServerSection
from strapline_bridge.daemon import Bridge
from strapline_bridge.key_file import load_or_make_key
from strapline_bridge.radio import RadioBackend, Timing
from strapline_bridge.radio.backend import Detected
from strapline_bridge.uplink import KeyTokens
from strapline_bridge.wearables import WearablesFile
from strapline_protocol.asking import (
    GapsPage,
    GapsParams,
    HistoryPage,
    HistoryParams,
    Resolution,
)
from strapline_protocol.codec import result_of
from strapline_protocol.metrics import GAP
from strapline_protocol.opening import ClockState as ServerClockState
from strapline_protocol.opening import Request, Result, Role
from strapline_protocol.series import TimedSeries
from strapline_protocol.watching import Gap
from strapline_server import Server
from strapline_server.keys import parse_public_key
from strapline_simulator import Conditions, Profile, simulation, uuids
from strapline_simulator.strap import VirtualStrap
from tests.integration.server_kit import joined, serving

RATE: Final = uuids.HEART_RATE_MEASUREMENT
USER: Final = "anna"
TRUE_MS: Final = 1_770_000_000_000
_FAR_MS: Final = 4_000_000_000_000
_NS: Final = 1_000_000
_TIMING: Final = Timing(window_s=5, backoff_first_s=0.01, backoff_most_s=0.05)
_STRAP: Final = Profile(name="strap")
_BRISK: Final = Conditions(advertising_interval_ms=20)


class _Now:
    def __init__(self, read: Callable[[], int]) -> None:
        self._read = read

    def now_ns(self) -> int:
        return self._read()

    def now_ms(self) -> int:
        return self._read()


class Machine:
    """The bridge's machine. Time passes as it does, and in leaps that a test asks for.

    Attributes:
        wall_off_ms: how far its wall clock is ahead of the truth.
        state: what it believes of its wall clock.
    """

    def __init__(self, wall_off_ms: int = 0, *, synchronised: bool = False) -> None:
        self._began_ns = time.monotonic_ns()
        self._leapt_ns = 0
        self._slept_ns = 0
        self._lost_ns = 0
        self.wall_off_ms = wall_off_ms
        self.state = ClockState(TimeSource.ESTIMATE, UNKNOWN_MS)
        if synchronised:
            self.synchronise()
        self.boot = _Now(lambda: 5_000_000_000 + self._passed_ns() - self._lost_ns)
        self.awake = _Now(lambda: self.boot.now_ns() - self._slept_ns)
        self.wall = _Now(lambda: self.true_ms() + self.wall_off_ms)

    def _passed_ns(self) -> int:
        return time.monotonic_ns() - self._began_ns + self._leapt_ns

    def true_ms(self) -> int:
        return TRUE_MS + self._passed_ns() // _NS

    def passes(self, seconds: float, *, drift_ppm: int = 0) -> None:
        """So long nothing happens; a slow crystal's clock falls behind meanwhile."""
        self._leapt_ns += round(seconds * 1e9)
        self._lost_ns += round(seconds * drift_ppm * 1e3)

    def sleeps(self, seconds: float) -> None:
        """It is suspended for so long."""
        self.passes(seconds)
        self._slept_ns += round(seconds * 1e9)

    def synchronise(self, *, uncertainty_ms: int = 20) -> None:
        """It hears of a time server."""
        self.wall_off_ms = 0
        self.state = ClockState(TimeSource.SYSTEM, uncertainty_ms)


class Air(RadioBackend):
    """A backend whose adapter can be taken away."""

    def __init__(self, inner: RadioBackend) -> None:
        super().__init__(scanner=inner.scanner, client=inner.client)
        object.__setattr__(self, "away", False)

    away: bool

    def take_away(self, *, away: bool) -> None:
        object.__setattr__(self, "away", away)

    def make_scanner(self, detected: Detected) -> BleakScanner:
        if self.away:
            why = BleakBluetoothNotAvailableReason.NO_BLUETOOTH
            raise BleakBluetoothNotAvailableError("gone", why)
        return super().make_scanner(detected)


@dataclass
class House:
    """One strap, its bridge's folder, the machine, and a server.

    Attributes:
        beats: each rate that the strap has sent, all different, and when that truly was.
    """

    folder: Path
    server: Server
    machine: Machine
    strap: VirtualStrap
    air: Air
    beats: dict[int, int] = field(default_factory=dict)

    @asynccontextmanager
    async def bridge(self, port: int | None = None) -> AsyncIterator[Bridge]:
        """A run of the bridge whose link to the strap stands; ``port`` is no server's."""
        async with self.run_without_strap(port) as bridge:
            await self.strap.wait_subscribed(RATE)
            yield bridge

    @asynccontextmanager
    async def run_without_strap(self, port: int | None = None) -> AsyncIterator[Bridge]:
        """A run of the bridge, whether it finds the strap or not."""
        machine = self.machine
        config = BridgeConfig(
            state_dir=self.folder,
            server=ServerSection(
                url=f"ws://127.0.0.1:{self.server.port if port is None else port}/ws",
                key_file=self.folder / "key",
            ),
            outbox=OutboxSection(max_mib=16),
        )
        bridge = Bridge(
            config,
            self.air,
            KeyTokens(self.folder / "key", machine.wall, lambda: machine.state),
            version="0",
            timing=_TIMING,
            boot_clock=machine.boot,
            wall_clock=machine.wall,
            clock=lambda: machine.state,
            awake_clock=machine.awake,
        )
        async with bridge:
            yield bridge

    async def beat(self, bridge: Bridge, count: int = 1, *, apart_s: float = 1.0) -> None:
        """The strap says so many rates, each stored before time goes on."""
        for _ in range(count):
            rate = 40 + len(self.beats)
            before = bridge.outbox.status().counters.readings
            self.beats[rate] = self.machine.true_ms()
            assert await self.strap.notify_heart_rate(rate)
            async with asyncio.timeout(20):
                while bridge.outbox.status().counters.readings <= before:
                    await bridge.outbox.flush()
            self.machine.passes(apart_s)

    async def told(self, bridge: Bridge) -> None:
        """Wait until the server has all, and all that is known of its time."""
        async with asyncio.timeout(20):
            # A connection may end meanwhile; the next one is another chance.
            while not await bridge._running.uplink.drain(20):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def history(self) -> list[tuple[int, int, TimedSeries]]:
        """Each rate that the server has and the wall time that it gives it, in order of time."""
        page = await self._page(Resolution.RAW)
        found = [
            (round(value or 0), at_ms, series)
            for series in page.series
            for value, at_ms in zip(series.value, series.at(), strict=True)
        ]
        # What was committed at another time stands in a series of its own.
        return sorted(found, key=lambda one: one[1])

    async def sums(self) -> list[tuple[int, int]]:
        """Of each minute that has readings: where it begins, and how many."""
        page = await self._page(Resolution.MINUTE)
        return [
            (at_ms, count)
            for one in page.stretches
            for at_ms, count in zip(accumulate(one.at_ms), one.count, strict=True)
        ]

    async def statements(self) -> list[tuple[str, str]]:
        """Cause and evidence of each statement that the bridge made."""
        page = await self._page(Resolution.RAW, GAP.name)
        extras = [series.model_extra or {} for series in page.series]
        return [told for one in extras for told in zip(one["cause"], one["evidence"], strict=True)]

    async def _page(self, resolution: Resolution, metric: str = "heart_rate") -> HistoryPage:
        params = HistoryParams(
            user=USER, metric=metric, from_ms=0, to_ms=_FAR_MS, resolution=resolution
        )
        page = await self._ask("history", params.model_dump(mode="json", by_alias=True))
        assert isinstance(page, HistoryPage)
        return page

    async def gaps(self) -> list[Gap]:
        """All gaps, each with its cause."""
        params = GapsParams(user=USER, from_ms=TRUE_MS, to_ms=self.machine.true_ms())
        page = await self._ask("gaps", params.model_dump(mode="json", by_alias=True))
        assert isinstance(page, GapsPage)
        return page.gaps

    async def _ask(self, method: str, params: dict[str, object]) -> object:
        token = await self.server.admin.issue_token("viewer", Role.VIEWER, [USER])
        given = {name: value for name, value in params.items() if value is not None}
        async with joined(self.server, token) as viewer:
            await viewer.say(Request(request="r", method=method, params=given))  # type: ignore[arg-type]  # as dumped
            return result_of(method, (await viewer.expect(Result)).result)

    async def right(self, within_ms: int) -> None:
        """Nothing lost, doubled or reordered; each reading and sum at its true time."""
        found = await self.history()
        rates = [rate for rate, _, _ in found]
        assert rates == list(self.beats), rates
        off = [at_ms - self.beats[rate] for rate, at_ms, _ in found]
        assert max(map(abs, off)) <= within_ms, off
        minutes: dict[int, int] = {}
        for _, at_ms, _ in found:
            minutes[at_ms // 60_000 * 60_000] = minutes.get(at_ms // 60_000 * 60_000, 0) + 1
        assert await self.sums() == sorted(minutes.items())


@asynccontextmanager
async def house(
    folder: Path,
    machine: Machine,
    *,
    server_state: ServerClockState = ServerClockState.UNSYNCHRONISED,
    profile: Profile = _STRAP,
) -> AsyncIterator[House]:
    """A server with the right time, whatever it believes of it, and a strap that is chosen."""
    bridge_folder = folder / "bridge"
    bridge_folder.mkdir()
    async with (
        serving(
            folder / "server", clock=machine.true_ms, clock_state=lambda: server_state
        ) as server,
        simulation([profile], pace=None, conditions=_BRISK) as running,
    ):
        strap = running.straps[0]
        await server.admin.add_user(USER, "Anna", "UTC")
        key = load_or_make_key(bridge_folder / "key")
        line = parse_public_key(key.public_line.encode(), "a test")
        await server.admin.enrol("pi", line, [USER], name="Pi")
        WearablesFile(bridge_folder).change(
            lambda none: none.add(address=strap.address, user=USER, name="strap", added_at=1)[0]
        )
        yield House(bridge_folder, server, machine, strap, Air(running.backend))
