"""Numbers, ages and times, in the words of the page."""

import pytest

from strapline.watch.words import (
    ago,
    asked,
    capital,
    clock,
    clock_with_seconds,
    count,
    day,
    duration,
    hop_age,
    readings,
    stopwatch,
)
from tests.unit.cli.watch_kit import NOW_MS, zone


def test_times_are_of_the_zone_of_this_machine() -> None:
    with zone("UTC"):
        assert (clock(NOW_MS), clock_with_seconds(NOW_MS), day(NOW_MS)) == (
            "14:05",
            "14:05:40",
            "14 Oct",
        )
    with zone("Europe/Berlin"):
        assert clock(NOW_MS) == "16:05"


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (-5, "0 s"),
        (999, "0 s"),
        (38_000, "38 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (152_000, "2 min 32 s"),
        (3_600_000, "1 h"),
        (4_320_000, "1 h 12 min"),
        (86_400_000, "1 d"),
        (273_600_000, "3 d 4 h"),
    ],
    ids=str,
)
def test_durations_are_whole_seconds_that_have_passed(ms: int, words: str) -> None:
    assert duration(ms) == words


def test_what_has_just_come_is_a_second_old() -> None:
    assert [ago(ms) for ms in (0, 1_900, 59_000, 61_000, 3_700_000)] == [
        "1 s ago",
        "1 s ago",
        "59 s ago",
        "1 min ago",
        "1 h 1 min ago",
    ]


def test_ages_on_a_hop_have_tenths_below_a_second() -> None:
    assert [hop_age(ms) for ms in (0, 240, 999, 3_000)] == ["0.1 s", "0.2 s", "1.0 s", "3 s"]


def test_a_session_counts_like_a_stopwatch() -> None:
    assert [stopwatch(ms) for ms in (-1, 2_676_000, 4_325_000)] == ["0:00", "44:36", "1:12:05"]


def test_numbers_have_their_nouns() -> None:
    assert count(41_203) == "41,203"
    assert [readings(1), readings(312)] == ["1 reading", "312 readings"]
    assert [asked(number) for number in (0, 1, 2)] == [
        "No bridge to ask",
        "1 bridge asked",
        "2 bridges asked",
    ]
    assert capital("strap") == "Strap"
