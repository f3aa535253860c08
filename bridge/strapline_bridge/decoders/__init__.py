"""The registry of wire formats: which characteristic is understood, and by whom.

One pure module per format. Each has ``decode(value) -> Reading``, which raises
:class:`UndecodableError` for bytes that the format does not allow and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from strapline_bridge.decoders import battery, heart_rate, infinitime
from strapline_bridge.decoders.errors import UndecodableError
from strapline_bridge.readings import Reading

__all__ = [
    "DECODERS",
    "OFFERS",
    "OFFERS_BY_NAME",
    "SPEAKS_ON_CHANGE",
    "Decoder",
    "UndecodableError",
]


@dataclass(frozen=True, slots=True)
class Decoder:
    """One wire format.

    Attributes:
        characteristic: UUID, 128 bits, lower case.
        service: UUID of the service that it stands in.
        metric: what its readings measure.
        decode: bytes to reading; raises :class:`UndecodableError`.
        on_change: sent only when the value changes, so that silence means "still the same".
        read_first: the value is read once before it is subscribed to, since the first
            notification may be long in coming.
        field_bits: the width of a running total on the wire, after which it wraps.
    """

    characteristic: str
    service: str
    metric: str
    decode: Callable[[bytes], Reading]
    on_change: bool = False
    read_first: bool = False
    field_bits: int | None = None


#: By characteristic UUID.
DECODERS: Final[Mapping[str, Decoder]] = MappingProxyType(
    {
        decoder.characteristic: decoder
        for decoder in (
            Decoder(heart_rate.CHARACTERISTIC, heart_rate.SERVICE, "heart_rate", heart_rate.decode),
            Decoder(
                battery.CHARACTERISTIC,
                battery.SERVICE,
                "battery",
                battery.decode,
                on_change=True,
                read_first=True,
            ),
            Decoder(
                infinitime.CHARACTERISTIC,
                infinitime.SERVICE,
                "steps",
                infinitime.decode,
                on_change=True,
                read_first=True,
                field_bits=32,
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
        battery.SERVICE: "battery",
    }
)

#: Wearables that offer more than they advertise, by the name under which they do.
OFFERS_BY_NAME: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"InfiniTime": ("heart rate", "steps", "battery")}
)
