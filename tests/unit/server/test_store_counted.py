"""A day's steps come to be another device's: all of that day is told."""

from __future__ import annotations

from typing import Any

import pytest

from strapline_protocol.publishing import Stream
from strapline_protocol.series import Counter, Series
from strapline_protocol.watching import HistoryChange, HistoryChanged, StepsData
from strapline_server.store.commit import Outcome, Work
from strapline_server.store.people import Grant
from tests.unit.server.store_kit import (
    HOUR,
    NOON,
    Bench,
    published,
    series_of,
    stream_named,
    zero_at,
)

A, B = stream_named("A"), stream_named("B")
DAY, MINUTE = 24 * HOUR, 60_000
#: In Vienna this day began at 23:00 UTC.
MIDNIGHT = NOON - 13 * HOUR
OTHER = HistoryChange.OTHER_SOURCE


class Walk(Bench):
    """A wearer with two step counters, ``dA`` and ``dB``, that came in this order."""

    pi: Grant
    zone = "Europe/Vienna"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.add_user(zone=self.zone)
        self.pi = self.grant("pi", users=["ana"])

    def begin(self, a_ms: int, b_ms: int) -> None:
        """Where their streams' times begin."""
        self.declare(self.pi, A, zero_at(a_ms))
        self.declare(self.pi, B, zero_at(b_ms))

    def walk(self, stream: str, first: int, *readings: tuple[int, int]) -> Outcome:
        return self.publish(self.pi, stream, steps(stream, first, *readings))


class Evenly(Walk):
    """Where each day has 24 hours."""

    zone = "UTC"


def steps(stream: str, first: int, *readings: tuple[int, int]) -> Series:
    """(elapsed, total) each, by the device that is named like the stream."""
    letter = stream[0]
    counter = Counter(id=letter.lower() * 22, from_=0)
    return series_of(
        [total for _, total in readings],
        [elapsed for elapsed, _ in readings],
        first=first,
        device=f"d{letter}",
        metric="steps",
        counter=counter,
    )


def told(outcome: Outcome) -> list[tuple[HistoryChange, int, int, int]]:
    """Each change of the past: why, from, to before, how many."""
    return [
        (change.message.why, change.message.from_ms, change.message.to_ms, change.message.count)
        for change in outcome.changes
        if isinstance(change.message, HistoryChanged)
    ]


def today(outcome: Outcome) -> list[Any]:
    found = [change.message.data for change in outcome.changes]
    assert all(isinstance(data, StepsData) for data in found)
    return [data.today for data in found if isinstance(data, StepsData)]


def test_a_rebase_onto_a_day_of_another_tells_all_of_it() -> None:
    bench = Walk()
    # The clock of A is a day behind.
    bench.begin(NOON - DAY - HOUR, NOON - HOUR)
    bench.walk(A, 0, (0, 100), (30 * MINUTE, 150))
    bench.walk(B, 0, (0, 10), (10 * MINUTE, 20), (HOUR - 10_000, 2_000))
    outcome = bench.declare(bench.pi, A, zero_at(NOON - HOUR, version=2))
    assert told(outcome) == [
        (HistoryChange.REBASED, NOON - DAY - HOUR, NOON - 30 * MINUTE + 1, 2),
        (OTHER, MIDNIGHT, MIDNIGHT + DAY, 5),
    ]
    assert today(outcome) == [150, 150]


def test_a_rebase_off_a_day_that_another_counts_on_tells_all_of_it() -> None:
    bench = Walk()
    bench.begin(NOON - HOUR, NOON - HOUR)
    bench.walk(A, 0, (0, 100), (30 * MINUTE, 150))
    bench.walk(B, 0, (0, 10), (HOUR - 10_000, 2_000))
    outcome = bench.declare(bench.pi, A, zero_at(NOON - 3 * DAY, version=2))
    assert told(outcome)[1:] == [(OTHER, MIDNIGHT, MIDNIGHT + DAY, 2)]
    assert today(outcome) == [2_000, 2_000]


@pytest.mark.parametrize("others", [True, False])
def test_a_rebase_within_one_day_tells_what_moved_alone(others: bool) -> None:
    bench = Walk()
    bench.begin(NOON - HOUR, NOON - HOUR)
    bench.walk(A, 0, (0, 100), (30 * MINUTE, 150))
    if others:
        bench.walk(B, 0, (0, 10), (HOUR - 10_000, 2_000))
    outcome = bench.declare(bench.pi, A, zero_at(NOON - 2 * HOUR, version=2))
    assert [why for why, *_ in told(outcome)] == [HistoryChange.REBASED]


def test_late_steps_of_the_first_device_tell_all_of_the_day_they_come_to() -> None:
    bench = Walk()
    bench.begin(NOON - 3 * DAY, NOON - 3 * DAY)
    bench.walk(A, 0, (0, 100))
    bench.walk(B, 0, (DAY, 10), (DAY + HOUR, 500), (2 * DAY, 700))
    outcome = bench.walk(A, 1, (DAY + 2 * HOUR, 130))
    at_ms = NOON - 2 * DAY + 2 * HOUR
    assert told(outcome) == [
        (HistoryChange.BACKFILLED, at_ms, at_ms + 1, 1),
        (OTHER, MIDNIGHT - 2 * DAY, MIDNIGHT - DAY, 3),
    ]
    # The device counts on that day already: nothing else is other than it was.
    assert [why for why, *_ in told(bench.walk(A, 2, (DAY + 3 * HOUR, 140)))] == [
        HistoryChange.BACKFILLED
    ]


def test_late_steps_of_a_second_device_change_no_day() -> None:
    bench = Walk()
    bench.begin(NOON - 3 * DAY, NOON - 3 * DAY)
    bench.walk(A, 0, (0, 100), (DAY, 200))
    outcome = bench.walk(B, 0, (HOUR, 10), (DAY + HOUR, 500), (2 * DAY, 600))
    assert [why for why, *_ in told(outcome)] == [HistoryChange.BACKFILLED]


def test_days_that_follow_one_another_are_told_as_one_and_of_very_many_all_are() -> None:
    bench = Evenly()
    days = 60
    bench.begin(NOON - days * DAY, NOON - days * DAY)
    bench.walk(A, 0, (-DAY, 1))
    bench.walk(B, 0, *((day * DAY, 10 * day + 10) for day in range(days)))
    # Two days in a row, and one apart.
    outcome = bench.walk(A, 1, (0, 2), (DAY, 3), (4 * DAY, 4), ((days - 1) * DAY, 5))
    first_ms = NOON - 12 * HOUR - days * DAY
    assert told(outcome)[1:] == [
        (OTHER, first_ms, first_ms + 2 * DAY, 4),
        (OTHER, first_ms + 4 * DAY, first_ms + 5 * DAY, 2),
        (OTHER, first_ms + (days - 1) * DAY, first_ms + days * DAY, 2),
    ]
    # More than are looked at one by one; the last of them is told though A counts there already.
    outcome = bench.walk(A, 5, *((day * DAY + HOUR, 10 + day) for day in range(5, days)))
    assert told(outcome)[1:] == [(OTHER, first_ms + 5 * DAY, first_ms + days * DAY, 111)]


def test_steps_and_a_corrected_time_of_one_commit_are_told_once() -> None:
    bench = Walk()
    bench.begin(NOON - DAY - HOUR, NOON - HOUR)
    bench.walk(A, 0, (0, 100))
    bench.walk(B, 0, (0, 10))
    moved = Stream(stream=A, next_seq=1, zero=zero_at(NOON - HOUR, version=2))
    outcome = bench.commit(
        Work(bench.pi, moved),
        published(bench.pi, A, steps(A, 1, (HOUR - 1_000, 300))),
    )
    whole = [one for one in told(outcome) if one[0] is OTHER and one[1] == MIDNIGHT]
    assert whole == [(OTHER, MIDNIGHT, MIDNIGHT + DAY, 3)]
    assert today(outcome)[-1] == 300


def test_a_time_at_the_end_of_what_the_wire_carries_is_told() -> None:
    bench = Walk()
    bench.begin(NOON - HOUR, NOON - HOUR)
    bench.walk(B, 0, (0, 10))
    bench.walk(A, 0, (0, 100), (1_000, 130))
    end_ms = 2**53 - 1
    (change,) = told(bench.declare(bench.pi, A, zero_at(end_ms, version=2)))
    assert change == (HistoryChange.REBASED, NOON - HOUR, end_ms, 2)
    moved, other = told(bench.declare(bench.pi, B, zero_at(end_ms, version=2)))
    assert moved == (HistoryChange.REBASED, NOON - HOUR, end_ms, 1)
    # B came first, and counts on that last day.
    assert (other[0], other[2], other[3]) == (OTHER, end_ms, 3)
