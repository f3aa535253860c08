"""Arming a fresh link: which values are subscribed to, which are read, what proves it alive.

Subscriptions do not survive a reconnect, so this runs after each one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakGATTProtocolError

from strapline_bridge.decoders import SPEAKS_ON_CHANGE, Decoder
from strapline_bridge.radio.errors import TRANSIENT, failure_class

_log = logging.getLogger(__name__)

_SUBSCRIBABLE = frozenset({"notify", "indicate"})


class Listener(Protocol):
    """Takes values as they arrive, without waiting."""

    def notified(self, characteristic: str, value: bytes, *, on_change: bool) -> None:
        """The wearable sent this of its own accord."""
        ...

    def was_read(self, characteristic: str, value: bytes, *, on_change: bool) -> None:
        """The wearable was asked for this."""
        ...


@dataclass(slots=True)
class Armed:
    """What a link brings.

    Attributes:
        listening: UUIDs that are subscribed to.
        polled: readable values that cannot be subscribed to.
        probe: a readable value that is not subscribed to: reading one that is would bring
            its notification twice.
        steady: at least one value is sent all the time, so that silence is suspicious.
    """

    listening: list[str] = field(default_factory=list)
    polled: list[BleakGATTCharacteristic] = field(default_factory=list)
    probe: BleakGATTCharacteristic | None = None
    steady: bool = False


async def arm(
    client: BleakClient, decoders: Mapping[str, Decoder], listener: Listener, operation_s: float
) -> Armed:
    """Read what is to be read first, then subscribe to all that a decoder exists for.

    A value that cannot be armed is left out and said; the others are armed all the same. Of
    several characteristics of one kind the first counts.
    """
    armed = Armed()
    on_change_only = any(service.uuid in SPEAKS_ON_CHANGE for service in client.services)
    seen: set[str] = set()
    for characteristic in list(client.services.characteristics.values()):
        decoder = decoders.get(characteristic.uuid)
        readable = "read" in characteristic.properties
        if decoder is None:
            if readable and armed.probe is None:
                armed.probe = characteristic
            continue
        if characteristic.uuid in seen:
            continue
        seen.add(characteristic.uuid)
        on_change = decoder.on_change or on_change_only
        subscribable = not _SUBSCRIBABLE.isdisjoint(characteristic.properties)
        if readable and (decoder.read_first or not subscribable):
            await read(client, characteristic, listener, operation_s, on_change=on_change)
        if subscribable:
            if await _subscribe(client, characteristic, listener, operation_s, on_change=on_change):
                armed.listening.append(characteristic.uuid)
                armed.steady = armed.steady or not on_change
        elif readable:
            armed.polled.append(characteristic)
    return armed


async def read(
    client: BleakClient,
    characteristic: BleakGATTCharacteristic,
    listener: Listener,
    operation_s: float,
    *,
    on_change: bool,
) -> None:
    """Read a value once and hand it on like a notification."""
    try:
        async with asyncio.timeout(operation_s):
            value = await client.read_gatt_char(characteristic)
    except TRANSIENT as error:
        _log.info("%s cannot be read: %s", characteristic.uuid[:8], failure_class(error))
    else:
        listener.was_read(characteristic.uuid, bytes(value), on_change=on_change)


async def _subscribe(
    client: BleakClient,
    characteristic: BleakGATTCharacteristic,
    listener: Listener,
    operation_s: float,
    *,
    on_change: bool,
) -> bool:
    uuid = characteristic.uuid

    # A plain function: bleak would make a task of its own for each call of a coroutine.
    def notified(_: BleakGATTCharacteristic, value: bytearray) -> None:
        listener.notified(uuid, bytes(value), on_change=on_change)

    try:
        async with asyncio.timeout(operation_s):
            await client.start_notify(characteristic, notified)
    except TRANSIENT as error:
        _log.info("%s cannot be subscribed to: %s", uuid[:8], failure_class(error))
        return False
    return True


async def answers(client: BleakClient, armed: Armed, operation_s: float) -> bool:
    """Whether the other end is still there: an answer of any kind, a refusal too, is proof."""
    if armed.probe is None:
        return False
    try:
        async with asyncio.timeout(operation_s):
            await client.read_gatt_char(armed.probe)
    except BleakGATTProtocolError:
        return True
    except TRANSIENT:
        return False
    return True
