"""The radio side of a strap: it advertises, is connected to by one central, goes, comes back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from bumble import hci
from bumble.device import Connection, Device
from bumble.gatt_server import Server

from strapline_simulator.advertising import advertisement, scan_response
from strapline_simulator.air import Air
from strapline_simulator.gatt_names import address_text
from strapline_simulator.profiles import Profile
from strapline_simulator.radio import make_radio

_logger = logging.getLogger(__name__)

_POWER_OFF = hci.HCI_ErrorCode.REMOTE_DEVICE_TERMINATED_CONNECTION_DUE_TO_POWER_OFF_ERROR


class Peripheral:
    """One radio in the peripheral role, advertising while it is awake and not connected.

    Args:
        air: where it is heard.
        profile: what it advertises.
        address: random static.
        advertising_interval_ms: how often.

    Attributes:
        device: bumble's host, to add services to before ``start``.
        controller: its radio.
        connection: the link to the central, if there is one.
        is_awake: whether it advertises or is connected.
        on_link_gone: called when the link has gone, before anything else learns of it.
    """

    def __init__(
        self, air: Air, profile: Profile, *, address: str, advertising_interval_ms: float
    ) -> None:
        self.device, self.controller = make_radio(
            air,
            name=profile.name,
            address=address,
            rssi_dbm=profile.rssi_dbm,
            advertising_interval_ms=advertising_interval_ms,
        )
        self.connection: Connection | None = None
        self.is_awake = False
        self.on_link_gone: Callable[[], None] | None = None
        self._air = air
        self._advertisement = advertisement(profile)
        self._scan_response = scan_response(profile)
        self._settling = asyncio.Lock()
        self._chores: set[asyncio.Task[None]] = set()
        self._waiters: list[asyncio.Future[None]] = []
        self.device.on(Device.EVENT_CONNECTION, self._on_connection)
        self.device.gatt_server.on(Server.EVENT_CHARACTERISTIC_SUBSCRIPTION, self._on_subscription)

    @property
    def address(self) -> str:
        """As bleak shows it."""
        return address_text(self.device.static_address)

    async def start(self) -> None:
        await self.device.power_on()
        await self.set_awake(True)

    async def close(self) -> None:
        """Switch off; nothing is left running."""
        await self.set_awake(False)
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await self.device.power_off()

    async def set_awake(self, awake: bool) -> None:
        """Wake up, or disconnect and stop advertising."""
        self.is_awake = awake
        await self._settle()

    async def leave(self) -> None:
        """Go out of range, and wait for the link to break unless it survives a while."""
        self._air.set_in_range(self.controller, in_range=False)
        if self._air.supervision_timeout_s == 0:
            await self.wait_for(lambda: self.connection is None)

    def come_back(self) -> None:
        self._air.set_in_range(self.controller, in_range=True)

    async def break_link(self) -> None:
        self._air.break_links(self.controller)
        await self.wait_for(lambda: self.connection is None)

    async def wait_for(self, predicate: Callable[[], bool]) -> None:
        """Wait until a connection or a subscription has made this true."""
        while not predicate():
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    async def _settle(self) -> None:
        """Bring radio and wishes together."""
        async with self._settling:
            if not self.is_awake and self.connection is not None:
                await self.connection.disconnect(_POWER_OFF)
            wanted = self.is_awake and self.connection is None
            if wanted and not self.device.is_advertising:
                await self.device.start_advertising(
                    advertising_data=self._advertisement, scan_response_data=self._scan_response
                )
            elif not wanted and self.device.is_advertising:
                await self.device.stop_advertising()

    def _on_connection(self, connection: Connection) -> None:
        self.connection = connection
        connection.on(Connection.EVENT_DISCONNECTION, self._on_gone)
        self._announce()
        self._settle_soon()

    def _on_gone(self, _reason: int) -> None:
        self.connection = None
        if self.on_link_gone is not None:
            self.on_link_gone()
        self._announce()
        self._settle_soon()

    def _on_subscription(self, *_details: object) -> None:
        self._announce()

    def _announce(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _settle_soon(self) -> None:
        chore = asyncio.create_task(self._settle())
        self._chores.add(chore)
        chore.add_done_callback(self._on_chore_done)

    def _on_chore_done(self, chore: asyncio.Task[None]) -> None:
        self._chores.discard(chore)
        if not chore.cancelled() and (error := chore.exception()) is not None:
            _logger.error("%s could not settle its radio", self.device.name, exc_info=error)
