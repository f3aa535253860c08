"""What passes over the control socket: one JSON object a line, a question and then its answer.

::

    {"version": 1, "command": "deadLetters", "params": {"limit": 10}}
    {"version": 1, "result": {…}}
    {"version": 1, "fault": {"what": "…", "remedy": "…", "kind": "…"}}

A later version may add commands and fields; another number is another language.
"""

from __future__ import annotations

from typing import Final, TypeVar

from pydantic import JsonValue, ValidationError

from strapline_protocol.base import WireModel, absent
from strapline_protocol.codec import encode

VERSION: Final = 1
LONGEST_QUESTION: Final = 64 * 1_024
LONGEST_ANSWER: Final = 4 * 2**20

M = TypeVar("M", bound=WireModel)


class Question(WireModel):
    """What is asked: a command's name, and what its own model takes."""

    version: int
    command: str
    params: dict[str, JsonValue] = {}


class Fault(WireModel):
    """Why it is not done: as every error of the bridge, and its class there."""

    what: str
    remedy: str
    kind: str = ""


class Answer(WireModel):
    """One of the two."""

    version: int = VERSION
    result: dict[str, JsonValue] | None = absent()
    fault: Fault | None = absent()


def to_line(message: WireModel) -> bytes:
    """One line with this message: JSON has no line break in it."""
    return encode(message) + b"\n"


def from_line(kind: type[M], line: bytes) -> M | None:
    """The message of a line; None where it is none, and nothing of it is told."""
    try:
        return kind.model_validate_json(line, by_alias=True, by_name=False)
    except ValidationError:
        return None
