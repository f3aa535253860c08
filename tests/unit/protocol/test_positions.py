"""How far a viewer has each user's changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from strapline_protocol.positions import Positions, Taken
from strapline_protocol.watching import HistoryChange, HistoryChanged, ValueData

METRICS = ("heart_rate", "steps")
EPOCH = "e"


def a_change(metric: str, n: int, previous: int, epoch: str = EPOCH) -> HistoryChanged:
    return HistoryChanged(
        user="ana",
        metric=metric,
        data=ValueData(current=None, last=None, fresh_for_ms=1, on_change=False),
        from_ms=0,
        to_ms=0,
        count=1,
        position=(epoch, n),
        previous=(epoch, previous),
        server_time=0,
        why=HistoryChange.BACKFILLED,
    )


def a_history(metrics: list[str]) -> list[HistoryChanged]:
    """Changes as a server commits them, numbered from 1."""
    last = dict.fromkeys(METRICS, 0)
    changes = []
    for n, metric in enumerate(metrics, start=1):
        changes.append(a_change(metric, n, last[metric]))
        last[metric] = n
    return changes


@given(
    metrics=st.lists(st.sampled_from(METRICS), max_size=20),
    heard=st.lists(st.integers(0, 19), max_size=60),
)
def test_each_change_is_taken_once_and_none_is_passed_over(
    metrics: list[str], heard: list[int]
) -> None:
    """Whatever is lost, repeated or out of order: taken changes of a metric have no hole."""
    history = a_history(metrics)
    positions = Positions()
    positions.snapshot("ana", (EPOCH, 0), reset=True)
    taken: dict[str, list[int]] = {metric: [] for metric in METRICS}
    for index in heard:
        if index >= len(history):
            continue
        change = history[index]
        if positions.take(change, conflated=False) is Taken.NEWS:
            taken[change.metric].append(change.position[1])
    for metric, numbers in taken.items():
        committed = [one.position[1] for one in history if one.metric == metric]
        assert numbers == committed[: len(numbers)]


@given(
    metrics=st.lists(st.sampled_from(METRICS), max_size=20),
    cuts=st.lists(st.integers(1, 6), max_size=6),
)
def test_connections_that_are_cut_bring_each_change_once(
    metrics: list[str], cuts: list[int]
) -> None:
    """A connection brings changes in order until it is cut; the next one goes on from `since`."""
    history = a_history(metrics)
    positions = Positions()
    positions.snapshot("ana", (EPOCH, 0), reset=True)
    taken: list[int] = []
    for length in [*cuts, len(history)]:
        _, since = positions.since()["ana"]
        positions.snapshot("ana", (EPOCH, len(history)), reset=False)
        taken += [
            change.position[1]
            for change in history[since : since + length]
            if positions.take(change, conflated=False) is Taken.NEWS
        ]
    assert taken == [change.position[1] for change in history]


def test_what_is_missing_is_asked_for_until_it_has_come() -> None:
    """A cut right after the answer, before the missing changes: they are asked for once more."""
    positions = Positions()
    positions.snapshot("ana", (EPOCH, 10), reset=True)
    assert positions.take(a_change("steps", 13, 12), conflated=False) is Taken.GAP
    assert positions.take(a_change("heart_rate", 14, 9), conflated=False) is Taken.NEWS
    positions.snapshot("ana", (EPOCH, 14), reset=False)
    assert positions.since() == {"ana": (EPOCH, 10)}
    assert positions.take(a_change("steps", 12, 8), conflated=False) is Taken.NEWS
    assert positions.since() == {"ana": (EPOCH, 12)}
    # An old one too is the last that came.
    assert positions.take(a_change("steps", 13, 12), conflated=False) is Taken.NEWS
    assert positions.take(a_change("heart_rate", 14, 9), conflated=False) is Taken.OLD
    assert positions.since() == {"ana": (EPOCH, 14)}


def test_another_epoch_is_a_gap_and_the_old_one_is_said_as_since() -> None:
    positions = Positions()
    positions.snapshot("ana", (EPOCH, 3), reset=True)
    assert positions.take(a_change("steps", 9, 8, "f"), conflated=True) is Taken.GAP
    assert positions.since() == {"ana": (EPOCH, 3)}


def test_who_is_forgotten_is_nothing_to_anyone() -> None:
    positions = Positions()
    positions.snapshot("ana", (EPOCH, 0), reset=True)
    positions.forget("ana")
    assert positions.take(a_change("steps", 1, 0), conflated=False) is Taken.OLD
    assert positions.users() == []
