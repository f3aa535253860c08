"""One scanner for all wearables that are missing.

It runs while at least one is looked for: without a pause while the latest went missing not long
ago, then at a bounded duty cycle, for ever. It rests while a connection is being made, since a
radio that does both at once does neither well.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from strapline_bridge.radio.backend import RadioBackend
from strapline_bridge.radio.ending import scanning
from strapline_bridge.radio.errors import TRANSIENT, RadioError, explain
from strapline_bridge.radio.timing import Timing

_log = logging.getLogger(__name__)


class _Search:
    """One wearable being looked for."""

    __slots__ = ("addresses", "found", "since_s")

    def __init__(self, addresses: Iterable[str], since_s: float) -> None:
        self.addresses = frozenset(address.upper() for address in addresses)
        self.since_s = since_s
        self.found: asyncio.Future[BLEDevice] = asyncio.get_running_loop().create_future()


class Finder:
    """Finds wearables by address. :meth:`run` must be running for :meth:`find` to return.

    Attributes:
        scans: how many stretches of scanning were begun.
    """

    def __init__(
        self,
        backend: RadioBackend,
        timing: Timing,
        on_problem: Callable[[RadioError | None], None],
    ) -> None:
        """Set up.

        Args:
            backend: the Bluetooth stack.
            timing: the rhythm of scanning.
            on_problem: told when scanning fails, and with ``None`` when it works again.
        """
        self._backend = backend
        self._timing = timing
        self._on_problem = on_problem
        self._searches: set[_Search] = set()
        self._connecting = 0
        self._scanning = False
        self._changed = asyncio.Event()
        self._deaf_s = 0.0
        self.scans = 0

    async def find(self, addresses: Collection[str]) -> BLEDevice:
        """Wait until a device advertises under one of the addresses, however long it takes."""
        search = _Search(addresses, asyncio.get_running_loop().time())
        self._searches.add(search)
        self._changed.set()
        try:
            return await search.found
        finally:
            self._searches.discard(search)
            self._changed.set()

    @asynccontextmanager
    async def resting(self) -> AsyncIterator[None]:
        """No scan runs inside this block."""
        self._connecting += 1
        self._changed.set()
        try:
            await self._until(lambda: not self._scanning)
            yield
        finally:
            self._connecting -= 1
            self._changed.set()

    async def run(self) -> None:
        """Scan whenever somebody is looked for, for ever."""
        failures = 0
        while True:
            await self._until(lambda: bool(self._searches) and not self._connecting)
            self._scanning = True
            try:
                await self._offer_connected()
                await self._scan_once()
            except Exception as error:  # noqa: BLE001  # no oddity of a stack may end the search
                if not isinstance(error, TRANSIENT):
                    _log.exception("scanning: unexpected")
                failures += 1
                self._on_problem(explain(error))
                pause_s = self._timing.backoff_s(failures, 1)
            else:
                failures = 0
                self._on_problem(None)
                pause_s = self._pause_s()
            finally:
                self._scanning = False
                self._changed.set()
            await self._rest(pause_s)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._changed.clear()
            await self._changed.wait()

    async def _rest(self, pause_s: float) -> None:
        """Pause; a wearable that goes missing meanwhile ends it."""
        known = set(self._searches)
        try:
            async with asyncio.timeout(pause_s):
                await self._until(lambda: bool(self._searches - known))
        except TimeoutError:
            return

    def _pause_s(self) -> float:
        if not self._searches:
            return 0
        latest_s = max(search.since_s for search in self._searches)
        return self._timing.pause_after_s(asyncio.get_running_loop().time() - latest_s)

    async def _offer_connected(self) -> None:
        async with asyncio.timeout(self._timing.operation_s):
            connected = await self._backend.already_connected()
        for device in connected:
            self._found(device)

    async def _scan_once(self) -> None:
        """One stretch of scanning, which ends early when nobody is looked for any more."""
        heard = False

        def detected(device: BLEDevice, _: AdvertisementData) -> None:
            nonlocal heard
            heard = True
            self._found(device)

        scanner = self._backend.make_scanner(detected)
        async with scanning(scanner, self._timing.operation_s):
            self.scans += 1
            try:
                async with asyncio.timeout(self._timing.window_s):
                    await self._until(lambda: not self._searches or bool(self._connecting))
                whole = False
            except TimeoutError:
                whole = True
        self._listen_for_silence(heard=heard, whole=whole)

    def _found(self, device: BLEDevice) -> None:
        address = device.address.upper()
        for search in self._searches:
            if address in search.addresses and not search.found.done():
                search.found.set_result(device)

    def _listen_for_silence(self, *, heard: bool, whole: bool) -> None:
        if heard:
            self._deaf_s = 0
        elif whole:
            before_s = self._deaf_s
            self._deaf_s += self._timing.window_s
            if before_s < self._timing.deaf_s <= self._deaf_s:
                _log.warning(
                    "no advertisement of any device in %.0f s of scanning: nothing is near, or "
                    "the adapter is stuck; then run `bluetoothctl power off` and `power on`",
                    self._deaf_s,
                )
