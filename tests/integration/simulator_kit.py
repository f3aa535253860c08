"""What tests of the simulator share: quick air, and bleak's own classes over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bleak import BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import BaseBleakScanner

from strapline_simulator import Conditions, uuids
from strapline_simulator.assembly import Simulation
from strapline_simulator.strap import VirtualStrap

QUICK = Conditions(advertising_interval_ms=20)


class Heard:
    """A notification callback that remembers, and can be waited for."""

    def __init__(self) -> None:
        self.values: list[tuple[str, bytes]] = []
        self._changed = asyncio.Event()

    def __call__(self, characteristic: BleakGATTCharacteristic, value: bytearray) -> None:
        self.values.append((characteristic.uuid, bytes(value)))
        self._changed.set()

    def of(self, characteristic: str) -> list[bytes]:
        return [value for uuid, value in self.values if uuid == characteristic]

    async def wait_for(self, count: int) -> None:
        while len(self.values) < count:
            self._changed.clear()
            await self._changed.wait()


def sent(strap: VirtualStrap) -> list[tuple[str, bytes]]:
    """What the strap's ledger says, in the form of ``Heard.values``."""
    return [(entry.characteristic, entry.value) for entry in strap.sent]


def scanner_of(sim: Simulation) -> type[BaseBleakScanner]:
    assert sim.backend.scanner is not None
    return sim.backend.scanner


async def turns(count: int = 20) -> None:
    """Let the loop turn: more often than bytes take from a strap's host into the air."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until_gone(client: BleakClient) -> None:
    """Wait until the client has noticed that its link has gone; takes over its callback."""
    gone = asyncio.Event()
    client._backend.set_disconnected_callback(gone.set)
    if client.is_connected:
        await gone.wait()


async def find(sim: Simulation, strap: VirtualStrap, timeout_s: float = 10.0) -> BLEDevice:
    device = await BleakScanner.find_device_by_filter(
        lambda _, data: data.local_name == strap.name, timeout_s, backend=scanner_of(sim)
    )
    assert device is not None, f"{strap.name} was not heard"
    return device


async def is_heard(sim: Simulation, strap: VirtualStrap, within_s: float = 0.1) -> bool:
    """Whether a scan of five advertising intervals hears the strap."""
    device = await BleakScanner.find_device_by_address(
        strap.address, within_s, backend=scanner_of(sim)
    )
    return device is not None


async def client_for(
    sim: Simulation,
    strap: VirtualStrap,
    on_disconnect: Callable[[BleakClient], None] | None = None,
) -> BleakClient:
    """A client that is not connected yet."""
    return BleakClient(await find(sim, strap), on_disconnect, backend=sim.backend.client)


@asynccontextmanager
async def listening(
    sim: Simulation, strap: VirtualStrap, *characteristics: str
) -> AsyncIterator[tuple[BleakClient, Heard]]:
    """A client that is connected and subscribed, to the heart rate if nothing is named."""
    heard = Heard()
    async with await client_for(sim, strap) as client:
        for characteristic in characteristics or (uuids.HEART_RATE_MEASUREMENT,):
            await client.start_notify(characteristic, heard)
        yield client, heard
