"""Hands a virtual adapter to the bridge as a pair of bleak backends."""

from __future__ import annotations

from strapline_bridge.radio import RadioBackend
from strapline_simulator.central import Central
from strapline_simulator.client import VirtualClient
from strapline_simulator.scanner import VirtualScanner


def make_backend(central: Central) -> RadioBackend:
    """Make backend classes that speak through one adapter; bleak takes classes, not objects."""
    scanner = type("AdapterScanner", (VirtualScanner,), {"central": central})
    client = type("AdapterClient", (VirtualClient,), {"central": central, "scanner": scanner})
    return RadioBackend(scanner=scanner, client=client)
