"""Frames to messages and back: one message a text frame, a JSON object with a ``type``."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

from strapline_protocol.base import WireModel
from strapline_protocol.errors import (
    LocalProtocolError,
    MalformedMessageError,
    MessageTooLargeError,
    UnknownTypeError,
)
from strapline_protocol.messages import METHODS, ClientMessage, ServerMessage
from strapline_protocol.opening import Request

LARGEST_MESSAGE: Final = 256 * 1_024
#: The first message of a connection, whose sender is not known yet: 16 KiB and its envelope.
LARGEST_FIRST_MESSAGE: Final = 17 * 1_024
#: What any reader must take: the server's largest answer, a page of history.
LARGEST_ANSWER: Final = 4 * 2**20

# The validators themselves: the adapters' methods cost a twentieth of a live reading more.
_CLIENT: Final = TypeAdapter[ClientMessage](ClientMessage).validator
_SERVER: Final = TypeAdapter[ServerMessage](ServerMessage).validator
_MOST_FAULTS_TOLD: Final = 3
_DEEPEST_PATH_TOLD: Final = 8
_TYPE_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def encode(message: WireModel) -> bytes:
    """One message as compact UTF-8 JSON, the payload of one text frame."""
    return message.__pydantic_serializer__.to_json(message, by_alias=True)


def encode_result(request: str, result: WireModel) -> bytes:
    """A RESULT frame around a method's own answer, which is serialised once."""
    return b'{"type":"RESULT","request":%b,"result":%b}' % (_json(request), encode(result))


def decode_client(frame: str | bytes, largest: int = LARGEST_MESSAGE) -> ClientMessage:
    """A client's message out of one text frame.

    Of a name that stands twice in one object, the last counts.

    Raises:
        MessageTooLargeError: the frame is over ``largest`` bytes.
        UnknownTypeError: a valid object whose type this version does not know.
        MalformedMessageError: anything else; the text names fields, never values.
    """
    message: ClientMessage = _decode(_CLIENT.validate_json, frame, largest)
    return message


def decode_server(frame: str | bytes, largest: int = LARGEST_ANSWER) -> ServerMessage:
    """A server's message out of one text frame; raises as :func:`decode_client` does."""
    message: ServerMessage = _decode(_SERVER.validate_json, frame, largest)
    return message


def decode_params(request: Request) -> WireModel:
    """A request's parameters, checked by the model of its method.

    Raises:
        UnknownTypeError: there is no such method.
        MalformedMessageError: the parameters are not what the method takes.
    """
    method = METHODS.get(request.method)
    if method is None:
        raise UnknownTypeError(request.method)
    try:
        # Through JSON: strict models take an enum's text and a tuple's array only from there.
        return method.params.model_validate_json(
            _json(request.params), by_alias=True, by_name=False
        )
    except ValidationError as error:
        raise MalformedMessageError(faults_of(error)) from None


def result_of(method: str, result: object) -> WireModel:
    """A RESULT's content as the method's own model.

    Raises:
        LocalProtocolError: this end asked a method that it does not know.
        MalformedMessageError: the answer has another shape.
    """
    if method not in METHODS:
        raise LocalProtocolError(f"no method {method!r} in this version")
    try:
        return METHODS[method].result.model_validate_json(
            _json(result), by_alias=True, by_name=False
        )
    except ValidationError as error:
        raise MalformedMessageError(faults_of(error)) from None


# NaN, which an open field may hold, must not turn into null on its way to a strict model.
_ANY: Final[TypeAdapter[object]] = TypeAdapter(
    object, config=ConfigDict(ser_json_inf_nan="constants")
)


def _json(value: object) -> bytes:
    return _ANY.dump_json(value, by_alias=True)


def _decode(validate_json: Callable[..., Any], frame: str | bytes, largest: int) -> Any:
    try:
        # A character is at least one byte, so a short text needs no count of its bytes.
        if len(frame) > largest or (
            isinstance(frame, str) and len(frame) * 4 > largest and len(frame.encode()) > largest
        ):
            raise MessageTooLargeError(f"message is over {largest} bytes")
        return validate_json(frame, by_alias=True, by_name=False)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        if fault["type"] == "union_tag_invalid" and not fault["loc"]:
            name = str(fault["ctx"]["tag"])
            if _TYPE_NAME.fullmatch(name):
                raise UnknownTypeError(name) from None
            raise MalformedMessageError("type: not a name of capitals") from None
        # The cause would carry the input, a token for one, into a traceback.
        raise MalformedMessageError(faults_of(error)) from None
    except (UnicodeEncodeError, RecursionError) as error:
        raise MalformedMessageError(f"not readable text: {type(error).__name__}") from None


def faults_of(error: ValidationError) -> str:
    """The first few faults as "field.path: reason", with no value and no key that was sent."""
    told = [
        f"{_path(fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors(include_url=False, include_input=False)[:_MOST_FAULTS_TOLD]
    ]
    more = error.error_count() - len(told)
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")


def _path(places: tuple[int | str, ...]) -> str:
    """Fields and indices; what is neither, such as an object's key, is a star."""
    known = _names()
    parts = [
        str(part) if isinstance(part, int) or part in known or _TYPE_NAME.fullmatch(part) else "*"
        for part in places[:_DEEPEST_PATH_TOLD]
    ]
    return ".".join(parts) or "message"


@cache
def _names() -> frozenset[str]:
    """The wire's names of all fields, and the models' own."""
    found: set[str] = set()
    waiting: list[type[WireModel]] = [WireModel]
    while waiting:
        model = waiting.pop()
        waiting.extend(model.__subclasses__())
        found.add(model.__name__)
        found.update(field.alias or name for name, field in model.model_fields.items())
    return frozenset(found)
