"""Gaps: what is left between readings, and how evidence cuts it."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from strapline_protocol.gaps import (
    SHORTEST_GAP_MS,
    UNPACED_GAP_MS,
    Evidence,
    GapCause,
    Spell,
    explained,
    longest_pause_ms,
    silences,
)
from strapline_protocol.watching import Gap

SECOND = 1_000


def every(step_ms: int, count: int, start_ms: int = 0) -> list[int]:
    return [start_ms + step_ms * index for index in range(count)]


def test_a_steady_wearable_has_no_gap() -> None:
    assert list(silences(every(SECOND, 100))) == []


def test_a_hole_is_from_one_reading_to_the_next() -> None:
    times = [*every(SECOND, 20), *every(SECOND, 20, 60_000)]
    assert list(silences(times)) == [(19_000, 60_000)]


def test_one_missed_notification_is_none() -> None:
    times = [*every(SECOND, 20), *every(SECOND, 20, 21_000)]
    assert list(silences(times)) == []


def test_two_missed_notifications_are_one() -> None:
    times = [*every(SECOND, 20), *every(SECOND, 20, 22_000)]
    assert list(silences(times)) == [(19_000, 22_000)]


def test_a_slow_wearable_has_its_own_pace() -> None:
    assert list(silences(every(10 * SECOND, 50))) == [
        (0, 10_000),
        (10_000, 20_000),
        (20_000, 30_000),
    ]
    late = [*every(10 * SECOND, 20), 190_000 + 24_000, 190_000 + 60_000]
    assert list(silences(late))[-1] == (214_000, 250_000)


def test_the_pace_survives_the_gap_itself() -> None:
    times = [*every(SECOND, 20), 500_000, 501_000, 502_000, 506_000]
    assert list(silences(times)) == [(19_000, 500_000), (502_000, 506_000)]


def test_before_the_pace_is_known_five_seconds_are_a_gap() -> None:
    assert list(silences([0, UNPACED_GAP_MS])) == []
    assert list(silences([0, UNPACED_GAP_MS + 1])) == [(0, UNPACED_GAP_MS + 1)]
    assert longest_pause_ms([100, 100]) == UNPACED_GAP_MS
    assert longest_pause_ms([100, 100, 100]) == SHORTEST_GAP_MS


def test_repeated_moments_are_no_interval() -> None:
    times = [at for at in every(SECOND, 20) for _ in range(3)]
    assert list(silences([*times, 24_000])) == [(19_000, 24_000)]


moments = st.integers(0, 200)
causes = st.sampled_from([*GapCause, "notKnownYet"])


@st.composite
def spells(draw: st.DrawFn) -> Spell:
    from_ms = draw(moments)
    length = draw(st.integers(0, 60))
    evidence = draw(st.sampled_from(["", *Evidence]))
    return Spell(
        from_ms, from_ms + length, draw(causes), evidence, draw(st.sampled_from(["", "a"]))
    )


@given(moments, st.integers(1, 200), st.lists(spells(), max_size=8))
def test_each_moment_of_a_gap_has_its_strongest_cause(
    from_ms: int, length: int, evidence: list[Spell]
) -> None:
    to_ms = from_ms + length
    pieces = explained(from_ms, to_ms, evidence)
    assert pieces[0].from_ms == from_ms
    assert pieces[-1].to_ms == to_ms
    assert all(one.to_ms == two.from_ms for one, two in pairwise(pieces))
    assert all(
        (one.cause, one.evidence, one.device) != (two.cause, two.evidence, two.device)
        for one, two in pairwise(pieces)
    )
    order = [*GapCause][:-1]
    for piece in pieces:
        for at in range(piece.from_ms, piece.to_ms):
            about = [one for one in evidence if one.from_ms <= at < one.to_ms]
            known = [cause for cause in order if any(one.cause == cause for one in about)]
            newer = any(one.cause == "notKnownYet" for one in about)
            expected = known[0] if known else "notKnownYet" if newer else GapCause.SILENT
            assert piece.cause == expected


def test_what_the_evidence_says_stands_in_the_piece() -> None:
    spell = Spell(10, 20, GapCause.DROPPED, "sizeBound", "strap", 7)
    assert explained(0, 30, [spell]) == [
        Spell(0, 10, GapCause.SILENT),
        spell,
        Spell(20, 30, GapCause.SILENT),
    ]


def test_every_code_may_stand_on_the_wire() -> None:
    for cause in GapCause:
        for evidence in Evidence:
            gap = Gap(from_ms=0, to_ms=1, cause=cause, evidence=evidence)
            assert Gap.model_validate_json(gap.model_dump_json(by_alias=True)) == gap
