"""What is missing of a person's past: a list and a sum."""

from collections.abc import Iterator

import pytest

from strapline.watch.ink import Tone
from strapline.watch.missing import Missing, missing_rows, missing_sum
from strapline_protocol.watching import Gap
from tests.unit.cli.watch_kit import NOW_MS, at, text, zone


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with zone("UTC"):
        yield


GAPS = (
    Gap(from_ms=at("00:00:00") - 3_600_000, to_ms=at("00:00:00"), cause="bridgeDown"),
    Gap(from_ms=at("09:12:00"), to_ms=at("09:17:00"), cause="dropped", count=300),
    Gap(from_ms=at("14:01:48"), to_ms=at("14:02:26"), cause="notWorn", evidence="contact"),
    Gap(from_ms=at("14:04:40"), to_ms=NOW_MS, cause="silent", lasts=True),
)
FULL = "readings dropped: the bridge\u2019s card was full"
ALL = Missing("maren", GAPS, read_ms=NOW_MS)


def test_the_newest_stands_first_with_its_length_and_its_cause() -> None:
    rows = missing_rows(ALL, NOW_MS, 9)
    assert text(rows) == [
        "  Last 24 hours: 1 h 6 min without a reading",
        "  14:04:40        1 min so far        silent: off, asleep or out of range",
        "  14:01:48        38 s                not worn",
        f"  09:12:00        5 min               {FULL}, 300 readings",
        "  13 Oct 23:00:00 1 h                 bridge off",
    ]
    assert rows[1][-1][1] is Tone.STRONG
    assert rows[2][-1][1] is Tone.INK


def test_what_has_no_room_is_counted() -> None:
    assert len(missing_rows(ALL, NOW_MS, 5)) == 5
    assert (
        text(missing_rows(ALL, NOW_MS, 5))[-1] == "  13 Oct 23:00:00 1 h                 bridge off"
    )
    rows = text(missing_rows(ALL, NOW_MS, 4))
    assert (len(rows), rows[-1]) == (4, "  and 2 before")
    assert text(missing_rows(ALL, NOW_MS, 3))[2:] == ["  and 3 before"]
    assert missing_rows(ALL, NOW_MS, 2) == []
    one = Missing("maren", GAPS[:1])
    assert (len(missing_rows(one, NOW_MS, 2)), missing_rows(one, NOW_MS, 1)) == (2, [])


def test_that_nothing_is_missing_is_said_and_what_is_not_known_is_not() -> None:
    none = Missing("maren", read_ms=NOW_MS)
    assert text(missing_rows(none, NOW_MS, 5)) == ["  Last 24 hours: nothing is missing."]
    assert missing_rows(Missing(), NOW_MS, 5) == []
    refused = Missing("maren", words="Gaps are not read: no.")
    assert text(missing_rows(refused, NOW_MS, 5)) == ["  Gaps are not read: no."]
    some = Missing("maren", GAPS, whole=False)
    head = "  Last 24 hours: at least 1 h 6 min without a reading"
    assert text(missing_rows(some, NOW_MS, 5))[0] == head


def test_a_piece_of_milliseconds_is_not_told() -> None:
    sliver = Gap(from_ms=at("14:02:26"), to_ms=at("14:02:26") + 400, cause="silent")
    some = Missing("maren", (GAPS[2], sliver))
    assert len(missing_rows(some, NOW_MS, 9)) == 2
    assert missing_sum(some, 99) == "Without a reading 38 s: not worn 38 s."


def test_a_sum_names_the_longest_causes_as_far_as_there_is_room() -> None:
    whole = (
        "Without a reading 1 h 6 min: bridge off 1 h; dropped, card full 5 min; silent 1 min; "
        "not worn 38 s."
    )
    assert missing_sum(ALL, 200) == whole
    assert missing_sum(ALL, 70) == "Without a reading 1 h 6 min: bridge off 1 h; …"
    assert missing_sum(ALL, 30) == "Without a reading 1 h 6 min."
    assert missing_sum(Missing("maren"), 200) == ""
    some = Missing("maren", GAPS[2:3], whole=False)
    assert missing_sum(some, 99) == "Without a reading at least 38 s: not worn 38 s."
