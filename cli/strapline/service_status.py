"""How bridge and server stand, in one line each, as ``systemctl status`` shows it."""

from __future__ import annotations

from strapline_bridge.status import BridgeStatus
from strapline_bridge.uplink.state import Link
from strapline_protocol.publishing import DeviceState
from strapline_server.stats import Stats

_SERVER: dict[Link, str] = {
    Link.CONNECTING: "connecting to the server",
    Link.ONLINE: "server online",
    Link.WAITING: "server away",
    Link.STOPPED: "refused by the server",
}


def bridge_line(status: BridgeStatus) -> str:
    """Straps, what waits, and the way to the server; what is wrong comes first."""
    linked = sum(device.state is not DeviceState.SEARCHING for device in status.devices)
    straps = len(status.devices)
    parts = [
        f"{linked} of {straps} wearables connected" if straps else "no wearable chosen",
        f"{status.pending:,} readings to send",
        _SERVER[status.uplink.link],
    ]
    if status.outbox.fault is not None:
        parts.insert(0, f"readings cannot be stored ({status.outbox.fault})")
    if status.problem is not None:
        parts.insert(0, status.problem)
    return " · ".join(parts)


def server_line(stats: Stats) -> str:
    """Who is connected, and whether what comes can be stored."""
    running = stats.running
    if running is None:
        return "does not run"
    parts = [
        f"{running.bridges_connected:,} bridges, {running.viewers_connected:,} viewers connected",
        f"{running.counters['readingsStored']:,} readings stored since the start",
    ]
    if not running.storing:
        parts.insert(0, "nothing can be stored")
    parts += [f"{chore} fails" for chore in running.failing]
    return " · ".join(parts)
