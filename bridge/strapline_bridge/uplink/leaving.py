"""What may leave this bridge: every frame passes here, field by field, and nothing else does.

The list is kept apart from the message models on purpose: a field that is added to a model does
not leave the bridge before somebody has written it down here too. Addresses, serial numbers and
makers' names have no field at all; text that looks like a device's address stops the frame.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from strapline_protocol.errors import LocalProtocolError

#: ``AA:BB:CC:DD:EE:FF`` in any spelling.
_ADDRESS: Final = re.compile(
    r"(?<![0-9A-Fa-f])([0-9A-Fa-f]{2}[:_-]){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f])"
)


class MayNotLeaveError(LocalProtocolError):
    """A frame holds what must stay here. It names the field, never its content."""


def _fields(text: str = "", **nested: object) -> Mapping[str, object]:
    """Allowed fields: plain ones in ``text``, those that hold objects by name."""
    return MappingProxyType({**dict.fromkeys(text.split(), None), **nested})


_MOMENT: Final = _fields("stream elapsedMs")
_SERIES: Final = _fields(
    # For each metric what the registry names; `rr` and the rest are numbers and marks.
    "user device metric seq elapsedMs value rr contact energyKj quality onChange"
    # What the bridge states of a wearable's silence: a length and two codes of ours.
    " durationMs cause evidence",
    counter=_fields("id from"),
)
_ZERO: Final = _fields("version", anchors=_fields("elapsedMs wallMs uncertaintyMs source"))
_DEVICE: Final = _fields(
    # `name` is what the owner gave it.
    "device user name state stateAgeMs battery",
    # What it says of itself: neither who made it nor which one of its make it is.
    about=_fields("model firmware hardware software bodyLocation"),
    last=_MOMENT,
    completeThrough=_MOMENT,
)

#: By message type, the fields that may leave; ``None`` stands for a number, a text, or a list.
ALLOWED: Final = MappingProxyType(
    {
        "AUTHENTICATE": _fields("type token", client=_fields("name version metrics")),
        "REFRESH": _fields("type token"),
        "STREAM": _fields("type stream nextSeq", zero=_ZERO, ended=_fields("elapsedMs clean")),
        "READINGS": _fields("type stream lane", series=_SERIES),
        # A bridge asks of its own streams by number: nothing of a reading is in that.
        "REQUEST": _fields("type request method", params=_fields("stream first ranges")),
        "DROPPED": _fields("type stream ranges reason"),
        "STATUS": _fields(
            "type pending oldestPendingMs request",
            devices=_DEVICE,
            clock=_fields("source uncertaintyMs"),
        ),
    }
)
#: Random text in which a pattern means nothing.
_OPAQUE: Final = frozenset({"token"})


def looks_like_address(text: str) -> bool:
    """Whether a text holds what could be a Bluetooth address."""
    return _ADDRESS.search(text) is not None


def let_out(frame: bytes) -> bytes:
    """The frame itself, when all that is in it may leave.

    Raises:
        MayNotLeaveError: it holds a field that is not on the list, or an address.
    """
    message = json.loads(frame)
    allowed = ALLOWED.get(message.get("type"))
    if allowed is None:
        raise MayNotLeaveError("a message of this type may not leave the bridge")
    _check_object(message, allowed, message["type"])
    return frame


def _check_object(value: Mapping[str, object], allowed: Mapping[str, object], where: str) -> None:
    for name, content in value.items():
        if name not in allowed:
            raise MayNotLeaveError(f"{where} has a field that may not leave the bridge")
        if name not in _OPAQUE:
            _check(content, allowed[name], f"{where}.{name}")


def _check(content: object, allowed: object, where: str) -> None:
    if isinstance(content, dict):
        if not isinstance(allowed, Mapping):
            raise MayNotLeaveError(f"{where} is an object, which may not leave the bridge")
        _check_object(content, allowed, where)
    elif isinstance(content, list):
        # Columns of numbers are long, and a number tells no address.
        for entry in content:
            if isinstance(entry, (dict, list, str)):
                _check(entry, allowed, where)
    elif isinstance(content, str) and looks_like_address(content):
        raise MayNotLeaveError(f"{where} looks like a device's address")
