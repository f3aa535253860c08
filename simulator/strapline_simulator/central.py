"""The bridge's side of the air: one Bluetooth adapter that scans and connects."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

from bleak.exc import BleakError
from bumble import core, hci
from bumble.device import Connection

from strapline_simulator.air import Air
from strapline_simulator.radio import make_radio

_logger = logging.getLogger(__name__)

CENTRAL_ADDRESS: Final = "C0:DE:00:00:00:01"


class Central:
    """An adapter in the central role, shared by all scanners and clients of one backend.

    Attributes:
        device: bumble's host.
    """

    def __init__(self, air: Air, *, address: str = CENTRAL_ADDRESS) -> None:
        self.device, self.controller = make_radio(air, name="central", address=address)
        # The controller has room for one pending connection.
        self._connect_lock = asyncio.Lock()
        self._abandoning: asyncio.Task[None] | None = None
        self._scan_lock = asyncio.Lock()
        self._scanners: dict[object, bool] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        await self.device.power_on()

    async def close(self) -> None:
        """Stop scanning and take down every link; nothing is left running."""
        async with self._scan_lock:
            self._scanners.clear()
            await self._apply_scanning()
        if self._abandoning is not None:
            await asyncio.shield(self._abandoning)
        for connection in list(self.device.connections.values()):
            await connection.disconnect()
        # Their links have gone, so they are ending.
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.device.power_off()

    def spawn(self, operation: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run an operation of a link as a task that does not outlive the adapter."""
        task = asyncio.create_task(operation)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def add_scanner(self, scanner: object, *, active: bool) -> None:
        """Scan while anybody wants to; actively if anybody wants that."""
        async with self._scan_lock:
            self._scanners[scanner] = active
            await self._apply_scanning()

    async def remove_scanner(self, scanner: object) -> None:
        async with self._scan_lock:
            self._scanners.pop(scanner, None)
            await self._apply_scanning()

    async def connect(self, address: hci.Address) -> Connection:
        """Connect when the device is next heard; the caller limits the time.

        Raises:
            BleakError: the connect failed.
        """
        async with self._connect_lock:
            if self._abandoning is not None:
                await asyncio.shield(self._abandoning)
            attempt = asyncio.ensure_future(self.device.connect_le(address, timeout=None))
            try:
                return await asyncio.shield(attempt)
            except asyncio.CancelledError:
                self._abandoning = asyncio.create_task(self._abandon(attempt))
                await asyncio.shield(self._abandoning)
                raise
            except core.BaseBumbleError as error:
                raise BleakError(f"connect failed: {error}") from error

    async def _abandon(self, attempt: asyncio.Future[Connection]) -> None:
        """Leave nothing pending behind, nor a link that nobody asked for any more."""
        while not attempt.done():
            try:
                cancel = hci.HCI_LE_Create_Connection_Cancel_Command()
                await self.device.send_sync_command(cancel)
            except hci.HCI_Error:
                _logger.debug("nothing to cancel yet, or no longer")
            await asyncio.wait({attempt}, timeout=0.01)
        if not attempt.cancelled() and attempt.exception() is None:
            await attempt.result().disconnect()

    async def is_bonded(self, address: hci.Address) -> bool:
        keystore = self.device.keystore
        return keystore is not None and await keystore.get(str(address)) is not None

    async def forget(self, address: hci.Address) -> None:
        """Delete a bond, if there is one."""
        if (keystore := self.device.keystore) is not None:
            await keystore.delete(str(address))

    async def _apply_scanning(self) -> None:
        device = self.device
        active = any(self._scanners.values())
        if device.is_scanning and (not self._scanners or device.scanning_is_passive == active):
            await device.stop_scanning()
        if self._scanners and not device.is_scanning:
            await device.start_scanning(active=active)
