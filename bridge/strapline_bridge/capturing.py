"""Records what wearables send, known or not, and leaves out who they are.

A capture is what an owner of a device can send to people who do not have one. So it holds no
address, no name and no serial number: what is known to be one is not recorded, and a value in
which one of them occurs is left out and counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from strapline_bridge.decoders import DECODERS, DESCRIPTIONS, Decoder, UndecodableError
from strapline_bridge.decoders.describing import SERIAL_NUMBER, shareable
from strapline_bridge.radio import LinkChange, LinkState, Offered, RadioEvent
from strapline_bridge.radio.captures import Capture, CapturedValue
from strapline_bridge.readings import Reading

#: Two hours of a strap that sends ten times a second.
MOST_VALUES: Final = 72_000

_BASE: Final = "-0000-1000-8000-00805f9b34fb"
_DEVICE_NAME: Final = f"00002a00{_BASE}"
#: Read for what is in them, and never recorded.
_SECRETS: Final = frozenset({_DEVICE_NAME, SERIAL_NUMBER})
#: Generic Access and Generic Attribute tell of the link, not of a measurement; it can change.
_NOT_RECORDED_SERVICES: Final = frozenset({f"00001800{_BASE}", f"00001801{_BASE}"})
_LINK_AND_MAKE: Final = (
    frozenset(
        {
            *(f"{short}{_BASE}" for short in ("00002a01", "00002a04", "00002aa6", "00002ac9")),
            *(f"{short}{_BASE}" for short in ("00002a05", "00002b29", "00002b2a", "00002b3a")),
            *(one.characteristic for one in DESCRIPTIONS.values() if one.field is None),
        }
    )
    - _SECRETS
)
#: Shorter ones occur by chance in any value.
_SHORTEST_SECRET: Final = 4


def _no_reading(value: bytes) -> Reading:
    raise UndecodableError("", value, "a capture decodes nothing")


class Anything(Mapping[str, Decoder]):
    """In place of the registry: every characteristic is worth listening to.

    Each is taken to speak on change, so that its silence ends no link.
    """

    def __contains__(self, uuid: object) -> bool:
        return uuid not in _LINK_AND_MAKE

    def __getitem__(self, uuid: str) -> Decoder:
        known = DECODERS.get(uuid)
        read_first = uuid in _SECRETS or uuid in DESCRIPTIONS or (known and known.read_first)
        return Decoder(uuid, "", "", _no_reading, on_change=True, read_first=bool(read_first))

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@dataclass(slots=True)
class _Device:
    secrets: set[bytes]
    offers: tuple[Offered, ...] = ()
    values: list[CapturedValue] = field(default_factory=list)


class Recorder:
    """The radio's sink during a capture.

    Attributes:
        recorded: how many values are kept so far.
        full: there is room for no more; what comes now is not kept.
    """

    def __init__(self, devices: Mapping[str, tuple[str, ...]], began_ns: int) -> None:
        """Set up.

        Args:
            devices: by device id, what tells which one it is: its addresses and names.
            began_ns: boot clock at offset 0.
        """
        self._began_ns = began_ns
        self._devices = {
            device: _Device(set().union(*(_needles(text) for text in texts)))
            for device, texts in devices.items()
        }
        self.recorded = 0

    @property
    def full(self) -> bool:
        return self.recorded >= MOST_VALUES

    def __call__(self, event: RadioEvent) -> None:
        """Take an event from the radio."""
        device = self._devices[event.device_id]
        if isinstance(event, LinkChange):
            if event.state is LinkState.CONNECTED:
                device.offers = tuple(one for one in event.offered if _is_recorded(one))
            return
        if event.characteristic in _SECRETS:
            device.secrets |= _needles(event.value.partition(b"\0")[0].decode(errors="ignore"))
        elif not self.full:
            offset_ms = (event.boot_ns - self._began_ns) // 1_000_000
            value = CapturedValue(event.characteristic, offset_ms, event.value, event.was_read)
            device.values.append(value)
            self.recorded += 1

    def captures(self) -> tuple[list[Capture], int]:
        """What was recorded of each device, and how many values are left out of it."""
        captures, left_out = [], 0
        for device in self._devices.values():
            # Only now are all names and numbers known that a value must not hold.
            kept = tuple(one for one in device.values if not _tells(one, device.secrets))
            left_out += len(device.values) - len(kept)
            captures.append(Capture(device.offers, kept))
        return captures, left_out


def _is_recorded(offered: Offered) -> bool:
    return (
        offered.service not in _NOT_RECORDED_SERVICES
        and offered.characteristic not in _LINK_AND_MAKE | _SECRETS
    )


def _needles(text: str) -> set[bytes]:
    """The ways in which an address, a name or a serial number may stand in a value."""
    found = {text.strip().casefold().encode()}
    digits = re.sub(r"[:_-]", "", text)
    if re.fullmatch(r"[0-9A-Fa-f]{12}", digits):
        raw = bytes.fromhex(digits)
        found |= {raw, raw[::-1], digits.casefold().encode()}
    # A name often ends with part of the serial number.
    found |= {number.encode() for number in re.findall(r"[0-9]{4,}", text)}
    return {needle for needle in found if len(needle) >= _SHORTEST_SECRET}


def _tells(value: CapturedValue, secrets: set[bytes]) -> bool:
    description = DESCRIPTIONS.get(value.characteristic)
    if description is not None:
        try:
            if shareable(str(description.decode(value.value))) is None:
                return True
        except UndecodableError:
            return True
    plain = value.value.lower()
    return any(secret in value.value or secret in plain for secret in secrets)
