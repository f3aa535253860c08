"""Looking around: what advertises near, for a person who chooses."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from strapline_bridge.decoders import OFFERS, OFFERS_BY_NAME
from strapline_bridge.radio.backend import RadioBackend
from strapline_bridge.radio.ending import scanning
from strapline_bridge.radio.errors import TRANSIENT, explain

_LONGEST_NAME: Final = 40
#: More than any hall holds; past it, new devices are left out.
_MOST_DEVICES: Final = 1_024
_OPERATION_S: Final = 10.0
#: What BlueZ says when it knows no signal strength.
_NO_RSSI: Final = -127


@dataclass(frozen=True, slots=True)
class Sighting:
    """A device as it was last heard.

    Attributes:
        address: upper case.
        name: as it calls itself, made harmless; empty when it says none.
        rssi: signal strength in dBm, ``None`` where the stack does not tell.
        offers: what it measures that is understood here, in words; empty for others.
        services: the service UUIDs that it advertises.
    """

    address: str
    name: str
    rssi: int | None
    offers: tuple[str, ...]
    services: tuple[str, ...]


def clean_name(name: str | None) -> str:
    """A device's own name made harmless for terminals, logs and pages.

    Control characters, line separators and marks that turn the direction of text are taken
    out, blanks are joined, and what is over 40 characters is cut.
    """
    if not name:
        return ""
    kept = (
        " " if unicodedata.category(character) in {"Zs", "Zl", "Zp"} else character
        for character in name[: 8 * _LONGEST_NAME]
        if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )
    return " ".join("".join(kept).split())[:_LONGEST_NAME].rstrip()


def sighting(device: BLEDevice, advertisement: AdvertisementData) -> Sighting:
    """What an advertisement tells a person."""
    name = clean_name(advertisement.local_name or device.name)
    services = tuple(uuid.lower() for uuid in advertisement.service_uuids)
    words = {OFFERS[uuid] for uuid in services if uuid in OFFERS}
    words.update(OFFERS_BY_NAME.get(name, ()))
    return Sighting(
        address=device.address.upper(),
        name=name,
        rssi=None if advertisement.rssi == _NO_RSSI else advertisement.rssi,
        offers=tuple(word for word in dict.fromkeys(OFFERS.values()) if word in words),
        services=services,
    )


async def scan(
    backend: RadioBackend, seconds: float | None = None
) -> AsyncGenerator[Sighting, None]:
    """Yield each device when it is first heard and whenever it has something new to say.

    A slow reader gets the newest of each device. Leaving the loop early, with ``aclosing``,
    stops the scan.

    Args:
        backend: the Bluetooth stack.
        seconds: for how long; ``None`` for ever.

    Raises:
        RadioError: Bluetooth cannot be used; :class:`NoAdapterError` where there is none.
    """
    pending: dict[str, Sighting] = {}
    last: dict[str, Sighting] = {}
    news = asyncio.Event()

    def detected(device: BLEDevice, advertisement: AdvertisementData) -> None:
        seen = sighting(device, advertisement)
        if seen == last.get(seen.address):
            return
        known = seen.address in pending or seen.address in last
        if known or len(pending) + len(last) < _MOST_DEVICES:
            pending[seen.address] = seen
            news.set()

    loop = asyncio.get_running_loop()
    ends_s = None if seconds is None else loop.time() + seconds
    try:
        async with scanning(backend.make_scanner(detected), _OPERATION_S):
            while await _within(news, ends_s):
                news.clear()
                batch = list(pending.values())
                pending.clear()
                for seen in batch:
                    last[seen.address] = seen
                    yield seen
    except TRANSIENT as error:
        raise explain(error) from error


async def _within(news: asyncio.Event, ends_s: float | None) -> bool:
    try:
        async with asyncio.timeout_at(ends_s):
            await news.wait()
    except TimeoutError:
        return False
    return True


async def ensure_available(backend: RadioBackend) -> None:
    """Return if Bluetooth can be used now.

    Raises:
        RadioError: it cannot; :class:`NoAdapterError` where there is no usable adapter.
    """
    async for _ in scan(backend, seconds=0):
        continue
