"""The state of each user that events are handed on with."""

from strapline_client.events import WebSocketEventType
from strapline_client.state import States
from strapline_protocol.series import TimedSeries
from strapline_protocol.watching import (
    HealthDataUpdate,
    HistoryChange,
    HistoryChanged,
    Hops,
    LastValue,
    MetricData,
    ServerHop,
    ServerState,
    StepsData,
    Subscribed,
    SubscriptionChanged,
    SyncStatus,
    SyncStatusUpdate,
    UserSnapshot,
    UserStatus,
)

STREAM = "A" * 22


def status(kind: SyncStatus = SyncStatus.REALTIME) -> UserStatus:
    return UserStatus(
        status=kind,
        hops=Hops(server=ServerHop(state=ServerState.OK, since_ms=0)),
        pending=0,
        complete_through_ms=None,
        last_sync_at=None,
    )


def steps(today: int) -> StepsData:
    return StepsData(
        today=today,
        last=LastValue(value=today, at_ms=5),
        day_ends_ms=9,
        fresh_for_ms=60_000,
        on_change=True,
    )


def snapshot(
    name: str, state: dict[str, MetricData] | None, *, reset: bool = True, position: int = 1
) -> UserSnapshot:
    return UserSnapshot(
        name=name, position=("e", position), reset=reset, status=status(), state=state
    )


def subscribed(**users: UserSnapshot) -> Subscribed:
    return Subscribed(request="r1", snapshot=dict(users), server_time=1)


def update(user: str, today: int) -> HealthDataUpdate:
    return HealthDataUpdate(
        user=user,
        metric="steps",
        stream=STREAM,
        data=steps(today),
        series=TimedSeries(
            user=user,
            device="d",
            metric="steps",
            seq=[0],
            value=[today],
            at_ms=[5],
            received_ms=6,
            time_source="system",
        ),
        position=("e", 2),
        previous=("e", 1),
        server_time=6,
    )


def test_a_snapshot_gives_the_whole_state() -> None:
    states = States()
    told = states.apply(subscribed(maren=snapshot("Maren Holt", {"steps": steps(7)})))
    assert [(one.type, one.user, one.message is None) for one in told] == [
        (WebSocketEventType.SUBSCRIBED, None, False),
        (WebSocketEventType.SYNC_STATUS_UPDATE, "maren", True),
        (WebSocketEventType.HEALTH_DATA_UPDATE, "maren", True),
    ]
    assert states.users["maren"].name == "Maren Holt"
    assert states.users["maren"].metrics == {"steps": steps(7)}


def test_a_change_comes_with_the_whole_state_after_it() -> None:
    states = States()
    states.apply(subscribed(maren=snapshot("Maren", {"steps": steps(7)})))
    (told,) = states.apply(update("maren", 8))
    assert (told.type, told.user) == (WebSocketEventType.HEALTH_DATA_UPDATE, "maren")
    assert told.state is not None
    assert told.state.metrics == {"steps": steps(8)}


def test_a_resumed_snapshot_without_state_keeps_what_is_held() -> None:
    states = States()
    states.apply(subscribed(maren=snapshot("Maren", {"steps": steps(7)})))
    states.apply(subscribed(maren=snapshot("Maren", None, reset=False)))
    assert states.users["maren"].metrics == {"steps": steps(7)}


def test_a_status_leaves_the_metrics_alone() -> None:
    states = States()
    states.apply(subscribed(maren=snapshot("Maren", {"steps": steps(7)})))
    (told,) = states.apply(
        SyncStatusUpdate(**dict(status(SyncStatus.OFFLINE)), user="maren", server_time=2)
    )
    assert told.state is not None
    assert told.state.status is not None
    assert told.state.status.status is SyncStatus.OFFLINE
    assert told.state.metrics == {"steps": steps(7)}


def test_a_user_who_is_no_longer_granted_is_gone() -> None:
    states = States()
    states.apply(subscribed(maren=snapshot("Maren", {}), ilse=snapshot("Ilse", {})))
    states.apply(SubscriptionChanged(added=[], removed=["maren"]))
    assert list(states.users) == ["ilse"]
    assert states.apply(update("maren", 8)) == []
    assert list(states.users) == ["ilse"]


def test_the_view_cannot_be_written() -> None:
    states = States()
    states.apply(subscribed(maren=snapshot("Maren", {"steps": steps(7)})))
    assert not hasattr(states.users, "pop")
    assert not hasattr(states.users["maren"].metrics, "pop")


def test_who_is_not_in_a_later_snapshot_is_gone() -> None:
    states = States()
    states.apply(subscribed(maren=snapshot("Maren", {}), ilse=snapshot("Ilse", {})))
    states.apply(subscribed(ilse=snapshot("Ilse", None, reset=False)))
    assert list(states.users) == ["ilse"]


def test_everyone_sits_by_name_and_keeps_the_seat() -> None:
    states = States()
    states.apply(subscribed(u1=snapshot("zoe", {}), u2=snapshot("Ann", {}), u3=snapshot("", {})))
    # Without a name it is the id that is shown.
    assert [state.name for state in states.users.values()] == ["Ann", "u3", "zoe"]
    states.apply(subscribed(u0=snapshot("Abe", {}), u1=snapshot("Zoe", {}), u2=snapshot("Bea", {})))
    assert [state.name for state in states.users.values()] == ["Bea", "Zoe", "Abe"]


def test_a_reset_without_a_state_begins_with_nothing() -> None:
    states = States()
    states.apply(subscribed(maren=snapshot("Maren", {"steps": steps(7)})))
    states.apply(subscribed(maren=snapshot("Maren", None, reset=True)))
    assert states.users["maren"].metrics == {}


def test_a_new_past_is_a_new_state_too() -> None:
    states = States()
    states.apply(subscribed(maren=snapshot("Maren", {"steps": steps(7)})))
    past = HistoryChanged(
        user="maren",
        metric="steps",
        data=steps(9),
        from_ms=0,
        to_ms=1,
        count=1,
        why=HistoryChange.BACKFILLED,
        position=("e", 2),
        previous=("e", 1),
        server_time=6,
    )
    told = states.apply(past)
    assert [(one.type, one.message) for one in told] == [
        (WebSocketEventType.HISTORY_CHANGED, past),
        (WebSocketEventType.HEALTH_DATA_UPDATE, past),
    ]
    assert told[0].state is not None
    assert told[0].state.health.steps == 9
