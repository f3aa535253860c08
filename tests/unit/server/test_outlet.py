"""What a slow viewer gets: the newest of each, in order, with nothing left out unsaid."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_protocol.base import SAFE_INTEGER
from strapline_protocol.positions import Positions, Taken
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
from strapline_server.outlet import REASONS, Outlet
from tests.unit.server.store_kit import NOON, series_of, stream_named

DATA = ValueData(current=None, last=None, fresh_for_ms=1, on_change=False)


def update(
    number: int,
    previous: int,
    user: str = "ana",
    metric: str = "heart_rate",
    at_ms: tuple[int, ...] = (NOON,),
) -> HealthDataUpdate:
    series = series_of([number] * len(at_ms), range(len(at_ms))).timed(
        list(at_ms), received_ms=NOON, time_source="system"
    )
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
    outlet = Outlet(tells_skipped=False)
    assert [outlet.keep(update(n, n - 1)) for n in (4, 5, 6)] == [0, 1, 1]
    assert told(outlet) == [(6, 3, 2)]


def test_what_was_left_out_is_told_as_one_stretch_before_the_newest() -> None:
    outlet = Outlet()
    times = [(NOON + 1_000, NOON + 2_000), (NOON - 500,), (NOON + 9_000,)]
    for number, at_ms in enumerate(times, 4):
        outlet.keep(update(number, number - 1, at_ms=at_ms))
    skipped, newest = outlet.take()
    assert isinstance(skipped, HistoryChanged)
    assert skipped.why is HistoryChange.SKIPPED
    assert (skipped.from_ms, skipped.to_ms, skipped.count) == (NOON - 500, NOON + 2_001, 3)
    assert (skipped.position[1], skipped.previous[1]) == (5, 3)
    assert isinstance(newest, HealthDataUpdate)
    assert (newest.position[1], newest.previous[1], newest.conflated) == (6, 5, 2)
    assert newest.series.at() == [NOON + 9_000]


def test_a_stretch_ends_with_what_the_wire_carries() -> None:
    outlet = Outlet()
    outlet.keep(update(4, 3, at_ms=(SAFE_INTEGER,)))
    outlet.keep(update(5, 4))
    skipped = outlet.take()[0]
    assert isinstance(skipped, HistoryChanged)
    assert skipped.to_ms == SAFE_INTEGER


def test_each_metric_and_user_has_its_own() -> None:
    outlet = Outlet(tells_skipped=False)
    for change in (update(4, 1), update(5, 2, metric="steps"), update(1, 0, "ben"), update(6, 4)):
        outlet.keep(change)
    assert sorted(told(outlet)) == [(1, 0, 0), (5, 2, 0), (6, 1, 1)]


@pytest.mark.parametrize("tells_skipped", [True, False])
def test_stretches_of_the_past_are_joined_before_or_behind_the_update(tells_skipped: bool) -> None:
    outlet = Outlet(tells_skipped=tells_skipped)
    changes = (past(4, 3, 100, 200), update(5, 4), past(6, 5, 50, 120), past(7, 6, 10, 20))
    for change in changes:
        outlet.keep(change)
    before, newest, after = outlet.take()
    assert isinstance(before, HistoryChanged)
    assert (before.from_ms, before.to_ms, before.count) == (100, 200, 2)
    assert (before.position[1], before.previous[1]) == (4, 3)
    assert isinstance(newest, HealthDataUpdate)
    assert (newest.position[1], newest.previous[1], newest.conflated) == (5, 4, 0)
    assert isinstance(after, HistoryChanged)
    assert (after.from_ms, after.to_ms, after.count) == (10, 120, 4)
    assert (after.position[1], after.previous[1]) == (7, 5)
    for change in (*changes, update(8, 7)):
        outlet.keep(change)
    first, second = outlet.take()
    assert isinstance(first, HistoryChanged)
    assert (first.position[1], first.previous[1]) == (7, 3)
    assert (first.from_ms, first.to_ms) == (10, NOON + 1 if tells_skipped else 200)
    assert first.why is (HistoryChange.SKIPPED if tells_skipped else HistoryChange.BACKFILLED)
    assert isinstance(second, HealthDataUpdate)
    assert (second.position[1], second.previous[1], second.conflated) == (8, 7, 1)


def test_what_was_erased_is_told_so_whatever_else_was_left_out() -> None:
    outlet = Outlet()
    gone = past(5, 4, 0, 10).model_copy(update={"why": HistoryChange.ERASED})
    for change in (update(4, 3), gone, update(6, 5), update(7, 6)):
        outlet.keep(change)
    first = outlet.take()[0]
    assert isinstance(first, HistoryChanged)
    assert first.why is HistoryChange.ERASED


def test_an_empty_stretch_widens_no_other_and_each_reason_has_its_place() -> None:
    outlet = Outlet()
    begun = past(5, 4, 0, 0).model_copy(update={"why": HistoryChange.SESSION, "count": 0})
    for change in (past(4, 3, 100, 200), begun, update(6, 5)):
        outlet.keep(change)
    first = outlet.take()[0]
    assert isinstance(first, HistoryChanged)
    assert (first.from_ms, first.to_ms, first.count) == (100, 200, 2)
    assert (first.why, first.position[1]) == (HistoryChange.BACKFILLED, 5)
    outlet.keep(begun)
    outlet.keep(begun)
    (alone,) = outlet.take()
    assert isinstance(alone, HistoryChanged)
    assert (alone.from_ms, alone.to_ms, alone.why) == (0, 0, HistoryChange.SESSION)
    assert sorted(REASONS) == sorted(HistoryChange)


def test_what_is_put_back_keeps_its_count() -> None:
    outlet = Outlet()
    for number in (4, 5, 6):
        outlet.keep(update(number, number - 1))
    skipped, kept = outlet.take()
    assert isinstance(skipped, HistoryChanged)
    assert isinstance(kept, HealthDataUpdate)
    for one in (skipped, kept):
        outlet.keep(one)
    outlet.keep(update(7, 6))
    assert told(outlet) == [(6, 3, -1), (7, 6, 3)]
    # Of the two the stretch was sent.
    outlet.keep(kept)
    outlet.keep(update(7, 6))
    assert told(outlet) == [(6, 5, -1), (7, 6, 3)]


class _Way(NamedTuple):
    """What happens to a viewer: a change of so many readings, or as many messages are sent."""

    is_past: bool
    moment: int
    sent: int | None


_WAYS = st.lists(
    st.builds(_Way, st.booleans(), st.integers(0, 20), st.one_of(st.none(), st.integers(0, 3))),
    max_size=40,
)


@given(_WAYS)
def test_nothing_up_to_where_the_viewer_is_remains_untold(ways: list[_Way]) -> None:
    """Wherever the connection ends: what came was an update, or its stretch is known."""
    outlet = Outlet()
    positions = Positions()
    positions.snapshot("ana", ("e", 0), reset=True)
    moments: dict[int, int] = {}
    covered: list[tuple[int, int]] = []
    for number, way in enumerate(ways, 1):
        at_ms = NOON + way.moment * 10
        moments[number] = at_ms
        if way.is_past:
            outlet.keep(past(number, number - 1, at_ms, at_ms + 1))
        else:
            outlet.keep(update(number, number - 1, at_ms=(at_ms,)))
        if way.sent is None:
            continue
        for place, message in enumerate(outlet.take()):
            assert isinstance(message, (HealthDataUpdate, HistoryChanged))
            if place >= way.sent:
                outlet.keep(message)
                continue
            assert positions.take(message, conflated=False) is Taken.NEWS
            if isinstance(message, HealthDataUpdate):
                covered.append((min(message.series.at()), max(message.series.at()) + 1))
            else:
                covered.append((message.from_ms, message.to_ms))
            for held in range(1, message.position[1] + 1):
                assert any(first <= moments[held] < end for first, end in covered)


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
