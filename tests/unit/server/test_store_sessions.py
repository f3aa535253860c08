"""Sessions that are asked for: what was measured in each, whenever it came."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_protocol.asking import (
    EndSessionParams,
    SessionMeasured,
    SessionsPage,
    SessionsParams,
    StartSessionParams,
)
from strapline_protocol.opening import Role
from strapline_server.store.cursors import Cursor
from strapline_server.store.notes import newest_sessions
from strapline_server.store.saying import Saying
from strapline_server.store.sessions import read_sessions
from tests.unit.server.store_kit import (
    EPOCH,
    HOUR,
    NOON,
    Bench,
    series_of,
    stream_named,
    zero_at,
)

A = stream_named("A")
MINUTE = 60_000


class Club(Bench):
    """A bench with a coach, and a bridge whose stream began two hours ago."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.add_user()
        self.coach = self.grant("coach", Role.VIEWER, may_mark=True)
        self.pi = self.grant("pi")
        self.began_ms = NOON - 2 * HOUR
        self.declare(self.pi, A, zero_at(self.began_ms))
        self._next = 0

    def session(self, name: str, from_ms: int, to_ms: int | None) -> None:
        self.commit(Saying(self.coach, StartSessionParams(user="ana", name=name, at_ms=from_ms)))
        if to_ms is not None:
            self.commit(Saying(self.coach, EndSessionParams(user="ana", at_ms=to_ms)))

    def take(self, *readings: tuple[int, int]) -> None:
        first, self._next = self._next, self._next + len(readings)
        at_ms = [at - self.began_ms for at, _ in readings]
        self.publish(self.pi, A, series_of([bpm for _, bpm in readings], at_ms, first=first))

    def asked(self, **params: Any) -> list[SessionMeasured]:
        asked = {"user": "ana", "from_ms": 0, "to_ms": 2**52, **params}
        page = read_sessions(self.transaction, EPOCH, "coach", SessionsParams(**asked))
        assert page is not None
        assert page.next is None
        return page.sessions


def test_what_comes_late_counts_in_a_session_that_is_over() -> None:
    club = Club()
    begin, end = NOON - HOUR + 12_345, NOON - HOUR + 10 * MINUTE + 777
    club.session("ride", begin, end)
    (found,) = club.asked()
    assert (found.readings, found.average, found.min, found.max) == (0, None, None, None)
    # Its first millisecond is in it, that of its end is not.
    club.take((begin - 1, 40), (begin, 60), (end - 1, 91), (end, 200))
    (found,) = club.asked()
    assert (found.readings, found.average, found.min, found.max) == (2, 75.5, 60, 91)
    club.take((begin + 5 * MINUTE, 120))
    (found,) = club.asked()
    assert (found.readings, found.average, found.max) == (3, 90.3, 120)
    # When its stream moves in time, other readings are in it.
    club.declare(club.pi, A, zero_at(club.began_ms + 1, version=2))
    (found,) = club.asked()
    assert (found.readings, found.min, found.max) == (3, 40, 120)


def test_one_that_runs_has_what_came_so_far_and_nothing_ahead_of_time() -> None:
    club = Club()
    club.session("ride", NOON - MINUTE, None)
    club.take((NOON - MINUTE, 60), (NOON, 70), (NOON + HOUR, 180))
    (found,) = club.asked()
    assert (found.session.end_ms, found.readings, found.max) == (None, 2, 70)


def test_all_that_touch_the_range_are_told_in_order() -> None:
    club = Club()
    for number in range(4):
        begin = NOON - HOUR + number * 10 * MINUTE
        club.session(str(number), begin, begin + 5 * MINUTE)
    club.session("runs", NOON - MINUTE, None)
    names = [one.session.name for one in club.asked()]
    assert names == ["0", "1", "2", "3", "runs"]
    part = {"from_ms": NOON - 48 * MINUTE, "to_ms": NOON - 40 * MINUTE}
    assert [one.session.name for one in club.asked(**part)] == ["1"]
    late = {"from_ms": NOON + 10 * HOUR, "to_ms": NOON + 11 * HOUR}
    assert [one.session.name for one in club.asked(**late)] == ["runs"]


def test_one_lasts_no_longer_than_to_the_beginning_of_the_next() -> None:
    club = Club()
    at_s = [0, 100, 200, 300]
    lasts_s = [1_000, 50, None, 60]
    names = ["long", "short", "open", "newest"]
    club.publish(
        club.pi,
        A,
        series_of(
            [None] * 4,
            [at * 1_000 for at in at_s],
            device="pi",
            metric="session",
            id=[stream_named(letter) for letter in "QRST"],
            name=names,
            durationMs=[None if one is None else one * 1_000 for one in lasts_s],
        ),
    )
    club._next = 4
    club.take(*((club.began_ms + 50_000 * number, 60 + number) for number in range(9)))
    ends_s = [100, 150, 300, 360]
    found = club.asked()
    assert [(one.session.end_ms or 0) - club.began_ms for one in found] == [
        end * 1_000 for end in ends_s
    ]
    assert [one.readings for one in found] == [2, 1, 2, 2]
    newest = newest_sessions(club.transaction, 1, most=9)
    assert newest == [one.session for one in reversed(found)]
    # What is over by the cut touches no later range.
    later = {"from_ms": club.began_ms + 150_000, "to_ms": club.began_ms + 200_000}
    assert club.asked(**later) == []


def test_pages_go_on_with_their_own_question_alone() -> None:
    club = Club()
    club.add_user("ben")
    for number in range(3):
        begin = NOON - HOUR + number * 10 * MINUTE
        club.session(str(number), begin, begin + 5 * MINUTE)

    def page(**params: Any) -> SessionsPage:
        asked = {"user": "ana", "from_ms": 0, "to_ms": 2**52, "limit": 1, **params}
        found = read_sessions(club.transaction, EPOCH, "coach", SessionsParams(**asked))
        assert found is not None
        return found

    names, after = [], None
    for _ in range(3):
        found = page(after=after)
        names += [one.session.name for one in found.sessions]
        after = found.next
    assert (names, after) == (["0", "1", "2"], None)
    first = page().next
    assert page(after=first, limit=9).sessions == page(limit=9).sessions[1:]
    strange = Cursor(["sessions", "ana", 0, 2**52], None).at(["x", 1, 2])
    history = club.history(sub="coach", metric="session", limit=1).next
    for params in (
        {"user": "ben", "after": first},
        {"from_ms": 1, "after": first},
        {"after": history},
        {"after": strange},
        {"after": "abc"},
    ):
        with pytest.raises(ValueError, match="begins anew without after"):
            page(**params)


def test_who_may_not_see_gets_no_page() -> None:
    club = Club()
    club.session("ride", NOON - MINUTE, NOON)
    club.grant("other", Role.VIEWER, users=[])
    club.grant("narrow", Role.VIEWER, metrics=["heart_rate"])
    everything = SessionsParams(user="ana", from_ms=0, to_ms=2**52)
    for sub in ("other", "narrow", "nobody"):
        assert read_sessions(club.transaction, EPOCH, sub, everything) is None
    missing = SessionsParams(user="nobody", from_ms=0, to_ms=2**52)
    assert read_sessions(club.transaction, EPOCH, "coach", missing) is None


SPOKEN = st.tuples(st.integers(0, 30), st.one_of(st.none(), st.integers(0, 12)))


@given(st.lists(SPOKEN, max_size=12), st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_those_of_a_range_are_what_a_look_at_all_of_them_says(
    spoken: list[tuple[int, int | None]], ends: tuple[int, int]
) -> None:
    """Said in any order, side by side, with and without an end, at the same moment too."""
    club = Club()
    for number, (at_s, lasts_s) in enumerate(spoken):
        series = series_of(
            [None],
            [at_s * 1_000],
            first=number,
            device=f"pi-{number % 2}",
            metric="session",
            id=[f"{number:022}"],
            name=[str(number)],
            durationMs=[None if lasts_s is None else lasts_s * 1_000],
        )
        club.publish(club.pi, A, series)
    order = sorted((at, number) for number, (at, _) in enumerate(spoken))
    from_s, to_s = min(ends), max(ends)
    expected = []
    for place, (at, number) in enumerate(order):
        lasts = spoken[number][1]
        until = [] if lasts is None else [at + lasts]
        until += [order[place + 1][0]] if place + 1 < len(order) else []
        if at < to_s and (at >= from_s or not until or min(until) > from_s):
            expected.append(str(number))
    span = {"from_ms": club.began_ms + from_s * 1_000, "to_ms": club.began_ms + to_s * 1_000}
    found = [one.session.name for one in club.asked(**span)]
    assert sorted(found) == sorted(expected)


def paged(club: Club, asked: SessionsParams) -> tuple[int, SessionsPage]:
    """How many steps SQLite's machine makes for a page, and the page."""
    steps = count()
    club.connection.set_progress_handler(lambda: next(steps) and 0, 1)
    page = read_sessions(club.transaction, EPOCH, "coach", asked)
    club.connection.set_progress_handler(None, 0)
    assert page is not None
    return next(steps), page


def test_a_page_costs_the_same_of_few_sessions_and_of_many() -> None:
    costs: dict[int, list[int]] = {}
    for amount in (100, 10_000):
        club = Club()
        club.session("first", NOON - HOUR, NOON)
        rows = [(f"{number:022}", number * 1_000, number) for number in range(amount)]
        club.connection.executemany(
            "INSERT INTO said SELECT user_key, metric, device_key, ?, ?, NULL, stream_key, ?, "
            "content FROM said LIMIT 1",
            rows,
        )
        asked = SessionsParams(user="ana", from_ms=amount * 500 + 7, to_ms=2**52, limit=5)
        costs[amount] = []
        for _ in range(3):
            cost, page = paged(club, asked)
            costs[amount].append(cost)
            assert len(page.sessions) == 5
            asked = asked.model_copy(update={"after": page.next})
    assert max(costs[10_000]) <= 1.2 * max(costs[100]), costs
