"""The past by minute, hour and day."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from strapline.watch.days import Days
from strapline.watch.history import (
    SPANS,
    Choice,
    Past,
    Stretch,
    _label,
    _levels,
    binned,
    history,
    stretches_of,
)
from strapline.watch.ink import width
from strapline_protocol.asking import HistoryPage, Resolution, Stretches
from tests.unit.cli.watch_kit import EPOCH, NOW_MS, a_view, at, maren, text, zone

MINUTE_MS = 60_000


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with zone("UTC"):
        yield


def minutes(first: str, number: int, average: float = 120) -> list[Stretch]:
    return [
        Stretch(at(first) + index * MINUTE_MS, 60, average, average - 10, average + 12)
        for index in range(number)
    ]


def test_pages_are_read_by_column() -> None:
    page = HistoryPage(
        user="ana",
        metric="heart_rate",
        resolution=Resolution.MINUTE,
        series=[],
        stretches=[
            Stretches(
                at_ms=[NOW_MS, MINUTE_MS],
                count=[60, 30],
                average=[120.5, 122],
                min=[110, 115],
                max=[131, 130],
            )
        ],
        position=(EPOCH, 4),
    )
    assert stretches_of([page]) == [
        Stretch(NOW_MS, 60, 120.5, 110, 131),
        Stretch(NOW_MS + MINUTE_MS, 30, 122, 115, 130),
    ]


def test_a_column_of_several_stretches_weighs_them_and_keeps_their_extremes() -> None:
    several = [Stretch(0, 10, 100, 90, 110), Stretch(1, 30, 120, 95, 150)]
    assert binned(several, [0, 2, 4]) == [Stretch(0, 40, 115, 90, 150), None]
    assert binned(several, [1, 2]) == [Stretch(1, 30, 120, 95, 150)]


def test_a_choice_moves_by_half_of_it_and_never_into_the_future() -> None:
    now = Choice()
    earlier = now.moved(-1, NOW_MS)
    assert earlier.to_ms == NOW_MS - 1_800_000
    assert earlier.moved(1, NOW_MS) == now
    assert now.moved(1, NOW_MS) == now
    assert now.spanned(-9).chosen is SPANS[0]
    assert now.spanned(9).chosen is SPANS[-1]
    assert Choice().range(NOW_MS) == (at("13:06:00"), at("14:06:00"))


def test_an_hour_by_minute() -> None:
    past = Past([*minutes("13:06:00", 20), *minutes("13:27:00", 39)])
    rows = history(maren(), a_view([maren()], height=20), Choice(), past)
    told = text(rows)
    assert told[0] == (
        "  Maren Holt   an hour, by minute                                     "
        "14 Oct 13:06 to 14 Oct 14:06"
    )
    assert "  3,540 readings, average 120, 110 to 132." in told
    assert any(row.endswith("13:51") for row in told)
    mean = next(row for row in told if "━━━" in row)
    assert mean[6:26] == "━" * 20
    assert mean[26] == "░"
    assert mean[27:66] == "━" * 39


@pytest.mark.parametrize("span", range(len(SPANS)), ids=[span.name for span in SPANS])
@pytest.mark.parametrize("cells", [24, 60, 100, 200])
def test_every_span_fits_every_width(span: int, cells: int) -> None:
    view = a_view([maren()], width=cells)
    rows = history(maren(), view, Choice(span), Past(minutes("13:50:00", 15), "Europe/Berlin"))
    assert len(rows) == view.height
    assert {width(row) for row in rows} == {cells}


def test_what_could_not_be_read_says_why_and_nothing_measured_is_said_too() -> None:
    view = a_view([maren()])
    told = text(history(maren(), view, Choice(), Past(words="Not read: no session.")))
    assert "  Not read: no session." in told
    told = text(history(maren(), view, Choice(), Past(read_ms=at("14:05:12"))))
    assert any(row.endswith("nothing measured. Read at 14:05:12.") for row in told)
    assert "  Nothing was measured in this stretch." in told


def test_the_future_is_not_hatched() -> None:
    view = a_view([maren()], now_ms=at("14:05:00"))
    rows = text(history(maren(), view, Choice(), Past(minutes("13:05:00", 10))))
    assert rows[3].count("░") == 50


@pytest.mark.parametrize(
    ("least", "most", "rows"),
    [(66, 94, 30), (66, 94, 24), (66, 94, 16), (60, 62, 30), (40, 215, 30)],
)
def test_levels_are_as_fine_as_all_has_room_and_in_the_middle(
    least: int, most: int, rows: int
) -> None:
    levels = _levels([Stretch(0, 60, (least + most) / 2, least, most)], rows)
    assert levels is not None
    top = levels.base + rows * levels.step
    assert levels.base <= least < most <= top
    # Nothing finer has room, and what is left over is as much above as below.
    assert levels.step == 1 or (most - least) / (rows * levels.step) > 0.5
    assert abs((top - most) - (least - levels.base)) <= 3 * levels.step
    labels = [label for row in range(rows) if (label := _label(levels, row, rows))]
    assert 2 <= len(labels) <= rows // 2 + 1
    assert all(int(label) % 5 == 0 or levels.step > 2 for label in labels)


DAYS = next(at for at, span in enumerate(SPANS) if span.resolution is Resolution.DAY)


def ms(name: str, year: int, month: int, day: int, hour: int = 0) -> int:
    moment = datetime(year, month, day, hour, tzinfo=ZoneInfo(name))
    return int(moment.timestamp() * 1_000)


@pytest.mark.parametrize("theirs", ["Europe/Berlin", "Pacific/Kiritimati", "America/Los_Angeles"])
@pytest.mark.parametrize("here", ["UTC", "Europe/Berlin", "America/Los_Angeles"])
@pytest.mark.parametrize("hour", [0, 11, 23])
def test_a_day_stands_under_its_own_date_wherever_the_person_and_the_screen_are(
    theirs: str, here: str, hour: int
) -> None:
    now_ms = ms(theirs, 2026, 6, 10, hour) + 60_000
    # Every day of June up to today, the rate is the day.
    past = Past(
        [Stretch(ms(theirs, 2026, 6, day), 10, day, day, day) for day in range(1, 11)], theirs
    )
    with zone(here):
        view = a_view([maren()], now_ms=now_ms, width=130)
        told = text(history(maren(), view, Choice(DAYS), past))
        asked = Choice(DAYS).range(now_ms)
    assert told[0].endswith("12 May to 10 Jun")
    chart = [row[6:126] for row in told[2:-6]]
    axis = next(row for row in told if "12 May" in row and "to" not in row)[6:]
    columns = [{row[4 * at : 4 * at + 4].strip() for row in chart} - {""} for at in range(30)]
    assert columns == [{"░░░░"}] * 20 + [{"━━━"}] * 10
    assert axis[7 * 4 :].startswith("19 May")
    # What is asked for has all of them, the first of the thirty too.
    assert asked[0] <= ms(theirs, 2026, 5, 12)
    assert asked[1] > ms(theirs, 2026, 6, 10)


def test_what_is_later_today_is_not_missing() -> None:
    theirs = "Europe/Berlin"
    view = a_view([maren()], now_ms=ms(theirs, 2026, 6, 10, 1), width=130)
    past = Past([Stretch(ms(theirs, 2026, 6, 9), 10, 60, 50, 70)], theirs)
    row = text(history(maren(), view, Choice(DAYS), past))[3]
    assert row[6:118] == "░" * 4 * 28
    assert "░" not in row[118:]


def test_a_month_with_a_longer_day_is_asked_for_whole() -> None:
    theirs = "Europe/Berlin"
    now_ms = ms(theirs, 2026, 11, 10, 23) + 1_800_000
    asked = Choice(DAYS).range(now_ms)
    assert asked[0] <= ms(theirs, 2026, 10, 12)
    assert Choice(DAYS).begins(now_ms, Days(theirs))[0] == ms(theirs, 2026, 10, 12)


def test_an_earlier_stretch_of_days_ends_with_its_own_last_day() -> None:
    theirs = "Asia/Kolkata"
    now_ms = ms(theirs, 2026, 6, 10, 12)
    choice = Choice(DAYS).moved(-1, now_ms)
    view = a_view([maren()], now_ms=now_ms, width=130)
    told = text(history(maren(), view, choice, Past((), theirs)))
    assert told[0].endswith("27 Apr to 26 May")
