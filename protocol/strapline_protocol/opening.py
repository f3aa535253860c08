"""Messages that open a connection and keep it: who is there, who may, for how long."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue

from strapline_protocol.base import (
    Code,
    Content,
    Count,
    DurationMs,
    Label,
    MetricName,
    RequestId,
    Sentence,
    Token,
    UserId,
    WallMs,
    WireModel,
    absent,
)

#: The WebSocket subprotocol, echoed even to a version that will be refused.
SUBPROTOCOL: Final = "strapline.v1"


class Role(StrEnum):
    """What a principal may do at all; its grants say for whom."""

    BRIDGE = "bridge"
    VIEWER = "viewer"


class ClockState(StrEnum):
    """Whether the server calls its own clock synchronised."""

    SYNCHRONISED = "synchronised"
    UNSYNCHRONISED = "unsynchronised"


class Hello(WireModel):
    """Server, first. ``store`` names the database, ``epoch`` its history."""

    type: Literal["HELLO"] = "HELLO"
    store: Label
    epoch: Label
    server_time: WallMs
    clock_state: ClockState
    versions: Annotated[list[Label], Field(min_length=1, max_length=16)] = [SUBPROTOCOL]


class Client(WireModel):
    """The program at the client's end and the metrics that it knows."""

    name: Label
    version: Label
    metrics: Annotated[list[MetricName], Field(max_length=64)] = []


class Authenticate(WireModel):
    """Client, first, within 5 s. The token says who; grants stand in the store."""

    type: Literal["AUTHENTICATE"] = "AUTHENTICATE"
    token: Annotated[Token, Field(repr=False)]
    client: Client


class Limits(WireModel):
    """What this server takes from this client."""

    window_readings: Annotated[int, Field(ge=1, le=1_000_000)] = 8_000
    message_bytes: Annotated[int, Field(ge=1_024, le=16 * 2**20)] = 256 * 1_024
    requests_in_flight: Annotated[int, Field(ge=1, le=64)] = 8


class Authenticated(WireModel):
    """Server: the session stands. ``simulated`` marks hearts that are not real.

    ``mayMark``: this viewer may start and end sessions and set marks.
    """

    type: Literal["AUTHENTICATED"] = "AUTHENTICATED"
    session: Label
    principal: Label
    role: Role
    users: Annotated[list[UserId], Field(max_length=10_000)]
    expires_at: WallMs
    heartbeat_ms: DurationMs
    reconnect_spread_ms: DurationMs
    limits: Limits = Limits()
    simulated: bool = absent(False)
    may_mark: bool = absent(False)


class TokenExpiring(WireModel):
    """Server, at half of a token's life; with ``token`` where the server issues them."""

    type: Literal["TOKEN_EXPIRING"] = "TOKEN_EXPIRING"
    expires_at: WallMs
    token: Annotated[Token | None, Field(repr=False)] = absent()


class Refresh(WireModel):
    """Client: a newer token of the same principal, in band."""

    type: Literal["REFRESH"] = "REFRESH"
    token: Annotated[Token, Field(repr=False)]


class Refreshed(WireModel):
    """Server: the session now lasts until then."""

    type: Literal["REFRESHED"] = "REFRESHED"
    expires_at: WallMs


class Heartbeat(WireModel):
    """Server, after 15 s of silence, since a browser cannot see pings."""

    type: Literal["HEARTBEAT"] = "HEARTBEAT"
    server_time: WallMs


class GoingAway(WireModel):
    """Server, draining: this client's own moment to come back."""

    type: Literal["GOING_AWAY"] = "GOING_AWAY"
    reconnect_after_ms: DurationMs


class ErrorCode(StrEnum):
    """Why something asked for was not done; the connection goes on."""

    UNKNOWN_TYPE = "unknownType"
    UNKNOWN_METHOD = "unknownMethod"
    BAD_REQUEST = "badRequest"
    NOT_ALLOWED = "notAllowed"
    NOT_GRANTED = "notGranted"
    NOT_STORING = "notStoring"
    TOO_MANY = "tooMany"
    FAILED = "failed"


class Error(WireModel):
    """Server: what was asked is not done, and why."""

    type: Literal["ERROR"] = "ERROR"
    request: RequestId | None = absent()
    code: Code
    message: Sentence


class Request(WireModel):
    """Client: a question. ``params`` are checked by the method's own model."""

    type: Literal["REQUEST"] = "REQUEST"
    request: RequestId
    method: Code
    params: Content = {}


class Result(WireModel):
    """Server: the answer to one REQUEST, in the method's own shape."""

    type: Literal["RESULT"] = "RESULT"
    request: RequestId
    result: dict[str, JsonValue]


class Health(WireModel):
    """What ``/healthz`` answers. ``failing``: what the server does beside its sockets, in vain."""

    status: Literal["ok", "notStoring", "failing"]
    version: Label
    connections: Count
    failing: list[Label] = absent([])
