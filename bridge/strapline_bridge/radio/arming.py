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

from strapline_bridge.decoders import SPEAKS_ON_CHANGE, Decoder, Description
from strapline_bridge.radio.errors import TRANSIENT, failure_class
from strapline_bridge.radio.events import Offered

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
        listening: UUIDs that were subscribed to on arming.
        polled: readable values that cannot be subscribed to, or that do not notify though
            they say that they do. None of them is subscribed to.
        doubtful: readable totals that are subscribed to; some watches never notify theirs.
        probe: a readable value that is not subscribed to: reading one that is would bring
            its notification twice.
        steady: at least one value is sent all the time, so that silence is suspicious.
    """

    listening: list[str] = field(default_factory=list)
    polled: list[BleakGATTCharacteristic] = field(default_factory=list)
    doubtful: list[BleakGATTCharacteristic] = field(default_factory=list)
    probe: BleakGATTCharacteristic | None = None
    steady: bool = False


def offered(client: BleakClient) -> tuple[Offered, ...]:
    """All characteristics of a connected wearable."""
    return tuple(
        Offered(service.uuid, characteristic.uuid, tuple(characteristic.properties))
        for service in client.services
        for characteristic in service.characteristics
    )


async def arm(
    client: BleakClient, decoders: Mapping[str, Decoder], listener: Listener, operation_s: float
) -> Armed:
    """Read what is to be read first, then subscribe to all that a decoder exists for.

    A value that cannot be armed is left out and said; the others are armed all the same. Of
    several characteristics of one kind the first counts.
    """
    armed = Armed()
    on_change_only = any(service.uuid in SPEAKS_ON_CHANGE for service in client.services)
    known: dict[str, BleakGATTCharacteristic] = {}
    for characteristic in client.services.characteristics.values():
        if characteristic.uuid in decoders:
            known.setdefault(characteristic.uuid, characteristic)
        elif armed.probe is None and _readable(characteristic):
            armed.probe = characteristic
    for uuid, characteristic in known.items():
        decoder = decoders[uuid]
        if _readable(characteristic) and (decoder.read_first or not _subscribable(characteristic)):
            on_change = decoder.on_change or on_change_only
            await read(client, characteristic, listener, operation_s, on_change=on_change)
    for uuid, characteristic in known.items():
        decoder = decoders[uuid]
        on_change = decoder.on_change or on_change_only
        if _subscribable(characteristic) and await _subscribe(
            client, characteristic, listener, operation_s, on_change=on_change
        ):
            armed.listening.append(uuid)
            armed.steady = armed.steady or not on_change
            if decoder.field_bits is not None and _readable(characteristic):
                armed.doubtful.append(characteristic)
        elif _readable(characteristic):
            armed.polled.append(characteristic)
    return armed


def _readable(characteristic: BleakGATTCharacteristic) -> bool:
    return "read" in characteristic.properties


def _subscribable(characteristic: BleakGATTCharacteristic) -> bool:
    return not _SUBSCRIBABLE.isdisjoint(characteristic.properties)


async def describe(
    client: BleakClient,
    descriptions: Mapping[str, Description],
    listener: Listener,
    operation_s: float,
) -> None:
    """Read what the wearable says of itself and may be told; nothing else is even asked for."""
    for characteristic in client.services.characteristics.values():
        description = descriptions.get(characteristic.uuid)
        if description is not None and description.field and _readable(characteristic):
            await read(client, characteristic, listener, operation_s, on_change=True)


async def is_mute(
    client: BleakClient,
    characteristic: BleakGATTCharacteristic,
    last: bytes | None,
    listener: Listener,
    operation_s: float,
) -> bool:
    """Whether a subscribed total has changed without a notification.

    It is read while it is not subscribed to, since BlueZ would report it twice. One that has not
    changed is subscribed to again; one that has, not any more.
    """
    uuid = characteristic.uuid
    value: bytes | None = None
    try:
        async with asyncio.timeout(operation_s):
            await client.stop_notify(characteristic)
            value = bytes(await client.read_gatt_char(characteristic))
    except TRANSIENT as error:
        _log.info("%s cannot be looked at: %s", uuid[:8], failure_class(error))
    if value is not None and value != last:
        listener.was_read(uuid, value, on_change=True)
        if last is not None:
            return True
    return not await _subscribe(client, characteristic, listener, operation_s, on_change=True)


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
