"""`strapline bridge run`: listens and sends until it is told to stop."""

from __future__ import annotations

from pathlib import Path

from strapline import __version__
from strapline.reloading import BridgeReload, reloading
from strapline.service_status import bridge_line
from strapline.systemd import Systemd
from strapline_bridge.config import BridgeConfig
from strapline_bridge.daemon import Bridge
from strapline_bridge.outbox.errors import OutboxReadError
from strapline_bridge.radio import load_backend
from strapline_bridge.uplink import configured_tokens


async def run_bridge(settings: BridgeConfig, systemd: Systemd, path: Path) -> None:
    """Work until cancelled, and tell systemd how it goes.

    Args:
        settings: as read from
        path: which is read again at SIGHUP.
        systemd: the service manager, if one started this.

    Raises:
        BridgeError: it cannot start, or a part of it ended that should not.
    """
    backend = load_backend(settings.radio.backend, settings.radio.adapter)
    tokens = configured_tokens(settings)
    async with Bridge(settings, backend, tokens, version=__version__) as bridge:

        async def describe() -> str:
            try:
                return bridge_line(await bridge.status())
            except OutboxReadError as error:
                return f"the outbox cannot be read ({error})"

        reload = BridgeReload(bridge, path, settings)
        async with reloading(reload, path), systemd.serving(describe):
            await bridge.run()
