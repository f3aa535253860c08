"""The file of a capture: what wearables sent, line by line in JSON, without who they are.

===========  ==================================================================================
first line   ``{"format": "strapline-capture", "version": 1}``
an offer     ``{"device": 1, "service": UUID, "characteristic": UUID, "properties": ["notify"]}``
a value      ``{"device": 1, "characteristic": UUID, "offsetMs": 0, "hex": "0048"}``, in order of
             time, with ``"read": true`` where the wearable was asked for it
===========  ==================================================================================

Devices are numbered from 1. The offers of a device stand before its values.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from strapline_bridge.errors import BridgeError
from strapline_bridge.radio.events import Offered

#: A day of a strap, ten times over.
_MOST_LINES: Final = 1_000_000
_MOST_DEVICES: Final = 64

_Uuid = Annotated[
    str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]
_Number = Annotated[int, Field(ge=1, le=_MOST_DEVICES)]


class CaptureError(BridgeError):
    """A file is no capture, or one of a later version."""


@dataclass(frozen=True, slots=True)
class CapturedValue:
    """One value.

    Attributes:
        offset_ms: since the beginning of the capture.
        was_read: the wearable was asked for it.
    """

    characteristic: str
    offset_ms: int
    value: bytes
    was_read: bool = False


@dataclass(frozen=True, slots=True)
class Capture:
    """What one wearable has and what it sent."""

    offers: tuple[Offered, ...]
    values: tuple[CapturedValue, ...]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Head(_Line):
    format: Literal["strapline-capture"]
    version: Literal[1]


class _Offer(_Line):
    device: _Number
    service: _Uuid
    characteristic: _Uuid
    properties: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=16)]


class _Value(_Line):
    device: _Number
    characteristic: _Uuid
    offset_ms: Annotated[int, Field(ge=0, alias="offsetMs")]
    hex: Annotated[str, Field(pattern=r"^([0-9a-f]{2}){0,512}$")]
    read: bool = False


_LINE: Final[TypeAdapter[_Offer | _Value]] = TypeAdapter(_Offer | _Value)


def dumps(captures: Sequence[Capture]) -> str:
    """The text of a file with these wearables, numbered in this order."""
    lines: list[Mapping[str, object]] = [{"format": "strapline-capture", "version": 1}]
    for number, capture in enumerate(captures, start=1):
        lines += [
            {
                "device": number,
                "service": offer.service,
                "characteristic": offer.characteristic,
                "properties": list(offer.properties),
            }
            for offer in capture.offers
        ]
    values = [
        (value, number) for number, one in enumerate(captures, start=1) for value in one.values
    ]
    for value, number in sorted(values, key=lambda pair: pair[0].offset_ms):
        line: dict[str, object] = {
            "device": number,
            "characteristic": value.characteristic,
            "offsetMs": value.offset_ms,
            "hex": value.value.hex(),
        }
        lines.append({**line, "read": True} if value.was_read else line)
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def loads(text: str) -> list[Capture]:
    """The wearables of a file, in the order of their numbers.

    Raises:
        CaptureError: it is none; which line and why.
    """
    lines = text.splitlines()
    if len(lines) > _MOST_LINES:
        raise CaptureError(f"the capture has more than {_MOST_LINES} lines", "Cut it")
    try:
        _Head.model_validate_json(lines[0] if lines else "")
    except ValidationError:
        raise CaptureError(
            "the first line is not that of a capture of version 1",
            "Record one with `strapline bridge capture`",
        ) from None
    return _collected(_parsed(at, line) for at, line in enumerate(lines[1:], start=2))


def _parsed(at: int, line: str) -> _Offer | _Value:
    try:
        return _LINE.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[-1]
        raise CaptureError(
            f"line {at} of the capture is neither an offer nor a value: {first['msg']}",
            "Correct or remove it",
        ) from None


def _collected(lines: Iterable[_Offer | _Value]) -> list[Capture]:
    offers: dict[int, list[Offered]] = {}
    values: dict[int, list[CapturedValue]] = {}
    for line in lines:
        if isinstance(line, _Offer):
            offered = Offered(line.service, line.characteristic, tuple(line.properties))
            offers.setdefault(line.device, []).append(offered)
        else:
            value = CapturedValue(
                line.characteristic, line.offset_ms, bytes.fromhex(line.hex), line.read
            )
            values.setdefault(line.device, []).append(value)
    return [
        Capture(tuple(offers.get(number, ())), tuple(values.get(number, ())))
        for number in sorted({*offers, *values})
    ]
