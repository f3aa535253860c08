"""What every message has in common: strict numbers, camelCase on the wire, bounded text."""

from __future__ import annotations

from functools import partial
from operator import is_, not_
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, JsonValue
from pydantic.alias_generators import to_camel

#: JSON numbers are exact up to here in every language (RFC 8259 section 6).
SAFE_INTEGER = 2**53 - 1


def absent(default: Any = None) -> Any:
    """A field that is left out of the frame while it is None, or its default of False, 0 or []."""
    # Asked for each such field of each frame: these two are called without a Python frame.
    silent = partial(is_, None) if default is None else not_
    return Field(default=default, exclude_if=silent)


class WireModel(BaseModel):
    """A frozen record whose Python names are snake_case and whose wire names are camelCase.

    Strict: no text for a number, no ``true`` for 1. Fields that this version does not know
    are ignored, so that a newer peer can say more. Python's own names are understood from
    Python only: :mod:`strapline_protocol.codec` reads none but the wire's.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        allow_inf_nan=False,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        strict=True,
    )


def check_numbers(values: list[JsonValue] | dict[str, JsonValue]) -> None:
    """Raise ValueError where open content holds a number that is not finite or beyond 2^53."""
    waiting: list[JsonValue] = [values]
    while waiting:
        match waiting.pop():
            case dict() as inner:
                waiting.extend(inner.values())
            case list() as inner:
                waiting.extend(inner)
            # A comparison with NaN is false.
            case (int() | float()) as number if not -SAFE_INTEGER <= number <= SAFE_INTEGER:
                raise ValueError("a number is not finite or beyond 2^53")


def _checked(content: dict[str, JsonValue]) -> dict[str, JsonValue]:
    check_numbers(content)
    return content


#: What a method's own model checks later; its numbers are strict from the beginning.
Content = Annotated[dict[str, JsonValue], AfterValidator(_checked)]

SafeInt = Annotated[int, Field(ge=-SAFE_INTEGER, le=SAFE_INTEGER)]
Count = Annotated[int, Field(ge=0, le=SAFE_INTEGER)]
#: Milliseconds since 1970 UTC.
WallMs = Annotated[int, Field(ge=0, le=SAFE_INTEGER)]
#: A duration, or an age, in milliseconds.
DurationMs = Annotated[int, Field(ge=0, le=SAFE_INTEGER)]
Number = SafeInt | Annotated[FiniteFloat, Field(ge=-SAFE_INTEGER, le=SAFE_INTEGER)]

#: 128 random bits, base64url without padding.
StreamId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$")]
DeviceId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
UserId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$")]
MetricName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
#: A code that programs compare: camelCase, never shown to a person as it is.
Code = Annotated[str, Field(pattern=r"^[a-z][A-Za-z0-9]{0,63}$")]
RequestId = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,64}$")]
#: Text that a person wrote or reads: no control characters, bounded.
Label = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]{0,128}$")]
Sentence = Annotated[str, Field(pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]{0,1000}$")]
#: At most 16 KiB, as the opening rule says.
Token = Annotated[str, Field(min_length=1, max_length=16_384, pattern=r"^[\x21-\x7e]+$")]
