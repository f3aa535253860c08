"""One plain message of each type, as both ends' tests need them."""

from __future__ import annotations

from typing import Final

from strapline_protocol.base import WireModel
from strapline_protocol.opening import (
    Authenticate,
    Authenticated,
    Client,
    ClockState,
    Error,
    ErrorCode,
    GoingAway,
    Heartbeat,
    Hello,
    Limits,
    Refresh,
    Refreshed,
    Request,
    Result,
    Role,
    TokenExpiring,
)
from strapline_protocol.publishing import (
    Acknowledged,
    Anchor,
    ClockSource,
    ClockStatus,
    Dropped,
    Lane,
    Readings,
    Rejected,
    Status,
    Stream,
    Sync,
    Zero,
)
from strapline_protocol.series import Series, TimedSeries, differences
from strapline_protocol.watching import (
    HealthDataUpdate,
    HistoryChange,
    HistoryChanged,
    Hops,
    Position,
    ServerHop,
    ServerState,
    Subscribe,
    Subscribed,
    SubscriptionChanged,
    SyncAsked,
    SyncStatus,
    SyncStatusUpdate,
    UserSnapshot,
    UserStatus,
    ValueData,
)

STREAM: Final = "A" * 22
CLIENT: Final = Client(name="test", version="1")
ZERO: Final = Zero(
    version=3,
    anchors=[Anchor(elapsed_ms=0, wall_ms=1_000, uncertainty_ms=5, source=ClockSource.SYSTEM)],
)
DATA: Final = ValueData(current=1, last=None, fresh_for_ms=1, on_change=False)
USER_STATUS: Final = UserStatus(
    status=SyncStatus.REALTIME,
    hops=Hops(server=ServerHop(state=ServerState.OK, since_ms=1)),
    pending=0,
    complete_through_ms=None,
    last_sync_at=None,
)


def series(*numbers: int) -> Series:
    """Readings with these sequence numbers."""
    count = len(numbers)
    return Series(
        user="ada",
        device="d1",
        metric="heart_rate",
        seq=differences(numbers),
        value=[70] * count,
        elapsed_ms=[0] * count,
    )


def readings(*numbers: int, lane: Lane = Lane.LIVE) -> Readings:
    """READINGS with these sequence numbers."""
    return Readings(stream=STREAM, lane=lane, series=[series(*numbers)])


def authenticated(role: Role = Role.VIEWER, **fields: object) -> Authenticated:
    """AUTHENTICATED with a small window."""
    return Authenticated.model_validate(
        {
            "session": "s",
            "principal": "p",
            "role": role,
            "users": ["ada"],
            "expires_at": 1,
            "heartbeat_ms": 10_000,
            "reconnect_spread_ms": 5_000,
            "limits": Limits(window_readings=20),
            **fields,
        }
    )


def update(
    n: int, previous: int, *, metric: str = "heart_rate", epoch: str = "e", conflated: int = 0
) -> HealthDataUpdate:
    """The n-th change of Ada's, whose metric changed last at ``previous``."""
    return HealthDataUpdate(
        user="ada",
        metric=metric,
        stream=STREAM,
        data=DATA,
        series=TimedSeries(
            user="ada",
            device="d1",
            metric=metric,
            seq=[n],
            value=[1],
            at_ms=[1],
            received_ms=1,
            time_source="system",
        ),
        position=(epoch, n),
        previous=(epoch, previous),
        server_time=1,
        conflated=conflated,
    )


def history_changed(n: int, previous: int) -> HistoryChanged:
    """The n-th change of Ada's, of her past."""
    return HistoryChanged(
        user="ada",
        metric="heart_rate",
        data=DATA,
        from_ms=1,
        to_ms=2,
        count=1,
        position=("e", n),
        previous=("e", previous),
        server_time=1,
        why=HistoryChange.BACKFILLED,
    )


def subscribed(request: str, *, reset: bool = True, **users: Position) -> Subscribed:
    """SUBSCRIBED with each user's position."""
    return Subscribed(
        request=request,
        snapshot={
            user: UserSnapshot(
                name=user,
                position=position,
                reset=reset,
                status=USER_STATUS,
                state={} if reset else None,
            )
            for user, position in users.items()
        },
        server_time=1,
    )


CLIENT_MESSAGES: Final[tuple[WireModel, ...]] = (
    Authenticate(token="t", client=CLIENT),
    Refresh(token="t"),
    Request(request="q1", method="sync"),
    Stream(stream=STREAM, next_seq=0, zero=ZERO),
    readings(0),
    Dropped(stream=STREAM, ranges=[(0, 1)], reason="full"),
    Status(
        devices=[],
        pending=0,
        oldest_pending_ms=0,
        clock=ClockStatus(source=ClockSource.SYSTEM, uncertainty_ms=1),
        request="q2",
    ),
    Subscribe(request="q3"),
    SyncAsked(status="syncing"),
)

SERVER_MESSAGES: Final[tuple[WireModel, ...]] = (
    Hello(store="s", epoch="e", server_time=1, clock_state=ClockState.SYNCHRONISED),
    authenticated(),
    TokenExpiring(expires_at=1),
    Refreshed(expires_at=1),
    Heartbeat(server_time=1),
    GoingAway(reconnect_after_ms=1),
    Result(request="q1", result={}),
    Error(code=ErrorCode.FAILED, message="x"),
    Acknowledged(stream=STREAM, ranges=[(0, 1)]),
    Rejected(stream=STREAM, ranges=[(0, 1)], code="x", message="x"),
    Sync(request="q2"),
    subscribed("q3", ada=("e", 1)),
    update(1, 0),
    history_changed(1, 0),
    SyncStatusUpdate.model_validate({**USER_STATUS.__dict__, "user": "ada", "server_time": 1}),
    SubscriptionChanged(added=[], removed=[], may_mark=False),
)
