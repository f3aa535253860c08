"""Puts air, adapter and straps together, and takes them apart again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date

from strapline_bridge.radio import RadioBackend
from strapline_simulator.air import Air
from strapline_simulator.backend import make_backend
from strapline_simulator.central import Central
from strapline_simulator.conditions import Conditions
from strapline_simulator.profiles import Profile
from strapline_simulator.recording import rest_recording
from strapline_simulator.strap import VirtualStrap


@dataclass(frozen=True, slots=True)
class Simulation:
    """A running simulation.

    Attributes:
        backend: what the bridge is given in place of the platform's Bluetooth.
        straps: in the order of their profiles.
        air: its latency and supervision timeout may be changed while it runs.
        central: the bridge's adapter.
    """

    backend: RadioBackend
    straps: tuple[VirtualStrap, ...]
    air: Air
    central: Central

    @property
    def notified(self) -> int:
        """Notifications that arrived at the central, of all straps."""
        return sum(strap.ledger.total for strap in self.straps)

    def strap(self, name: str) -> VirtualStrap:
        """Find a strap by name.

        Raises:
            KeyError: there is none of that name.
        """
        for strap in self.straps:
            if strap.name == name:
                return strap
        raise KeyError(f"no strap is called {name!r}")


@asynccontextmanager
async def assemble(
    profiles: Sequence[Profile],
    conditions: Conditions,
    *,
    today: Callable[[], date],
    ledger_size: int,
) -> AsyncIterator[Simulation]:
    """Switch on an adapter and a strap for each profile."""
    recording = rest_recording()
    async with AsyncExitStack() as stack:
        air = Air(
            latency_s=conditions.latency_s,
            supervision_timeout_s=conditions.supervision_timeout_s,
        )
        stack.callback(air.close)
        straps: list[VirtualStrap] = []
        for number, profile in enumerate(profiles, start=1):
            strap = VirtualStrap(
                air,
                profile,
                address=profile.address or _address(number),
                recording=recording,
                advertising_interval_ms=conditions.advertising_interval_ms,
                today=today,
                ledger_size=ledger_size,
            )
            stack.push_async_callback(strap.close)
            await strap.start()
            straps.append(strap)
        central = Central(air)
        stack.push_async_callback(central.close)
        await central.start()
        yield Simulation(make_backend(central), tuple(straps), air, central)


def _address(number: int) -> str:
    """A random static address for the strap of this number."""
    high, low = divmod(number, 256)
    return f"D0:5E:00:00:{high:02X}:{low:02X}"
