"""What a slow viewer gets: the newest of each, in order, with nothing left out unsaid."""

from __future__ import annotations

from strapline_protocol.watching import (
    HealthDataUpdate,
    HistoryChange,
    HistoryChanged,
    Hops,
    ServerHop,
    ServerState,
    SyncStatus,
    SyncStatusUpdate,
    ValueData,
)
from strapline_server.outlet import Outlet
from tests.unit.server.store_kit import NOON, series_of, stream_named

DATA = ValueData(current=None, last=None, fresh_for_ms=1, on_change=False)


def update(
    number: int, previous: int, user: str = "ana", metric: str = "heart_rate"
) -> HealthDataUpdate:
    series = series_of([number], [0]).timed([NOON], received_ms=NOON, time_source="system")
    return HealthDataUpdate(
        user=user,
        metric=metric,
        stream=stream_named("A"),
        data=DATA,
        series=series,
        position=("e", number),
        previous=("e", previous),
        server_time=NOON,
    )


def past(number: int, previous: int, from_ms: int, to_ms: int) -> HistoryChanged:
    return HistoryChanged(
        user="ana",
        metric="heart_rate",
        data=DATA,
        from_ms=from_ms,
        to_ms=to_ms,
        count=2,
        position=("e", number),
        previous=("e", previous),
        server_time=NOON,
        why=HistoryChange.BACKFILLED,
    )


def status(user: str, pending: int) -> SyncStatusUpdate:
    return SyncStatusUpdate(
        user=user,
        server_time=NOON,
        status=SyncStatus.SYNCED,
        hops=Hops(server=ServerHop(state=ServerState.OK, since_ms=0)),
        pending=pending,
        complete_through_ms=None,
        last_sync_at=None,
    )


def told(outlet: Outlet) -> list[tuple[int, int, int]]:
    return [
        (message.position[1], message.previous[1], getattr(message, "conflated", -1))
        for message in outlet.take()
        if isinstance(message, (HealthDataUpdate, HistoryChanged))
    ]


def test_one_change_goes_as_it_came() -> None:
    outlet = Outlet()
    assert not outlet
    assert outlet.keep(update(4, 3)) == 0
    assert outlet
    assert outlet.take() == [update(4, 3)]
    assert not outlet
    assert outlet.take() == []


def test_the_newest_stays_and_says_how_many_went_and_what_was_before_them() -> None:
    outlet = Outlet()
    assert [outlet.keep(update(n, n - 1)) for n in (4, 5, 6)] == [0, 1, 1]
    assert told(outlet) == [(6, 3, 2)]


def test_each_metric_and_user_has_its_own() -> None:
    outlet = Outlet()
    for change in (update(4, 1), update(5, 2, metric="steps"), update(1, 0, "ben"), update(6, 4)):
        outlet.keep(change)
    assert sorted(told(outlet)) == [(1, 0, 0), (5, 2, 0), (6, 1, 1)]


def test_stretches_of_the_past_are_joined_and_stand_in_order_with_the_update() -> None:
    outlet = Outlet()
    for change in (past(4, 3, 100, 200), update(5, 4), past(6, 5, 50, 120), update(7, 6)):
        outlet.keep(change)
    (first, second) = outlet.take()
    assert isinstance(first, HistoryChanged)
    assert (first.from_ms, first.to_ms, first.count) == (50, 200, 4)
    assert (first.position[1], first.previous[1]) == (6, 3)
    assert isinstance(second, HealthDataUpdate)
    assert (second.position[1], second.previous[1], second.conflated) == (7, 6, 1)


def test_what_is_put_back_keeps_its_count() -> None:
    outlet = Outlet()
    for number in (4, 5, 6):
        outlet.keep(update(number, number - 1))
    (kept,) = outlet.take()
    assert isinstance(kept, HealthDataUpdate)
    outlet.keep(kept)
    outlet.keep(update(7, 6))
    assert told(outlet) == [(7, 3, 3)]


def test_of_a_status_the_newest_of_each_user() -> None:
    outlet = Outlet()
    for one in (status("ana", 9), status("ben", 1), status("ana", 3)):
        outlet.keep_status(one)
    assert outlet.take() == [status("ana", 3), status("ben", 1)]


def test_a_user_that_is_no_longer_granted_is_forgotten() -> None:
    outlet = Outlet()
    outlet.keep(update(4, 3))
    outlet.keep(update(1, 0, "ben"))
    outlet.keep_status(status("ana", 1))
    outlet.forget({"ana"})
    assert outlet.take() == [update(1, 0, "ben")]
