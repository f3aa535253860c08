"""The five-minute sheet: runs, gaps with their cause, what came in later."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from strapline.watch.causes import Why
from strapline.watch.person import Person
from strapline.watch.sheet import SHEET_MS, Gap, Kind, has_room, plates, sheet_notes, sheet_of
from strapline_protocol.watching import Gap as ToldGap
from strapline_protocol.watching import LastValue
from tests.unit.cli.watch_kit import NOW_MS, a_point, a_rate, at, ilse, maren, points, tomas, zone


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with zone("UTC"):
        yield


def test_an_unbroken_line_is_one_run_of_five_minutes() -> None:
    sheet = sheet_of(maren(), NOW_MS)
    assert len(sheet.runs) == 1
    assert sheet.runs[0][0].at_ms == NOW_MS - SHEET_MS
    assert (sheet.gaps, sheet.filled) == ((), ())


def test_a_gap_is_a_gap_with_its_cause_and_length() -> None:
    sheet = sheet_of(tomas(), NOW_MS)
    assert sheet.gaps == (Gap(at("14:01:48"), at("14:02:26"), Why.OUT_OF_RANGE, open=False),)
    assert sheet.gaps[0].length == "38 s"
    assert next(run[-1].at_ms for run in sheet.runs) == at("14:01:48")


def test_a_gap_of_before_anybody_looked_has_the_cause_that_the_server_tells() -> None:
    told = ToldGap(from_ms=at("14:01:48"), to_ms=at("14:02:26"), cause="bridgeDown")
    person = replace(tomas(), spells=(), gaps=(told,))
    assert sheet_of(replace(person, gaps=()), NOW_MS).gaps[0].why is Why.NO_READING
    assert sheet_of(person, NOW_MS).gaps[0].why is Why.BRIDGE_OFF
    # One that goes on is what this screen sees.
    silent = ToldGap(from_ms=at("14:03:08"), to_ms=NOW_MS, cause="bridgeDown", lasts=True)
    assert sheet_of(replace(ilse(), gaps=(silent,)), NOW_MS).gaps[0].why is Why.OUT_OF_RANGE


def test_what_came_later_is_told_apart() -> None:
    sheet = sheet_of(tomas(), NOW_MS)
    (filled,) = sheet.filled
    assert (filled.from_ms, filled.to_ms, filled.at_ms) == (
        at("14:03:33"),
        at("14:04:31"),
        at("14:04:41"),
    )
    kinds = {point.kind for point in sheet.runs[-1]}
    assert kinds == {Kind.LIVE, Kind.BACK}


def test_an_open_gap_grows_with_the_clock_alone() -> None:
    for later in (0, 60_000):
        (gap,) = sheet_of(ilse(), NOW_MS + later).gaps
        assert (gap.from_ms, gap.to_ms, gap.open) == (at("14:03:08"), NOW_MS + later, True)


def test_a_silence_longer_than_the_line_begins_with_the_last_reading() -> None:
    rate = a_rate(None, None).model_copy(update={"last": LastValue(value=72, at_ms=at("13:00:00"))})
    (gap,) = sheet_of(Person("ana", "Ana", {"heart_rate": rate}), NOW_MS).gaps
    assert (gap.from_ms, gap.why) == (at("13:00:00"), Why.NO_READING)


def test_never_measured_is_no_gap() -> None:
    sheet = sheet_of(Person("ana", "Ana"), NOW_MS)
    assert (sheet.runs, sheet.gaps, sheet.bounds) == ((), (), None)


def test_refused_readings_are_not_drawn_and_say_why_nothing_is() -> None:
    line = (
        *points(NOW_MS - 60_000, NOW_MS - 30_000),
        *(a_point(NOW_MS - ago_ms, 0) for ago_ms in range(29_000, 9_000, -1_000)),
        *points(NOW_MS - 9_000, NOW_MS),
    )
    sheet = sheet_of(replace(maren(), line=line, spells=()), NOW_MS)
    assert [gap.why for gap in sheet.gaps] == [Why.NO_SIGNAL]
    assert sheet.bounds == (60, 60)


def test_an_estimated_time_is_neither_live_nor_later() -> None:
    line = points(NOW_MS - 9_000, NOW_MS, estimated=True)
    sheet = sheet_of(replace(maren(), line=line), NOW_MS)
    assert {point.kind for run in sheet.runs for point in run} == {Kind.ESTIMATED}


def test_what_has_no_room_on_the_trace_becomes_a_sentence() -> None:
    sheet = sheet_of(tomas(), NOW_MS)
    gap = sheet.gaps[0]
    assert plates(gap) == (" strap out of range, 38 s ", " strap out of range ")
    assert not has_room(gap, 5_000)
    assert has_room(gap, 1_000)
    said = "Gap of 38 s at 14:01: strap out of range."
    filled = "58 s filled in at 14:04:41."
    assert sheet_notes(sheet, 5_000) == [said, filled]
    assert sheet_notes(sheet, 1_000) == [filled]
    assert sheet_notes(sheet, None) == [said, filled]
    assert sheet_notes(sheet_of(ilse(), NOW_MS), 5_000) == []
