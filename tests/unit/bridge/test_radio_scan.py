"""Looking around: names made harmless, offers in words, and an end."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason
from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.radio import NoAdapterError, Sighting, clean_name, ensure_available, scan
from tests.unit.bridge.radio_fakes import (
    BATTERY_SERVICE,
    HEART_RATE_SERVICE,
    STEPS_SERVICE,
    FakeAir,
    FakeStrap,
    eventually,
)

_ADDRESS = "C0:FF:EE:00:00:01"
_OFF = BleakBluetoothNotAvailableError("off", BleakBluetoothNotAvailableReason.POWERED_OFF)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        (None, ""),
        ("Polar H10 1234", "Polar H10 1234"),
        ("  a\t\n b  ", "a b"),
        ("\x1b[31mred\x07", "[31mred"),
        ("a\u202eb\u200f\u2028c", "ab c"),
        ("<b>x</b>", "<b>x</b>"),
        ("Pulsgürtel 🫀", "Pulsgürtel 🫀"),
        ("x" * 10_000, "x" * 40),
        ("\0", ""),
    ],
)
def test_names_are_made_harmless(name: str | None, clean: str) -> None:
    assert clean_name(name) == clean


@given(st.text(max_size=400))
def test_no_name_breaks_a_terminal(name: str) -> None:
    clean = clean_name(name)
    assert len(clean) <= 40
    assert not clean or clean.isprintable()
    assert clean_name(clean) == clean


async def _first(air: FakeAir) -> Sighting:
    async with aclosing(scan(air.backend())) as sightings:
        async for seen in sightings:
            return seen
    raise AssertionError("a scan without end ended")


async def test_a_strap_is_told_by_what_it_offers() -> None:
    strap = FakeStrap(
        _ADDRESS.lower(), "Polar\x1b H10", advertises=[BATTERY_SERVICE, HEART_RATE_SERVICE.upper()]
    )
    assert await _first(FakeAir(strap)) == Sighting(
        address=_ADDRESS,
        name="Polar H10",
        rssi=-60,
        offers=("heart rate", "battery"),
        services=(BATTERY_SERVICE, HEART_RATE_SERVICE),
    )


@pytest.mark.parametrize(
    ("name", "advertises", "offers"),
    [
        ("InfiniTime", [], ("heart rate", "steps", "battery")),
        ("watch", [STEPS_SERVICE], ("steps",)),
        ("lamp", ["0000fe0f-0000-1000-8000-00805f9b34fb"], ()),
    ],
)
async def test_offers(name: str, advertises: list[str], offers: tuple[str, ...]) -> None:
    air = FakeAir(FakeStrap(_ADDRESS, name, advertises=advertises))
    assert (await _first(air)).offers == offers


async def test_leaving_stops_the_scan() -> None:
    air = FakeAir(FakeStrap(_ADDRESS))
    await _first(air)
    assert (air.scans, air.scanning) == (1, 0)


async def test_ends_after_its_time() -> None:
    air = FakeAir(FakeStrap(_ADDRESS))
    seen = [one async for one in scan(air.backend(), seconds=0.02)]
    assert [one.address for one in seen] == [_ADDRESS]
    assert air.scanning == 0


async def test_a_device_is_given_again_only_when_it_has_news() -> None:
    strap = FakeStrap(_ADDRESS)
    other = FakeStrap("C0:FF:EE:00:00:02")
    air = FakeAir(strap)
    seen: list[tuple[str, str]] = []

    async def look() -> None:
        async for one in scan(air.backend()):
            seen.append((one.address, one.name))  # noqa: PERF401  # watched while it grows

    looking = asyncio.create_task(look())
    await eventually(lambda: len(seen) == 1)
    air.advertise()
    strap.name = "new name"
    air.advertise()
    await eventually(lambda: len(seen) == 2)
    air.wake(other)
    await eventually(lambda: len(seen) == 3)
    looking.cancel()
    await asyncio.wait([looking])
    assert [name for _, name in seen] == ["strap", "new name", "strap"]
    assert air.scanning == 0


async def test_no_bluetooth_is_said_with_its_remedy() -> None:
    air = FakeAir()
    air.scan_errors = [_OFF]
    with pytest.raises(NoAdapterError, match="bluetoothctl power on"):
        async for _ in scan(air.backend()):
            pass


async def test_availability_is_asked_without_looking_around() -> None:
    air = FakeAir(FakeStrap(_ADDRESS))
    await ensure_available(air.backend())
    assert (air.scans, air.scanning) == (1, 0)
    air.scan_errors = [FileNotFoundError(2, "no bus")]
    with pytest.raises(NoAdapterError, match="systemctl start bluetooth"):
        await ensure_available(air.backend())
