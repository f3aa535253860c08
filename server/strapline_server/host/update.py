"""What a host application says of a person's health: checked, in camelCase; and its receipt.

Shape: ``{"steps": 10000, "heart_rate": {"average": 75}}``, in snake_case or camelCase. Fields that
are known have a type and a range; all others pass as the JSON that they are, within bounds.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pydantic import JsonValue

from strapline_protocol.metrics import BATTERY, HEART_RATE
from strapline_protocol.watching import Position
from strapline_server.host.errors import UpdateError

#: Of one update, encoded.
LARGEST_BYTES: Final = 16 * 1_024
#: Fields of an update, as a viewer is shown.
MOST_FIELDS: Final = 64
DEEPEST: Final = 6
_SAFE_INTEGER: Final = 2**53 - 1
_NAME: Final = re.compile(r"[a-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")
_LONGEST_NAME: Final = 64
#: More values than this have no room in the bytes.
_MOST_VALUES: Final = LARGEST_BYTES // 2


@dataclass(frozen=True, slots=True)
class Receipt:
    """An update that is durable.

    Attributes:
        user: of whom.
        position: ``(epoch, n)``: the n-th change of this user's data in this history of the
            database; viewers see the same.
        stored_ms: wall time of the commit.
        stream: with ``seq`` the update's permanent identity.
        seq: its number in that stream.
        viewers: connections that it was handed to.
    """

    user: str
    position: Position
    stored_ms: int
    stream: str
    seq: int
    viewers: int


@dataclass(frozen=True, slots=True)
class _Quantity:
    unit: str
    low: int
    high: int
    whole: bool = False

    def read(self, value: object, path: str) -> JsonValue:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise UpdateError(
                path, f"is {_kind(value)}. Give {self._form}, or None where nothing is known."
            )
        # Also where it is no number at all: then neither comparison holds.
        if not self.low <= value <= self.high or (self.whole and value != int(value)):
            raise UpdateError(path, f"{value!r} is not plausible. Give {self._form}.")
        return int(value) if self.whole or isinstance(value, int) else float(value)

    @property
    def _form(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} from {self.low} to {self.high} ({self.unit})"


_BPM: Final = _Quantity(HEART_RATE.unit, int(HEART_RATE.low), int(HEART_RATE.high))
#: What is known here must be right, as people act on it. Totals are of a day, or so.
_KNOWN: Final[Mapping[str, _Quantity]] = MappingProxyType(
    {
        "steps": _Quantity("steps", 0, 1_000_000, whole=True),
        "floors": _Quantity("floors", 0, 10_000, whole=True),
        "distance": _Quantity("m", 0, 1_000_000),
        "calories": _Quantity("kcal", 0, 100_000),
        "activeMinutes": _Quantity("min", 0, 1_440),
        "battery": _Quantity(BATTERY.unit, int(BATTERY.low), int(BATTERY.high)),
    }
)
_HEART_RATE: Final = "heartRate"
_KNOWN_OF_HEART_RATE: Final[Mapping[str, _Quantity]] = MappingProxyType(
    dict.fromkeys(("current", "average", "min", "max", "resting"), _BPM)
)
_PLAIN: Final = MappingProxyType({name.lower(): name for name in (*_KNOWN, _HEART_RATE)})


def checked(data: Mapping[str, object]) -> dict[str, JsonValue]:
    """An update as it is stored and shown: camelCase, plain JSON.

    Raises:
        UpdateError: it is not one; the text names the field, the cause and the remedy.
    """
    if not isinstance(data, Mapping):
        raise UpdateError("", f'the update is {_kind(data)}. Give a dict such as {{"steps": 1}}.')
    if not data:
        raise UpdateError("", "the update is empty. Leave the call out where nothing is new.")
    if len(data) > MOST_FIELDS:
        raise UpdateError("", f"{len(data)} fields. Send no more than {MOST_FIELDS} at once.")
    walk = _Walk()
    summary: dict[str, JsonValue] = {}
    for key, value in data.items():
        name = _field_name(key)
        if name in summary:
            raise UpdateError(key, f"is given twice, as {name} too. Give it once.")
        summary[name] = _field(walk, name, key, value)
    size = len(json.dumps({"summary": summary}))
    if size > LARGEST_BYTES:
        raise _too_large(f"{size} bytes as JSON")
    return summary


def _field_name(key: object) -> str:
    if not isinstance(key, str) or len(key) > _LONGEST_NAME or not _NAME.fullmatch(key):
        raise UpdateError(
            "",
            f"{repr(key)[:80]} is no name of a field. Use letters, digits and _, beginning with "
            f"a small letter, at most {_LONGEST_NAME}.",
        )
    name = camel(key)
    meant = _PLAIN.get(name.lower(), name)
    if meant != name:
        raise UpdateError(key, f"is not known, and looks like {meant}. Write {meant}.")
    return name


def _field(walk: _Walk, name: str, key: str, value: object) -> JsonValue:
    if name in _KNOWN:
        return _KNOWN[name].read(value, key)
    if name != _HEART_RATE or value is None:
        return walk.value(value, key, 1)
    if not isinstance(value, Mapping):
        raise UpdateError(
            key,
            f"is {_kind(value)}. Give a dict of {', '.join(_KNOWN_OF_HEART_RATE)}, "
            'such as {"average": 75}.',
        )
    rates = walk.object(value, key, 1)
    return {
        part: _KNOWN_OF_HEART_RATE[part].read(rate, f"{key}.{part}")
        if part in _KNOWN_OF_HEART_RATE
        else rate
        for part, rate in rates.items()
    }


class _Walk:
    """Takes a copy of JSON, name by name, and counts the values."""

    def __init__(self) -> None:
        self._values = 0

    def value(self, value: object, path: str, depth: int) -> JsonValue:
        """One value, which is ``depth`` deep in the update."""
        self._values += 1
        if self._values > _MOST_VALUES:
            raise _too_large(f"over {_MOST_VALUES} values")
        match value:
            case None | bool():
                return value
            case int() | float():
                return _number(value, path)
            case str():
                return _text(value, path)
            case Mapping() | list() | tuple():
                if depth >= DEEPEST:
                    raise UpdateError(path, f"is nested deeper than {DEEPEST}. Make it flatter.")
                if isinstance(value, Mapping):
                    return self.object(value, path, depth)
                parts = enumerate(value)
                return [self.value(part, f"{path}[{index}]", depth + 1) for index, part in parts]
        raise UpdateError(
            path, f"is {_kind(value)}, which is no JSON. Give numbers, text, lists or dicts."
        )

    def object(self, value: Mapping[object, object], path: str, depth: int) -> dict[str, JsonValue]:
        """A dict, its names in camelCase where they are in snake_case; others stay as they are."""
        found: dict[str, JsonValue] = {}
        for key, part in value.items():
            if not isinstance(key, str) or not 0 < len(key) <= _LONGEST_NAME:
                raise UpdateError(
                    path,
                    f"{repr(key)[:80]} is no name. Use text of 1 to {_LONGEST_NAME} characters.",
                )
            name = camel(key) if _NAME.fullmatch(key) else _text(key, path)
            if name in found:
                raise UpdateError(f"{path}.{key}", f"is given twice, as {name} too. Give it once.")
            found[name] = self.value(part, f"{path}.{key}", depth + 1)
        return found


def _number(value: float, path: str) -> int | float:
    if not math.isfinite(value) or abs(value) > _SAFE_INTEGER:
        raise UpdateError(
            path,
            "is no finite number under 2^53, which is all that a browser can tell apart. "
            "Give one, or None where nothing is known.",
        )
    return int(value) if isinstance(value, int) else float(value)


def _text(value: str, path: str) -> str:
    if len(value) > LARGEST_BYTES:
        raise _too_large(f"{len(value)} characters in {path}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UpdateError(path, "holds half a character (a surrogate). Give whole text.") from None
    return str(value)


def _too_large(what: str) -> UpdateError:
    return UpdateError("", f"the update has {what}. Send {LARGEST_BYTES} bytes at once at most.")


def camel(name: str) -> str:
    """``heart_rate`` as ``heartRate``; a name in camelCase stays as it is."""
    first, *others = name.split("_")
    return first + "".join(other[:1].upper() + other[1:] for other in others)


def _kind(value: object) -> str:
    kind = type(value).__name__
    return f"an {kind}" if kind[0] in "aeiouAEIO" else f"a {kind}"
