"""Marks that only a run of readings can earn: frozen rates and filler."""

from __future__ import annotations

from strapline_bridge.doubts import HeartDoubts
from strapline_bridge.readings import Reading

_S = 1_000_000_000


def _run(
    seconds: int,
    bpm: int = 60,
    rr: list[int] | None = None,
    *,
    contact: bool | None = None,
    start_s: int = 0,
    doubts: HeartDoubts | None = None,
    rr_of: dict[int, list[int]] | None = None,
) -> list[tuple[str, ...]]:
    """One reading a second; the marks of each."""
    doubts = doubts or HeartDoubts()
    found = []
    for at_s in range(start_s, start_s + seconds + 1):
        columns: dict[str, object] = {}
        beats = (rr_of or {}).get(at_s % 3, rr)
        if beats is not None:
            columns["rr"] = beats
        if contact is not None:
            columns["contact"] = contact
        found.append(doubts.marks("strap", Reading("heart_rate", bpm, columns), at_s * _S))
    return found


def test_a_calm_heart_is_not_frozen() -> None:
    calm = {0: [1_010], 1: [1_024], 2: [1_040]}
    assert set(_run(3_600, 60, rr_of=calm)) == {()}


def test_a_rate_that_its_intervals_contradict_is_frozen() -> None:
    hard = {0: [500], 1: [520, 511], 2: [530]}
    marks = _run(60, 60, rr_of=hard)
    assert set(marks[:30]) == {()}
    assert set(marks[30:]) == {("frozen",)}


def test_smoothing_is_no_contradiction() -> None:
    # 64.4 bpm by the intervals.
    near = {0: [950], 1: [955], 2: [957]}
    assert set(_run(300, 60, rr_of=near)) == {()}


def test_the_same_packet_again_and_again_is_frozen() -> None:
    marks = _run(40, 60, [1_024])
    assert set(marks[:30]) == {()}
    assert set(marks[30:]) == {("frozen",)}


def test_off_the_body_standing_still_is_frozen_soon() -> None:
    marks = _run(12, 60, contact=False)
    assert marks == [()] * 10 + [("frozen",)] * 3


def test_without_intervals_a_quarter_of_an_hour_is_too_long() -> None:
    marks = _run(901, 52)
    assert set(marks[:900]) == {()}
    assert set(marks[900:]) == {("frozen",)}


def test_a_pause_or_another_rate_or_a_new_link_starts_over() -> None:
    doubts = HeartDoubts()
    assert _run(9, contact=False, doubts=doubts)[-1] == ()
    assert _run(5, contact=False, start_s=50, doubts=doubts)[-1] == ()
    assert _run(5, 61, contact=False, start_s=56, doubts=doubts)[-1] == ()
    assert _run(8, 61, contact=False, start_s=62, doubts=doubts)[-1] == ("frozen",)
    doubts.forget("strap")
    assert _run(5, 61, contact=False, start_s=71, doubts=doubts)[-1] == ()


def test_no_rate_is_never_frozen() -> None:
    assert set(_run(2_000, 0, contact=False)) == {()}


def test_filler_is_marked_and_says_nothing_of_the_rate() -> None:
    assert set(_run(800, 64, [512, 512])) == {("filler",)}


def test_filler_for_longer_than_a_rate_stands_still_is_both() -> None:
    assert _run(900, 64, [512])[-1] == ("frozen", "filler")


def test_at_120_a_half_second_is_an_interval() -> None:
    assert _run(5, 118, [512])[-1] == ()
    assert _run(5, 64, [512, 900])[-1] == ()


def test_wearables_are_judged_apart() -> None:
    doubts = HeartDoubts()
    _run(9, contact=False, doubts=doubts)
    other = Reading("heart_rate", 60, {"contact": False})
    assert doubts.marks("other", other, 12 * _S) == ()
