"""Which Bluetooth stack is spoken to: the platform's own, or one that is handed in."""

from __future__ import annotations

from dataclasses import dataclass

from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import BaseBleakScanner


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
