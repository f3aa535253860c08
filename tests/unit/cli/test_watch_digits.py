"""Large figures: three places, right-aligned."""

import pytest

from strapline.watch.digits import DASH, ROWS, WIDTH, figures


def test_the_figures_of_the_mock_up() -> None:
    assert figures(146) == ("╶╮ ╷ ╷╭─╴", " │ ╰─┤├─╮", "╶┴╴  ╵╰─╯")
    assert figures(158) == ("╶╮ ╭─╴╭─╮", " │ ╰─╮├─┤", "╶┴╴╶─╯╰─╯")


@pytest.mark.parametrize("bpm", [None, 0, 7, 60, 239, 999, 5_000, -4])
def test_every_figure_takes_the_same_room(bpm: int | None) -> None:
    rows = figures(bpm)
    assert len(rows) == ROWS
    assert {len(row) for row in rows} == {WIDTH}


def test_no_two_figures_are_alike() -> None:
    assert len({figures(digit) for digit in range(10)}) == 10


def test_nothing_is_a_dash_and_not_a_zero() -> None:
    assert figures(None) == DASH
    assert figures(0) != DASH
