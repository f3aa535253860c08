"""What is kept of a running session is what the database says, whatever comes in which order."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_protocol.asking import EndSessionParams, SessionsParams, StartSessionParams
from strapline_protocol.opening import Role
from strapline_protocol.watching import HeartRateData
from strapline_server.state import AHEAD_MS
from strapline_server.store import stretches
from strapline_server.store.saying import Saying
from strapline_server.store.sessions import read_sessions
from strapline_server.store.sums import Folded, Rows
from tests.unit.server.store_kit import EPOCH, NOON, Bench, series_of, stream_named, zero_at

STREAMS = {"strap-1": stream_named("A"), "watch": stream_named("B")}
MINUTE = 60_000

#: (device, seconds before now, bpm), or a step of the clock in seconds.
AGO = st.one_of(st.integers(-30, 1_500), st.integers(-1_000, 20_000))
READING = st.tuples(st.sampled_from(list(STREAMS)), AGO, st.integers(30, 200))
STEP = st.one_of(st.integers(1, 700), st.integers(1, 9_000))


def expected(readings: list[tuple[str, int, int]], began_ms: int, ends_ms: int) -> list[int]:
    """The rates that count: in each minute those of the first device that has any."""
    by_minute: dict[int, dict[str, list[int]]] = {}
    for device, at, bpm in readings:
        if began_ms <= at < ends_ms:
            by_minute.setdefault(at // MINUTE, {}).setdefault(device, []).append(bpm)
    order = list(dict.fromkeys(device for device, _, _ in readings))
    return [bpm for devices in by_minute.values() for bpm in devices[min(devices, key=order.index)]]


class Ride(Bench):
    """A bench with a session that began at noon, a strap and a watch that came after it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.add_user()
        self.pi = self.grant("pi")
        coach = self.grant("coach", Role.VIEWER, may_mark=True)
        for stream in STREAMS.values():
            self.declare(self.pi, stream, zero_at(NOON))
        self.commit(Saying(coach, StartSessionParams(user="ana", name="x")))
        self._next = 0

    def take(self, device: str, minute: float, bpm: int) -> float | None:
        """A reading at this minute of the session; the average that is told with it."""
        self._next += 1
        elapsed = [int(minute * MINUTE)]
        reading = series_of([bpm], elapsed, first=self._next, device=device)
        outcome = self.publish(self.pi, STREAMS[device], reading)
        data = outcome.changes[-1].message.data
        assert isinstance(data, HeartRateData)
        return data.average

    def at(self, minute: float) -> None:
        self.now_ms = NOON + int(minute * MINUTE)


def test_a_reading_at_the_very_beginning_counts_when_it_comes_late() -> None:
    ride = Ride()
    ride.at(1)
    assert ride.take("strap-1", 1, 100) == 100
    assert ride.take("strap-1", 0, 50) == 75
    assert ride.take("strap-1", -0.001, 50) == 75


def test_what_comes_for_a_minute_that_is_settled_is_counted_by_the_rule() -> None:
    ride = Ride()
    ride.at(1.5)
    ride.take("strap-1", 0.1, 60)
    ride.take("watch", 1.5, 90)
    ride.at(20)
    assert ride.take("strap-1", 20, 60) == 70
    # In its minute the strap comes first, and what the watch had counts no more.
    assert ride.take("strap-1", 1.6, 66) == 62


def test_the_oldest_minute_that_is_open_is_open() -> None:
    ride = Ride()
    ride.at(2)
    ride.take("strap-1", 0.1, 60)
    ride.take("watch", 2, 90)
    ride.at(12)
    assert ride.take("strap-1", 12, 60) == 70
    assert ride.take("strap-1", 2.5, 66) == 62


def test_what_is_ahead_of_its_time_counts_once_it_is_not() -> None:
    ride = Ride()
    ride.at(1)
    ride.take("strap-1", 1, 100)
    # Of a clock that is ahead: not now, nor later before its minute, then by the rule.
    assert ride.take("watch", 30, 40) == 100
    assert ride.take("strap-1", 30.5, 50) == 100
    ride.at(29)
    assert ride.take("strap-1", 29, 90) == 95
    ride.at(30)
    assert ride.take("strap-1", 30, 110) == 87.5
    ride.at(45)
    assert ride.take("strap-1", 45, 150) == 100


def counting(ride: Ride, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many sums each question about a part of the past has read."""
    read: list[int] = []

    class Counted(Folded):
        def each(self, query: str, **bounds: Any) -> Rows:
            for row in super().each(query, **bounds):
                read.append(row["count"])
                yield row

    monkeypatch.setattr("strapline_server.store.stretches.Folded", Counted)
    return read


def test_a_late_reading_costs_its_hour_and_not_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that nobody ended, two straps, and a backlog that drains."""
    ride = Ride()
    hours = 400
    for hour in range(hours):
        ride.at(60 * hour + 50)
        for minute in (10, 20, 40):
            ride.take("strap-1", 60 * hour + minute, 100)
            ride.take("watch", 60 * hour + minute + 1, 80)
    read = counting(ride, monkeypatch)
    for late in range(60):
        before = len(read)
        ride.take("strap-1", 60 * hours - 180 - 2 * late, 100)
        ride.take("watch", 60 * hours - 180 - 2 * late, 80)
        # Two of the hour by device, and its minutes where they share some.
        assert 0 < len(read) - before <= 2 * (2 + 2 * 60)


def test_a_session_has_no_more_pieces_the_longer_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "_PIECES", 4)
    ride = Ride()
    rates = []
    for hour in range(40):
        ride.at(60 * hour + 30.5)
        rates.append(60 + hour)
        assert ride.take("strap-1", 60 * hour + 30, rates[-1]) == average(rates)
        rates.append(50)
        assert ride.take("strap-1", 30 * hour, 50) == average(rates)
        (kept,) = ride.run.stretches._kept.values()
        assert len(kept.pieces) <= 2 * 4 + 1


def average(rates: list[int]) -> float:
    return round(sum(rates) / len(rates), 1)


def test_what_is_kept_costs_no_reading_of_the_database() -> None:
    ride = Ride()
    ride.at(1)
    ride.take("strap-1", 1, 100)
    ride.rows("DELETE FROM blocks")
    ride.rows("DELETE FROM minutes")
    ride.rows("DELETE FROM hours")
    assert ride.take("strap-1", 1.1, 50) == 75


@given(
    st.lists(st.one_of(READING, STEP), min_size=1, max_size=25),
    st.one_of(st.integers(0, 20 * MINUTE), st.integers(0, 300 * MINUTE)),
    st.sampled_from([1, 500]),
)
def test_a_sessions_sums_are_exact(
    steps: list[tuple[str, int, int] | int], before_ms: int, pieces: int
) -> None:
    with patch.object(stretches, "_PIECES", pieces):
        check_sums(steps, before_ms)


def check_sums(steps: list[tuple[str, int, int] | int], before_ms: int) -> None:
    bench = Bench()
    bench.add_user()
    coach = bench.grant("coach", Role.VIEWER, may_mark=True)
    pi = bench.grant("pi")
    for stream in STREAMS.values():
        bench.declare(pi, stream, zero_at(NOON))
    began_ms = NOON - before_ms
    begin = StartSessionParams(user="ana", name="x", at_ms=began_ms)
    bench.commit(Saying(coach, begin))
    came: list[tuple[str, int, int]] = []
    for number, step in enumerate(steps):
        if isinstance(step, int):
            bench.now_ms += step * 1_000 + 7
            continue
        device, ago_s, bpm = step
        at = bench.now_ms - ago_s * 1_000
        came.append((device, at, bpm))
        outcome = bench.publish(
            pi, STREAMS[device], series_of([bpm], [at - NOON], first=number, device=device)
        )
        data = outcome.changes[-1].message.data
        assert isinstance(data, HeartRateData)
        horizon = ((bench.now_ms + AHEAD_MS) // MINUTE + 1) * MINUTE
        rates = expected(came, began_ms, horizon)
        assert data.average == (round(sum(rates) / len(rates), 1) if rates else None)
        assert (data.min, data.max) == (min(rates, default=None), max(rates, default=None))
        anew = bench.state()["heart_rate"]
        assert isinstance(anew, HeartRateData)
        assert (anew.average, anew.min, anew.max) == (data.average, data.min, data.max)
    bench.commit(Saying(coach, EndSessionParams(user="ana")))
    page = read_sessions(
        bench.transaction, EPOCH, "coach", SessionsParams(user="ana", from_ms=0, to_ms=2**52)
    )
    assert page is not None
    (found,) = page.sessions
    ends_ms = found.session.end_ms
    assert ends_ms is not None
    rates = expected(came, began_ms, ends_ms)
    assert (found.readings, found.min, found.max) == (
        len(rates),
        min(rates, default=None),
        max(rates, default=None),
    )
