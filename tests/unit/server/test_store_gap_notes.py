"""What a bridge says of silences: readings of metric ``gap``, and the newest of them as a state."""

from __future__ import annotations

from typing import Any

import pytest

from strapline_protocol.opening import Role
from strapline_protocol.series import Series
from strapline_protocol.watching import Gap, GapData, HealthDataUpdate, HistoryChanged
from strapline_server.store.notes import HOST, Note, check_note
from strapline_server.store.people import Grant
from tests.unit.server.store_kit import HOUR, NOON, Bench, series_of, stream_named, zero_at

A, B = stream_named("A"), stream_named("B")
MINUTE = 60_000


def recorded(*streams: str) -> tuple[Bench, Grant]:
    """A bridge with runs that began at noon, ten minutes ago."""
    bench = Bench()
    bench.add_user()
    pi = bench.grant()
    for stream in streams or (A,):
        bench.declare(pi, stream, zero_at(NOON))
    bench.now_ms = NOON + 10 * MINUTE
    return bench, pi


def spell(
    from_ms: int,
    lasts_ms: Any,
    cause: Any = "silent",
    evidence: Any = "linkLost",
    first: int = 0,
    device: str = "strap-1",
) -> Series:
    columns: dict[str, Any] = {"durationMs": [lasts_ms], "cause": [cause], "evidence": [evidence]}
    return series_of([None], [from_ms], first=first, device=device, metric="gap", **columns)


def newest(bench: Bench) -> Gap | None:
    state = bench.state()["gap"]
    assert isinstance(state, GapData)
    return state.gap


def test_a_young_one_is_pushed_with_the_newest_as_state() -> None:
    bench, pi = recorded()
    outcome = bench.publish(pi, A, spell(8 * MINUTE, MINUTE))
    (change,) = outcome.changes
    assert isinstance(change.message, HealthDataUpdate)
    assert change.message.data == GapData(
        gap=Gap(
            from_ms=NOON + 8 * MINUTE,
            to_ms=NOON + 9 * MINUTE,
            cause="silent",
            evidence="linkLost",
            device="strap-1",
        )
    )
    assert (change.message.series.model_extra or {})["durationMs"] == [MINUTE]
    assert bench.state()["gap"] == change.message.data
    bench.grant("eye", Role.VIEWER)
    (series,) = bench.history("eye", metric="gap").series
    assert (series.model_extra or {})["cause"] == ["silent"]


def test_an_old_one_is_told_as_the_stretch_that_it_is_about() -> None:
    bench, pi = recorded()
    bench.now_ms = NOON + HOUR
    outcome = bench.publish(pi, A, spell(0, 10 * MINUTE), spell(MINUTE, 5 * MINUTE, first=1))
    (change,) = outcome.changes
    assert isinstance(change.message, HistoryChanged)
    told = change.message.from_ms, change.message.to_ms, change.message.count
    assert told == (NOON, NOON + 10 * MINUTE + 1, 2)


def test_the_newest_is_the_one_that_ends_last_whoever_says_it() -> None:
    bench, pi = recorded(A, B)
    bench.publish(pi, A, spell(0, 8 * MINUTE))
    bench.publish(pi, A, spell(5 * MINUTE, MINUTE, first=1))
    found = newest(bench)
    assert found is not None
    assert (found.from_ms, found.to_ms) == (NOON, NOON + 8 * MINUTE)
    bench.publish(pi, B, spell(8 * MINUTE, MINUTE, "radioLost", None, device="strap-2"))
    found = newest(bench)
    assert found is not None
    assert (found.cause, found.evidence, found.device) == ("radioLost", None, "strap-2")


@pytest.mark.parametrize(
    "wrong",
    [
        spell(0, -1),
        spell(0, None),
        spell(0, MINUTE, cause=None),
        spell(0, MINUTE, cause="no code"),
        spell(0, MINUTE, evidence=5),
        spell(0, 11 * MINUTE),
        series_of([None], [0], metric="gap"),
    ],
    ids=["negative", "endless", "causeless", "no code", "no evidence", "ahead", "empty"],
)
def test_what_says_nothing_of_the_past_is_stored_and_shows_nothing(wrong: Series) -> None:
    bench, pi = recorded()
    outcome = bench.publish(pi, A, wrong)
    assert outcome.readings == 1
    assert newest(bench) is None
    assert len(bench.history(metric="gap").series) == 1


def test_it_moves_with_its_stream() -> None:
    bench, pi = recorded()
    bench.publish(pi, A, spell(MINUTE, MINUTE))
    bench.declare(pi, A, zero_at(NOON - HOUR, version=2))
    found = newest(bench)
    assert found is not None
    assert (found.from_ms, found.to_ms) == (NOON - HOUR + MINUTE, NOON - HOUR + 2 * MINUTE)


def test_a_host_application_does_not_say_what_was_not_measured() -> None:
    columns: dict[str, Any] = {"durationMs": 1, "cause": "silent", "evidence": None}
    with pytest.raises(ValueError, match=r"a bridge says\. Say session or mark or summary"):
        check_note(Note("ana", "gap", HOST, NOON, columns))
