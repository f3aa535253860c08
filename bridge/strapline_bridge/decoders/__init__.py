"""The registry of wire formats: which characteristic is understood, and by whom.

One pure module per format. Each has ``decode(value) -> Reading``, which raises
:class:`UndecodableError` for bytes that the format does not allow and nothing else. A format
with more fields than readings are made of has ``parse(value)`` too, a record of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from strapline_bridge.decoders import (
    activity_monitor,
    battery,
    heart_rate,
    huami,
    infinitime,
    running,
    step_climber,
)
from strapline_bridge.decoders.describing import DESCRIPTIONS, Description
from strapline_bridge.decoders.errors import UndecodableError
from strapline_bridge.readings import Reading

__all__ = [
    "DECODERS",
    "DESCRIPTIONS",
    "OFFERS",
    "OFFERS_BY_NAME",
    "SPEAKS_ON_CHANGE",
    "Decoder",
    "Description",
    "UndecodableError",
]


@dataclass(frozen=True, slots=True)
class Decoder:
    """One wire format.

    Attributes:
        characteristic: UUID, 128 bits, lower case.
        service: UUID of the service that it stands in.
        metric: what its readings measure first.
        decode: bytes to reading; raises :class:`UndecodableError`.
        on_change: sent only when the value changes, so that silence means "still the same".
        read_first: the value is read once before it is subscribed to, since the first
            notification may be long in coming.
        field_bits: the width of a running total of steps on the wire, after which it wraps.
        daily: that total begins anew at the wearable's midnight.
        strides: it tells a cadence from which steps can be derived, where nothing counts them.
        name: the specification's, in lower case.
        parse: bytes to a record of all fields, where there are more than readings are made of.
    """

    characteristic: str
    service: str
    metric: str
    decode: Callable[[bytes], Reading]
    on_change: bool = False
    read_first: bool = False
    field_bits: int | None = None
    daily: bool = False
    strides: bool = False
    name: str = ""
    parse: Callable[[bytes], tuple[object, ...]] | None = None


#: By characteristic UUID. Of several that count steps, a wearable's first one here counts.
DECODERS: Final[Mapping[str, Decoder]] = MappingProxyType(
    {
        decoder.characteristic: decoder
        for decoder in (
            Decoder(
                heart_rate.CHARACTERISTIC,
                heart_rate.SERVICE,
                "heart_rate",
                heart_rate.decode,
                name="heart rate measurement",
            ),
            Decoder(
                battery.CHARACTERISTIC,
                battery.SERVICE,
                "battery",
                battery.decode,
                on_change=True,
                read_first=True,
                name="battery level",
            ),
            Decoder(
                infinitime.CHARACTERISTIC,
                infinitime.SERVICE,
                "steps",
                infinitime.decode,
                on_change=True,
                read_first=True,
                field_bits=32,
                daily=True,
                name="infinitime step count",
            ),
            Decoder(
                huami.CHARACTERISTIC,
                huami.SERVICE,
                "steps",
                huami.decode,
                on_change=True,
                read_first=True,
                field_bits=16,
                daily=True,
                name="mi band steps",
                parse=huami.parse,
            ),
            Decoder(
                activity_monitor.CHARACTERISTIC,
                activity_monitor.SERVICE,
                "steps",
                activity_monitor.decode,
                on_change=True,
                field_bits=24,
                name="step counter activity summary data",
                parse=activity_monitor.parse,
            ),
            Decoder(
                step_climber.CHARACTERISTIC,
                step_climber.SERVICE,
                "steps",
                step_climber.decode,
                field_bits=16,
                name="step climber data",
                parse=step_climber.parse,
            ),
            Decoder(
                running.CHARACTERISTIC,
                running.SERVICE,
                "speed",
                running.decode,
                strides=True,
                name="rsc measurement",
                parse=running.parse,
            ),
        )
    }
)

#: Services of wearables that send everything only on change, their heart rate too.
SPEAKS_ON_CHANGE: Final = frozenset({infinitime.SERVICE})

#: What a wearable that advertises a service has to offer, in words for a person.
OFFERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        heart_rate.SERVICE: "heart rate",
        infinitime.SERVICE: "steps",
        huami.SERVICE: "steps",
        activity_monitor.SERVICE: "steps",
        step_climber.SERVICE: "steps",
        running.SERVICE: "speed and cadence",
        battery.SERVICE: "battery",
    }
)

#: Wearables that offer more than they advertise, by the name under which they do.
OFFERS_BY_NAME: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"InfiniTime": ("heart rate", "steps", "battery")}
)
