"""Finds a wire format by UUID or name, and says in full what bytes of it mean."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from strapline_bridge.decoders import DECODERS, DESCRIPTIONS
from strapline_bridge.errors import BridgeError
from strapline_bridge.readings import Reading

_ASSIGNED: Final = "-0000-1000-8000-00805f9b34fb"
_SHORT: Final = re.compile(r"(0x)?([0-9a-f]{4})")
_LONG: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class UnknownCharacteristicError(BridgeError):
    """No format here has this UUID or name."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a value means.

    Attributes:
        characteristic: UUID, 128 bits, lower case.
        name: the specification's, in lower case.
        readings: what a bridge would make of it, before any mark that a run of readings earns.
        fields: all that stands in it, by name, where that is more.
    """

    characteristic: str
    name: str
    readings: tuple[Reading, ...]
    fields: Mapping[str, object]


def characteristic_named(text: str) -> str:
    """The UUID of a characteristic that is understood, 128 bits, lower case.

    Args:
        text: such as ``2A37``, ``0x2a37``, all 128 bits, or ``heart rate measurement``; a part of
            a name where it is a part of that one alone.

    Raises:
        UnknownCharacteristicError: none is called so.
    """
    wanted = " ".join(re.split(r"[\s_]+", text.strip().casefold()))
    short = _SHORT.fullmatch(wanted)
    uuid = f"0000{short[2]}{_ASSIGNED}" if short else wanted
    if uuid in DECODERS or uuid in DESCRIPTIONS:
        return uuid
    names = {one.name: uuid for uuid, one in DECODERS.items()}
    names |= {one.name: uuid for uuid, one in DESCRIPTIONS.items()}
    spaced = wanted.replace("-", " ")
    if spaced in names:
        return names[spaced]
    containing = [name for name in names if spaced and spaced in name]
    if len(containing) == 1:
        return names[containing[0]]
    near = difflib.get_close_matches(spaced, names, n=3, cutoff=0.5)
    if short or _LONG.fullmatch(wanted) or not near:
        near = sorted(names)
    raise UnknownCharacteristicError(
        f"no characteristic {text.strip()[:64]!r} is understood here", f"Known: {', '.join(near)}"
    )


def meaning(characteristic: str, value: bytes) -> Meaning:
    """What a value of a known characteristic means.

    Raises:
        UndecodableError: nothing; its ``reason`` says why.
    """
    description = DESCRIPTIONS.get(characteristic)
    if description is not None:
        told = description.decode(value)
        fields = _fields(told) if isinstance(told, tuple) else {"text": told}
        return Meaning(characteristic, description.name, (), fields)
    decoder = DECODERS[characteristic]
    reading = decoder.decode(value)
    readings = tuple(one for one in (reading, *reading.also) if one.value is not None)
    fields = _fields(decoder.parse(value)) if decoder.parse is not None else {}
    return Meaning(characteristic, decoder.name, readings, fields)


def _fields(record: tuple[object, ...]) -> dict[str, object]:
    """A named tuple's fields by name."""
    names: tuple[str, ...] = getattr(record, "_fields", ())
    return dict(zip(names, record, strict=True))
