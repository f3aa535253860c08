"""Frames to messages and back: one message a text frame, a JSON object with a ``type``."""

from __future__ import annotations

from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

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

_Message = TypeVar("_Message")
_CLIENT: Final[TypeAdapter[ClientMessage]] = TypeAdapter(ClientMessage)
_SERVER: Final[TypeAdapter[ServerMessage]] = TypeAdapter(ServerMessage)
_MOST_FAULTS_TOLD: Final = 3


def encode(message: WireModel) -> bytes:
    """One message as compact UTF-8 JSON, the payload of one text frame."""
    return message.__pydantic_serializer__.to_json(message, by_alias=True)


def encode_result(request: str, result: WireModel) -> bytes:
    """A RESULT frame around a method's own answer, which is serialised once."""
    return b'{"type":"RESULT","request":%b,"result":%b}' % (_json(request), encode(result))


def decode_client(frame: str | bytes, largest: int = LARGEST_MESSAGE) -> ClientMessage:
    """A client's message out of one text frame.

    Raises:
        MessageTooLargeError: the frame is over ``largest`` bytes.
        UnknownTypeError: a valid object whose type this version does not know.
        MalformedMessageError: anything else; the text names fields, never values.
    """
    return _decode(_CLIENT, frame, largest)


def decode_server(frame: str | bytes, largest: int = LARGEST_ANSWER) -> ServerMessage:
    """A server's message out of one text frame; raises as :func:`decode_client` does."""
    return _decode(_SERVER, frame, largest)


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
        return method.params.model_validate_json(_json(request.params))
    except ValidationError as error:
        raise MalformedMessageError(_faults(error)) from None


def result_of(method: str, result: object) -> WireModel:
    """A RESULT's content as the method's own model.

    Raises:
        LocalProtocolError: this end asked a method that it does not know.
        MalformedMessageError: the answer has another shape.
    """
    if method not in METHODS:
        raise LocalProtocolError(f"no method {method!r} in this version")
    try:
        return METHODS[method].result.model_validate_json(_json(result))
    except ValidationError as error:
        raise MalformedMessageError(_faults(error)) from None


_ANY: Final[TypeAdapter[object]] = TypeAdapter(object)


def _json(value: object) -> bytes:
    return _ANY.dump_json(value, by_alias=True)


def _decode(adapter: TypeAdapter[_Message], frame: str | bytes, largest: int) -> _Message:
    # A character is at least one byte, so a short text needs no count of its bytes.
    if len(frame) > largest or (
        isinstance(frame, str) and len(frame) * 4 > largest and len(frame.encode()) > largest
    ):
        raise MessageTooLargeError(f"message is over {largest} bytes")
    try:
        return adapter.validate_json(frame)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        if fault["type"] == "union_tag_invalid":
            raise UnknownTypeError(str(fault["ctx"]["tag"])[:64]) from None
        # The cause would carry the input, a token for one, into a traceback.
        raise MalformedMessageError(_faults(error)) from None
    except (UnicodeEncodeError, RecursionError) as error:
        raise MalformedMessageError(f"not readable text: {type(error).__name__}") from None


def _faults(error: ValidationError) -> str:
    """The first few faults as "field.path: reason", without the values."""
    told = [
        f"{'.'.join(str(part) for part in fault['loc'])[:120] or 'message'}: {fault['msg']}"
        for fault in error.errors(include_url=False, include_input=False)[:_MOST_FAULTS_TOLD]
    ]
    more = error.error_count() - len(told)
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")
