"""All messages: one discriminated union for each direction, and the registry of methods."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field

from strapline_protocol.asking import (
    EndSessionParams,
    HistoryPage,
    HistoryParams,
    MarkParams,
    MarkResult,
    SessionResult,
    SessionsPage,
    SessionsParams,
    StartSessionParams,
    SyncParams,
    SyncResult,
)
from strapline_protocol.base import WireModel
from strapline_protocol.opening import (
    Authenticate,
    Authenticated,
    Error,
    GoingAway,
    Heartbeat,
    Hello,
    Refresh,
    Refreshed,
    Request,
    Result,
    TokenExpiring,
)
from strapline_protocol.publishing import (
    Acknowledged,
    Dropped,
    Readings,
    Rejected,
    Status,
    Stream,
    Sync,
)
from strapline_protocol.watching import (
    HealthDataUpdate,
    HistoryChanged,
    Subscribe,
    Subscribed,
    SubscriptionChanged,
    SyncAsked,
    SyncStatusUpdate,
)

#: What a client, bridge or viewer, says to the server.
ClientMessage = Annotated[
    Authenticate | Refresh | Request | Stream | Readings | Dropped | Status | Subscribe | SyncAsked,
    Field(discriminator="type"),
]

#: What the server says.
ServerMessage = Annotated[
    Hello
    | Authenticated
    | TokenExpiring
    | Refreshed
    | Heartbeat
    | GoingAway
    | Result
    | Error
    | Acknowledged
    | Rejected
    | Sync
    | Subscribed
    | HealthDataUpdate
    | HistoryChanged
    | SyncStatusUpdate
    | SubscriptionChanged,
    Field(discriminator="type"),
]


@dataclass(frozen=True, slots=True)
class Method:
    """What one REQUEST method takes and answers."""

    params: type[WireModel]
    result: type[WireModel]


METHODS: Final = MappingProxyType(
    {
        "endSession": Method(EndSessionParams, SessionResult),
        "history": Method(HistoryParams, HistoryPage),
        "mark": Method(MarkParams, MarkResult),
        "sessions": Method(SessionsParams, SessionsPage),
        "startSession": Method(StartSessionParams, SessionResult),
        "sync": Method(SyncParams, SyncResult),
    }
)
