"""Gaps between readings that are here, each cut where its cause changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from strapline_bridge.outbox import StreamRecord
from strapline_bridge.own_gaps import Absent, OwnGaps, delivered
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.publishing import Anchor, ClockSource, Ended, Zero
from strapline_protocol.series import Series, differences
from strapline_protocol.watching import Gap

WALL_MS = 1_795_000_000_000


def _record(
    began_ms: int = 0, next_seq: int = 0, last_ms: int = 0, ended: Ended | None = None, key: int = 1
) -> StreamRecord:
    anchor = Anchor(
        elapsed_ms=0, wall_ms=WALL_MS + began_ms, uncertainty_ms=1, source=ClockSource.SYSTEM
    )
    return StreamRecord(
        key=key,
        id=str(key) * 22,
        boot_id="b",
        zero_ns=0,
        zero=Zero(version=0, anchors=[anchor]),
        next_seq=next_seq,
        last_elapsed_ms=last_ms,
        ended=ended,
    )


def _beats(seconds: Iterable[int], first: int = 0, device: str = "strap", **more: Any) -> Series:
    moments = [1_000 * second for second in seconds]
    return Series(
        user="anna",
        device=device,
        metric=more.pop("metric", "heart_rate"),
        seq=differences(list(range(first, first + len(moments)))),
        elapsed_ms=differences(moments),
        value=[60] * len(moments),
        **more,
    )


def _noticed(number: int, from_s: int, to_s: int, cause: str, evidence: str = "heard") -> Series:
    return Series(
        user="anna",
        device="strap",
        metric="gap",
        seq=[number],
        elapsed_ms=[1_000 * from_s],
        value=[None],
        durationMs=[1_000 * (to_s - from_s)],  # type: ignore[call-arg]  # columns of its own
        cause=[cause],
        evidence=[evidence],
    )


def _in_s(gap: Gap) -> tuple[int, int, str, str | None]:
    return (gap.from_ms - WALL_MS) // 1_000, (gap.to_ms - WALL_MS) // 1_000, gap.cause, gap.evidence


def _one_run(*here: Series, next_seq: int, last_s: int, absent: Iterable[Absent] = ()) -> OwnGaps:
    gaps = OwnGaps()
    gaps.begin(_record(next_seq=next_seq, last_ms=1_000 * last_s), absent)
    gaps.take(here)
    gaps.end()
    return gaps


def test_readings_each_second_have_no_gap() -> None:
    found = _one_run(_beats(range(100)), next_seq=100, last_s=99).found()
    assert (found.gaps, found.explained, found.pieces) == (0, 0, [])


def test_nothing_at_all_has_no_gap() -> None:
    assert OwnGaps().found().gaps == 0


def test_a_silence_of_which_nothing_is_known_is_silent() -> None:
    found = _one_run(_beats([*range(20), *range(80, 100)]), next_seq=40, last_s=99).found()
    assert (found.gaps, found.explained) == (1, 0)
    assert [_in_s(piece) for piece in found.pieces] == [(19, 80, "silent", None)]


def test_what_the_bridge_noticed_is_the_cause() -> None:
    beats = _beats([*range(20), *range(80, 100)])
    noticed = _noticed(40, 19, 79, "radioLost")
    found = _one_run(beats, noticed, next_seq=41, last_s=99).found()
    assert (found.gaps, found.explained) == (1, 1)
    assert [_in_s(piece) for piece in found.pieces] == [(19, 79, "radioLost", "heard")]


def test_another_wearables_cause_explains_nothing_here() -> None:
    beats = _beats([*range(20), *range(80, 100)], device="other")
    found = _one_run(beats, _noticed(40, 19, 80, "radioLost"), next_seq=41, last_s=99).found()
    assert (found.gaps, found.explained) == (1, 0)


def test_a_gap_is_cut_where_its_cause_changes() -> None:
    beats = _beats([*range(20), *range(80, 100)])
    noticed = [_noticed(40, 19, 50, "radioLost"), _noticed(41, 50, 80, "notWorn", "contact")]
    found = _one_run(beats, *noticed, next_seq=42, last_s=99).found()
    assert (found.gaps, found.explained, len(found.pieces)) == (1, 1, 2)


@pytest.mark.parametrize("clean", [True, False])
def test_between_two_runs_the_bridge_was_down(*, clean: bool) -> None:
    gaps = OwnGaps()
    ended = Ended(elapsed_ms=20_000, clean=clean)
    gaps.begin(_record(next_seq=20, last_ms=19_000, ended=ended), [])
    gaps.take([_beats(range(20))])
    gaps.end()
    gaps.begin(_record(began_ms=100_000, next_seq=20, last_ms=19_000, key=2), [])
    gaps.take([_beats(range(20))])
    gaps.end()
    found = gaps.found()
    assert (found.gaps, found.explained) == (1, 1)
    evidence = "stopped" if clean else "killed"
    assert [_in_s(piece) for piece in found.pieces] == [(20, 100, "bridgeDown", evidence)]


@pytest.mark.parametrize("cause", ["dropped", "rejected", "erased"])
def test_numbers_that_are_not_here_say_why(cause: str) -> None:
    here = [_beats(range(20)), _beats(range(80, 100), first=80)]
    absent = [Absent(IntervalSet([(20, 79)]), cause)]
    found = _one_run(*here, next_seq=100, last_s=99, absent=absent).found()
    assert (found.gaps, found.explained) == (1, 1)
    assert [_in_s(piece) for piece in found.pieces] == [(19, 80, cause, None)]
    assert found.pieces[0].count == 60


def test_what_the_server_has_and_is_here_no_longer_is_no_gap() -> None:
    here = [_beats(range(20)), _beats(range(80, 100), first=80)]
    absent = [delivered(IntervalSet([(20, 79)]))]
    assert _one_run(*here, next_seq=100, last_s=99, absent=absent).found().gaps == 0


def test_a_silence_that_lasts_is_told_as_far_as_it_is_known() -> None:
    found = _one_run(
        _beats(range(20)), _noticed(20, 19, 79, "notWorn"), next_seq=21, last_s=79
    ).found()
    assert [_in_s(piece) for piece in found.pieces] == [(19, 79, "notWorn", "heard")]


def test_a_wearable_that_speaks_on_change_has_no_gaps() -> None:
    here = _beats([0, 100, 1_000], on_change=True)
    assert _one_run(here, next_seq=3, last_s=1_000).found().gaps == 0


def test_rows_of_one_commit_in_any_order_leave_no_hole_between_their_numbers() -> None:
    here = [_beats(range(5, 10), first=5), _beats(range(5), metric="steps")]
    absent = [Absent(IntervalSet([(20, 30)]), "dropped")]
    assert _one_run(*here, next_seq=10, last_s=9, absent=absent).found().gaps == 0


def test_a_time_that_was_corrected_backwards_makes_no_gap() -> None:
    gaps = OwnGaps()
    for key, began_ms in ((1, 0), (2, 5_000)):
        gaps.begin(_record(began_ms=began_ms, next_seq=20, last_ms=19_000, key=key), [])
        gaps.take([_beats(range(20))])
        gaps.end()
    assert gaps.found().gaps == 0
