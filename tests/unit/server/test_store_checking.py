"""Sums made once more out of the readings: right whatever came in which order, else named."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_protocol.publishing import Stream
from strapline_protocol.series import Counter
from strapline_server.store.checking import check_sums
from strapline_server.store.commit import Work
from strapline_server.store.people import find_user
from strapline_server.verified import SumsVerified
from tests.unit.server.store_kit import HOUR, NOON, Bench, series_of, stream_named, zero_at

A, B = stream_named("A"), stream_named("B")
MINUTE = 60_000
BEGAN = NOON - 5 * HOUR


class Summed(Bench):
    """A bench with one bridge and two of its streams."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.add_user()
        self.pi = self.grant("pi")
        for stream in (A, B):
            self.declare(self.pi, stream, zero_at(BEGAN))

    def checked(self) -> dict[str, SumsVerified]:
        user = find_user(self.transaction, "ana")
        assert user is not None
        found = check_sums(self.transaction, user, lambda _: None)
        return {one.metric: one for one in found}

    def hour_of_rates(self) -> None:
        """A reading each half minute, for two hours."""
        times = [i * 30_000 for i in range(240)]
        self.publish(self.pi, A, series_of([60 + i % 50 for i in range(240)], times))


#: (stream, device, how far on, bpm)
READINGS = st.lists(
    st.tuples(
        st.sampled_from([A, B]),
        st.sampled_from(["strap-1", "watch-1"]),
        st.integers(0, 4 * 60),
        st.one_of(st.none(), st.floats(0, 300, allow_nan=False, width=32)),
    ),
    max_size=40,
)


@given(readings=READINGS, later=st.integers(0, 90), cools=st.booleans())
def test_what_was_folded_is_right_in_any_order(
    readings: Sequence[tuple[str, str, int, float | None]], later: int, cools: bool
) -> None:
    bench = Summed()
    numbers = {A: 0, B: 0}
    for stream, device, minutes, bpm in readings:
        series = series_of([bpm], [minutes * MINUTE], first=numbers[stream], device=device)
        numbers[stream] += 1
        bench.publish(bench.pi, stream, series)
    moved = Stream(stream=A, next_seq=0, zero=zero_at(BEGAN + later * MINUTE, version=2))
    bench.commit(Work(bench.pi, moved))
    if cools:
        bench.now_ms += 3 * HOUR
        bench.cool()
    for found in bench.checked().values():
        assert found.differing == 0
        assert found.from_ms is None


def test_steps_are_summed_by_counter() -> None:
    bench = Summed()
    for place, identity in enumerate(["first", "second"]):
        counter = Counter(id=identity, from_=0)
        series = series_of([10, 20], [0, 1_000], first=2 * place, metric="steps", counter=counter)
        bench.publish(bench.pi, A, series)
    (found,) = bench.checked().values()
    assert (found.metric, found.checked, found.differing) == ("steps", 4, 0)


@pytest.mark.parametrize(
    ("change", "differing", "minutes_on"),
    [
        ("UPDATE minutes SET count = count + 1 WHERE minute % 60 = 7", 2, 7),
        ("UPDATE minutes SET low = low - 1 WHERE minute % 60 = 7", 2, 7),
        ("UPDATE minutes SET total = total * 1.001 WHERE minute % 60 = 7", 2, 7),
        ("UPDATE minutes SET last_value = 1 WHERE minute % 60 = 7", 2, 7),
        ("DELETE FROM minutes WHERE minute % 60 = 59", 2, 59),
        ("UPDATE minutes SET counter = 'other' WHERE minute % 60 = 3", 4, 3),
        ("UPDATE hours SET covered = covered & ~1", 2, 0),
        ("UPDATE hours SET high = high + 1", 2, 0),
        ("DELETE FROM hours", 2, 0),
        ("DELETE FROM blocks", 122, 0),
    ],
)
def test_a_sum_that_is_not_right_is_named(change: str, differing: int, minutes_on: int) -> None:
    bench = Summed()
    bench.hour_of_rates()
    bench.connection.execute(change)
    found = bench.checked()["heart_rate"]
    assert found.differing == differing
    assert found.checked >= 122
    assert found.from_ms == BEGAN + minutes_on * MINUTE


def test_what_a_damaged_block_is_in_cannot_be_judged() -> None:
    bench = Summed()
    bench.hour_of_rates()
    bench.connection.execute("UPDATE blocks SET data = x'00' WHERE first_seq = 0")
    found = bench.checked()["heart_rate"]
    assert (found.checked, found.differing) == (61, 0)


def test_what_is_said_has_no_sums() -> None:
    bench = Summed()
    series = series_of([None], [0], metric="mark", label=["start"])
    bench.publish(bench.pi, A, series)
    assert bench.checked() == {}
