"""Days of a zone, over changes of the clock."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from strapline.watch.days import Days
from tests.unit.cli.watch_kit import zone

HOUR_MS = 3_600_000


def ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1_000)  # type: ignore[arg-type, misc]  # of UTC


def test_a_day_of_another_zone_begins_at_its_midnight() -> None:
    with zone("America/Los_Angeles"):
        berlin = Days("Europe/Berlin")
        assert berlin.up_to(ms(2026, 6, 10, 22), 2) == [
            ms(2026, 6, 9, 22),
            ms(2026, 6, 10, 22),
            ms(2026, 6, 11, 22),
        ]
        assert berlin.up_to(ms(2026, 6, 10, 22) - 1, 1) == [ms(2026, 6, 9, 22), ms(2026, 6, 10, 22)]
        assert [berlin.name(ms(2026, 6, 9, hour)) for hour in (21, 22)] == ["9 Jun", "10 Jun"]


@pytest.mark.parametrize(
    ("name", "now", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 30, 12), [24, 23, 24]),
        ("Europe/Berlin", (2026, 10, 26, 12), [24, 25, 24]),
        # The clock goes from 24:00 to 1:00: that day begins at 1:00.
        ("America/Santiago", (2026, 9, 7, 12), [24, 23, 24]),
    ],
)
def test_days_are_as_long_as_the_clocks_make_them(
    name: str, now: tuple[int, ...], hours: list[int]
) -> None:
    begins = Days(name).up_to(ms(*now), 3)
    assert [(after - before) // HOUR_MS for before, after in pairwise(begins)] == hours
    assert len({Days(name).name(at_ms) for at_ms in begins}) == 4


@pytest.mark.parametrize("name", [None, "Atlantis/City", "../etc/passwd", ""])
def test_what_is_no_zone_here_is_this_machines(name: str | None) -> None:
    with zone("Asia/Kolkata"):
        assert Days(name).up_to(ms(2026, 6, 10), 1) == [
            ms(2026, 6, 9, 18, 30),
            ms(2026, 6, 10, 18, 30),
        ]
