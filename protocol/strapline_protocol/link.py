"""What both kinds of client share of a connection: its opening, its silence, its end."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from strapline_protocol.base import WireModel
from strapline_protocol.codec import decode_server, encode
from strapline_protocol.errors import LocalProtocolError, RemoteProtocolError, UnknownTypeError
from strapline_protocol.messages import ServerMessage
from strapline_protocol.opening import (
    Authenticate,
    Authenticated,
    Client,
    Error,
    GoingAway,
    Heartbeat,
    Hello,
    Refresh,
    Refreshed,
    Result,
    TokenExpiring,
)

#: Before AUTHENTICATED says how often the server speaks.
HEARTBEAT_UNTIL_TOLD_MS: Final = 15_000


class LinkState(Enum):
    """A client's connection, from its opening on."""

    WAITING = auto()
    GREETED = auto()
    AUTHENTICATING = auto()
    READY = auto()
    CLOSED = auto()


Expected = Mapping[LinkState, frozenset[type[WireModel]]]


def expected(*when_ready: type[WireModel]) -> Expected:
    """What the server may say when: the opening, and these to one whose session stands."""
    anytime: frozenset[type[WireModel]] = frozenset({Heartbeat, GoingAway})
    return MappingProxyType(
        {
            LinkState.WAITING: frozenset[type[WireModel]]({Hello}),
            LinkState.GREETED: anytime,
            LinkState.AUTHENTICATING: anytime | {Authenticated, Error},
            LinkState.READY: anytime.union({Error, Refreshed, Result, TokenExpiring}, when_ready),
            LinkState.CLOSED: frozenset[type[WireModel]](),
        }
    )


class ClientLink:
    """A client's end of one connection, without I/O, up to what its role adds.

    ::

        WAITING         HELLO → GREETED
        GREETED         the caller sends authenticate() → AUTHENTICATING
        AUTHENTICATING  AUTHENTICATED → READY
        READY           what the role says
        CLOSED          nothing
    """

    #: What the server may say to this role, by state.
    EXPECTED: Expected = expected()

    def __init__(self, now_ms: int, client: Client) -> None:
        self.state = LinkState.WAITING
        #: Messages of a type that a newer server added, and that were passed over.
        self.unknown = 0
        self._client = client
        self._heard_ms = now_ms
        self._heartbeat_ms = HEARTBEAT_UNTIL_TOLD_MS

    def authenticate(self, token: str) -> bytes:
        """The frame that says who this is, once HELLO has come."""
        if self.state is not LinkState.GREETED:
            raise LocalProtocolError(f"authenticate in state {self.state.name}")
        self.state = LinkState.AUTHENTICATING
        return encode(Authenticate(token=token, client=self._client))

    def refresh(self, token: str) -> bytes:
        """The frame that renews the token."""
        self._require_ready()
        return encode(Refresh(token=token))

    def silent(self, now_ms: int) -> bool:
        """Two and a half heartbeats without a word: the connection is dead."""
        return now_ms - self._heard_ms > self.silence_allowed_ms

    @property
    def silence_allowed_ms(self) -> int:
        """How long the server may say nothing."""
        return self._heartbeat_ms * 5 // 2

    def closed(self) -> None:
        """The connection is gone."""
        self.state = LinkState.CLOSED

    def _hear(self, frame: str | bytes, now_ms: int) -> ServerMessage | None:
        """Take one text frame; None for a message that a newer server added.

        Raises:
            RemoteProtocolError: the server said what it may not say now; close with 4400.
        """
        self._heard_ms = now_ms
        try:
            message = decode_server(frame)
        except UnknownTypeError:
            self.unknown += 1
            return None
        if type(message) not in self.EXPECTED[self.state]:
            raise RemoteProtocolError(f"{message.type} while {self.state.name}")
        match message:
            case Hello():
                self.state = LinkState.GREETED
            case Authenticated():
                self.state = LinkState.READY
                self._heartbeat_ms = message.heartbeat_ms
        return message

    def _require_ready(self) -> None:
        if self.state is not LinkState.READY:
            raise LocalProtocolError(f"nothing may be sent in state {self.state.name}")
