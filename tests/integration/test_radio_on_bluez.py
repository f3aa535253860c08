"""The platform's own stack: bleak's BlueZ backend over a real message bus to a small BlueZ."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from bleak.backends.bluezdbus.manager import get_global_bluez_manager

from strapline_bridge.decoders import battery, heart_rate
from strapline_bridge.radio import (
    LinkChange,
    LinkState,
    NoAdapterError,
    Notification,
    Radio,
    RadioBackend,
    RadioError,
    RadioEvent,
    Timing,
    ensure_available,
    scan,
)
from tests.integration.fake_bluez import FakeBluez, FakeDevice, until

_ADDRESS = "C0:FF:EE:00:00:01"
_SERVICES = {
    heart_rate.SERVICE: [heart_rate.CHARACTERISTIC],
    battery.SERVICE: [battery.CHARACTERISTIC],
}
_TIMING = Timing(window_s=5, backoff_first_s=0.01, backoff_most_s=0.05)


@dataclass(frozen=True)
class _Chosen:
    device: str
    addresses: tuple[str, ...]


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a private system bus, which is the system's for the test."""
    config = tmp_path / "bus.conf"
    config.write_text(
        '<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"'
        ' "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd"><busconfig>'
        f"<listen>unix:path={tmp_path}/bus</listen><auth>EXTERNAL</auth>"
        '<policy context="default"><allow send_destination="*" eavesdrop="true"/>'
        '<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>'
    )
    daemon = subprocess.Popen(
        ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert daemon.stdout is not None
    try:
        address = daemon.stdout.readline().strip()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        yield address
    finally:
        daemon.terminate()
        daemon.wait()
        daemon.stdout.close()


@pytest.fixture
async def bluez(bus: str) -> AsyncIterator[FakeBluez]:
    fake = FakeBluez()
    await fake.start(bus)
    yield fake
    await _forget_bus()
    await fake.stop()


async def _forget_bus() -> None:
    """Close the bus that bleak keeps for the life of an event loop."""
    manager = await get_global_bluez_manager()
    if manager._bus is not None:
        manager._bus.disconnect()
        with contextlib.suppress(Exception):
            await manager._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast's
    if manager._bus_watcher_task is not None:
        await asyncio.wait([manager._bus_watcher_task])


@asynccontextmanager
async def _running(*, adapter: str | None = None) -> AsyncIterator[list[RadioEvent]]:
    events: list[RadioEvent] = []
    radio = Radio(
        RadioBackend(adapter=adapter),
        [_Chosen("strap", (_ADDRESS,))],
        events.append,
        timing=_TIMING,
    )
    task = asyncio.create_task(radio.run())
    try:
        yield events
    finally:
        task.cancel()
        await asyncio.wait([task])


def _armed(strap: FakeDevice) -> bool:
    return strap.notifies(heart_rate.CHARACTERISTIC) and strap.notifies(battery.CHARACTERISTIC)


def _states(events: list[RadioEvent]) -> list[LinkState]:
    return [event.state for event in events if isinstance(event, LinkChange)]


def _heard(events: list[RadioEvent], value: bytes) -> bool:
    return value in _values(events)


def _values(events: list[RadioEvent]) -> list[bytes]:
    return [event.value for event in events if isinstance(event, Notification)]


@pytest.mark.parametrize("adapter", [None, "hci0"])
async def test_finds_connects_listens_and_lets_go(bluez: FakeBluez, adapter: str | None) -> None:
    strap = bluez.device(_ADDRESS, _SERVICES)
    async with _running(adapter=adapter) as events:
        await until(lambda: _armed(strap))
        assert not bluez.discovering
        strap.notify(heart_rate.CHARACTERISTIC, b"\0\x48")
        await until(lambda: _heard(events, b"\0\x48"))
    assert _values(events) == [b"\x50", b"\0\x48"]
    assert _states(events) == [LinkState.SEARCHING, LinkState.CONNECTED, LinkState.SEARCHING]
    await until(lambda: not strap.connected)


async def test_a_lost_link_is_made_and_armed_again(bluez: FakeBluez) -> None:
    strap = bluez.device(_ADDRESS, _SERVICES)
    async with _running() as events:
        for rate in (72, 73, 74):
            value = bytes([0, rate])
            await until(lambda: _armed(strap))
            strap.notify(heart_rate.CHARACTERISTIC, value)
            await until(functools.partial(_heard, events, value))
            strap.unlink()
        await until(lambda: _armed(strap))
    assert strap.calls.count("Connect") == 4
    assert _states(events) == [LinkState.SEARCHING, LinkState.CONNECTED] * 4 + [LinkState.SEARCHING]


async def test_an_aborted_connection_is_tried_again(bluez: FakeBluez) -> None:
    strap = bluez.device(_ADDRESS, _SERVICES)
    strap.connect_errors = ["org.bluez.Error.Failed", "org.bluez.Error.InProgress"]
    async with _running():
        await until(lambda: _armed(strap))
    assert strap.calls.count("Connect") == 3


async def test_a_link_that_a_crashed_daemon_left_is_taken_over(bluez: FakeBluez) -> None:
    strap = bluez.device(_ADDRESS, _SERVICES)
    strap.link()
    async with _running() as events:
        await until(lambda: _armed(strap))
        strap.notify(heart_rate.CHARACTERISTIC, b"\0\x48")
        await until(lambda: _heard(events, b"\0\x48"))
    assert "Connect" not in strap.calls


async def test_a_scan_that_a_killed_program_left_is_waited_for(bluez: FakeBluez) -> None:
    strap = bluez.device(_ADDRESS, _SERVICES)
    bluez.scan_errors = ["org.bluez.Error.InProgress"] * 3
    async with _running():
        await until(lambda: _armed(strap))


async def test_the_scan_sees_it(bluez: FakeBluez) -> None:
    bluez.device(_ADDRESS, _SERVICES)
    found = [seen async for seen in scan(RadioBackend(), seconds=0.2)]
    assert [seen.address for seen in found][:1] == [_ADDRESS]
    assert found[0].offers == ("heart rate", "battery")
    assert not bluez.discovering


async def test_an_adapter_that_is_off_says_how_to_switch_it_on(bluez: FakeBluez) -> None:
    bluez.power(on=False)
    with pytest.raises(NoAdapterError, match="bluetoothctl power on"):
        await ensure_available(RadioBackend())


async def test_an_adapter_that_is_not_there_is_named(bluez: FakeBluez) -> None:
    with pytest.raises(NoAdapterError, match=r"hci7.*bluetoothctl list"):
        await ensure_available(RadioBackend(adapter="hci7"))


async def test_a_scan_in_the_way_is_said(bluez: FakeBluez) -> None:
    bluez.scan_errors = ["org.bluez.Error.InProgress"]
    with pytest.raises(RadioError, match="another program's scan"):
        await ensure_available(RadioBackend())


@pytest.mark.usefixtures("bus")
async def test_without_bluetoothd_it_says_how_to_get_it() -> None:
    with pytest.raises(NoAdapterError, match=r"bluetoothd.*apt-get install bluez"):
        await ensure_available(RadioBackend())


async def test_without_a_message_bus_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    with pytest.raises(NoAdapterError, match=r"message bus.*apt-get install bluez"):
        await ensure_available(RadioBackend())
