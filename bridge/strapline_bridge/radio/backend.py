"""Which Bluetooth stack is spoken to: the platform's own, or one that is handed in."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bleak import BleakAdapter, BleakClient, BleakScanner
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak_retry_connector import establish_connection

from strapline_bridge.radio.errors import RadioError

#: The configuration's word for the platform's own stack.
PLATFORM: Final = "platform"

Detected = Callable[[BLEDevice, AdvertisementData], None]


@dataclass(frozen=True, slots=True)
class RadioBackend:
    """A pair of bleak backend classes; ``None`` stands for the platform's own.

    Attributes:
        scanner: finds wearables.
        client: connects to one.
        adapter: which Bluetooth adapter, such as ``hci1``; only BlueZ has a choice.
    """

    scanner: type[BaseBleakScanner] | None = None
    client: type[BaseBleakClient] | None = None
    adapter: str | None = None

    def make_scanner(self, detected: Detected) -> BleakScanner:
        """A scanner that has still to be started; ``detected`` is a plain function."""
        arguments: dict[str, Any] = {"backend": self.scanner}
        if self.adapter is not None:
            arguments["bluez"] = {"adapter": self.adapter}
        return BleakScanner(detected, **arguments)

    async def connect(
        self, device: BLEDevice, label: str, disconnected: Callable[[BleakClient], None]
    ) -> BleakClient:
        """Connect and discover services, trying a bounded number of times.

        Args:
            device: as a scan found it: an address alone would start another scan.
            label: for the connector's debug log, in place of the device's own name.
            disconnected: called when the link is lost, and after failed attempts too.

        Raises:
            BleakError, TimeoutError, OSError, EOFError: not reached.
        """
        arguments: dict[str, Any] = {"backend": self.client}
        if self.adapter is not None:
            arguments["bluez"] = {"adapter": self.adapter}
        return await establish_connection(
            BleakClient,
            device,
            label,
            disconnected_callback=disconnected,
            max_attempts=2,
            # A stale cache hides a service after a firmware update; discovery costs a second.
            use_services_cache=False,
            **arguments,
        )

    async def already_connected(self) -> list[BLEDevice]:
        """Devices whose link this machine holds already: they do not advertise.

        A link outlives a daemon that crashed. A backend that was handed in keeps none.
        """
        if self.scanner is not None or self.client is not None:
            return []
        try:
            if self.adapter is None:
                adapter = await BleakAdapter.get()
            else:
                adapter = await BleakAdapter.get(bluez={"adapter": self.adapter})
            return await adapter.get_connected_devices()
        except NotImplementedError:
            return []


def load_backend(name: str, adapter: str | None = None) -> RadioBackend:
    """The backend that a configuration names.

    Args:
        name: ``platform``, or ``module:attribute`` for a :class:`RadioBackend` or a function
            without arguments that makes one.
        adapter: for the platform's own stack.

    Raises:
        RadioError: there is no such module or attribute, or it is no backend.
    """
    if name == PLATFORM:
        return RadioBackend(adapter=adapter)
    module, _, attribute = name.partition(":")
    remedy = f"Set `radio.backend` to {PLATFORM!r}, or to module:attribute of a RadioBackend"
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise RadioError(f"there is no radio backend {name!r}: {error}", remedy) from error
    backend = found if isinstance(found, RadioBackend) else found()
    if not isinstance(backend, RadioBackend):
        raise RadioError(f"{name!r} is no radio backend", remedy)
    return backend
