"""The line that `systemctl status` shows."""

from __future__ import annotations

from dataclasses import replace

from strapline.service_status import bridge_line, server_line
from strapline_bridge.outbox.outbox import OutboxStatus
from strapline_bridge.outbox.writer import Counters
from strapline_bridge.status import BridgeStatus
from strapline_bridge.uplink import UplinkState
from strapline_bridge.uplink.state import Link
from strapline_protocol.publishing import ClockSource, ClockStatus, DeviceState, DeviceStatus
from strapline_server.stats import Running, Stats


def strap(name: str, state: DeviceState) -> DeviceStatus:
    return DeviceStatus(device=name, user="anna", name=name, state=state, state_age_ms=0)


BRIDGE = BridgeStatus(
    devices=[
        strap("a", DeviceState.CONNECTED),
        strap("b", DeviceState.NOT_WORN),
        strap("c", DeviceState.SEARCHING),
    ],
    pending=12_345,
    oldest_pending_ms=0,
    clock=ClockStatus(source=ClockSource.SYSTEM, uncertainty_ms=1),
    outbox=OutboxStatus(
        pending=12_345,
        waiting=0,
        unstored=0,
        dead_letters=0,
        bytes=0,
        fault=None,
        counters=Counters(),
    ),
    uplink=UplinkState(link=Link.WAITING),
    problem=None,
)


def test_a_bridge_tells_of_straps_backlog_and_server() -> None:
    assert bridge_line(BRIDGE) == (
        "2 of 3 wearables connected · 12,345 readings to send · server away"
    )


def test_a_bridge_without_wearables_says_so() -> None:
    alone = replace(BRIDGE, devices=[], uplink=UplinkState(link=Link.ONLINE))
    assert bridge_line(alone).startswith("no wearable chosen · ")
    assert bridge_line(alone).endswith("server online")


def test_what_is_wrong_with_a_bridge_comes_first() -> None:
    troubled = replace(
        BRIDGE, problem="no adapter", outbox=replace(BRIDGE.outbox, fault="disk full")
    )
    assert bridge_line(troubled).startswith(
        "no adapter · readings cannot be stored (disk full) · 2 of 3"
    )


def running(*, storing: bool = True, failing: list[str] | None = None) -> Running:
    return Running(
        uptime_ms=1,
        storing=storing,
        storing_age_ms=1,
        failing=failing or [],
        bridges_connected=2,
        viewers_connected=1_234,
        slow=0,
        queues=[],
        bridges=[],
        counters={"readingsStored": 5_678},
    )


def test_a_server_tells_who_is_connected() -> None:
    assert server_line(Stats(version="1", running=running())) == (
        "2 bridges, 1,234 viewers connected · 5,678 readings stored since the start"
    )
    assert server_line(Stats(version="1")) == "does not run"


def test_what_is_wrong_with_a_server_is_said() -> None:
    line = server_line(Stats(version="1", running=running(storing=False, failing=["cooling"])))
    assert line.startswith("nothing can be stored · 2 bridges")
    assert line.endswith(" · cooling fails")
