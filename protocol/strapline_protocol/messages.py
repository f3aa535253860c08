"""All messages: one discriminated union for each direction, and the registry of methods."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field

from strapline_protocol.asking import (
    Accounts,
    AccountsParams,
    Digests,
    DigestsParams,
    EndSessionParams,
    GapsPage,
    GapsParams,
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
    Role,
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
    """What one REQUEST method takes and answers, and who may ask it."""

    params: type[WireModel]
    result: type[WireModel]
    role: Role = Role.VIEWER


METHODS: Final = MappingProxyType(
    {
        "accounts": Method(AccountsParams, Accounts, Role.BRIDGE),
        "digests": Method(DigestsParams, Digests, Role.BRIDGE),
        "endSession": Method(EndSessionParams, SessionResult),
        "gaps": Method(GapsParams, GapsPage),
        "history": Method(HistoryParams, HistoryPage),
        "mark": Method(MarkParams, MarkResult),
        "sessions": Method(SessionsParams, SessionsPage),
        "startSession": Method(StartSessionParams, SessionResult),
        "sync": Method(SyncParams, SyncResult),
    }
)
