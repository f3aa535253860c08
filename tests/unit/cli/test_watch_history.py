"""The past by minute, hour and day."""

from collections.abc import Iterator

import pytest

from strapline.watch.history import (
    SPANS,
    Choice,
    Past,
    Stretch,
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
    assert binned(several, 0, 4, 2) == [Stretch(0, 40, 115, 90, 150), None]
    assert binned(several, 1, 2, 1) == [Stretch(1, 30, 120, 95, 150)]


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
