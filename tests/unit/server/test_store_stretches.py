"""What is kept of a running session is what the database says, whatever comes in which order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from strapline_protocol.asking import EndSessionParams, SessionsParams, StartSessionParams
from strapline_protocol.opening import Role
from strapline_protocol.watching import HeartRateData
from strapline_server.state import AHEAD_MS
from strapline_server.store.saying import Saying
from strapline_server.store.sessions import read_sessions
from tests.unit.server.store_kit import EPOCH, NOON, Bench, series_of, stream_named, zero_at

STREAMS = {"strap-1": stream_named("A"), "watch": stream_named("B")}
MINUTE = 60_000

#: (device, seconds before now, bpm), or a step of the clock in seconds.
READING = st.tuples(st.sampled_from(list(STREAMS)), st.integers(-30, 1_500), st.integers(30, 200))
STEP = st.integers(1, 700)


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
    st.integers(0, 20 * MINUTE),
)
def test_a_sessions_sums_are_exact(steps: list[tuple[str, int, int] | int], before_ms: int) -> None:
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
    rates = expected(came, began_ms, bench.now_ms)
    assert (found.readings, found.min, found.max) == (
        len(rates),
        min(rates, default=None),
        max(rates, default=None),
    )
