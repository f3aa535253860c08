"""A person's day, in zones whose clocks do what they like."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_server.days import day_of, machine_zone, zone_named

HOUR = 3_600_000


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "now", "begins", "hours"),
    [
        ("UTC", "2026-11-24T12:00", "2026-11-24T00:00", 24),
        ("Europe/Vienna", "2026-11-24T23:30", "2026-11-24T23:00", 24),
        ("Asia/Kolkata", "2026-11-24T12:00", "2026-11-23T18:30", 24),
        ("Asia/Tokyo", "2026-11-24T15:00", "2026-11-24T15:00", 24),
        ("Pacific/Chatham", "2026-11-24T12:00", "2026-11-24T10:15", 24),
        # Clocks go forward, and back.
        ("Europe/Vienna", "2026-03-29T12:00", "2026-03-28T23:00", 23),
        ("Europe/Vienna", "2026-10-25T12:00", "2026-10-24T22:00", 25),
        # Years that are past: parliaments change what is to come.
        # Midnight itself is skipped: the day begins at 1:00.
        ("America/Santiago", "2024-09-08T12:00", "2024-09-08T04:00", 23),
        # Midnight happens twice.
        ("America/Havana", "2024-11-03T12:00", "2024-11-03T04:00", 25),
        # Just after midnight clocks go back to before it: the day goes on from its first midnight.
        ("America/St_Johns", "2010-11-07T02:30", "2010-11-07T02:30", 25),
        ("America/St_Johns", "2010-11-07T03:00", "2010-11-07T02:30", 25),
        ("America/St_Johns", "2010-11-06T12:00", "2010-11-06T02:30", 24),
        # A day that never was lies between these two.
        ("Pacific/Apia", "2011-12-30T09:00", "2011-12-29T10:00", 24),
    ],
)
def test_from_midnight_to_midnight(zone: str, now: str, begins: str, hours: int) -> None:
    found = day_of(at(now), zone_named(zone))
    assert found == (at(begins), at(begins) + hours * HOUR)


@given(
    st.integers(0, 4_000_000_000_000),
    st.sampled_from(
        ["UTC", "Europe/Vienna", "America/Santiago", "America/St_Johns", "Africa/Cairo"]
    ),
)
def test_every_moment_is_in_its_day(now_ms: int, zone: str) -> None:
    begins, ends = day_of(now_ms, zone_named(zone))
    assert begins <= now_ms < ends
    assert 22 * HOUR < ends - begins < 26 * HOUR
    assert begins % 60_000 == 0


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_days_follow_one_another_beyond_the_calendar(zone: str) -> None:
    at_ms = at("9999-12-27T12:00")
    for _ in range(10):
        _, ends = day_of(at_ms, zone_named(zone))
        assert day_of(ends, zone_named(zone)) == (ends, ends + 24 * HOUR)
        at_ms = ends
    begins, ends = day_of(2**53, zone_named(zone))
    assert begins <= 2**53 < ends


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "/etc/passwd", "\0"])
def test_a_zone_that_is_none_is_an_error_with_an_example(name: str) -> None:
    with pytest.raises(ValueError, match="Europe/Vienna"):
        zone_named(name)


def test_the_machines_zone_is_read_where_it_is_told(tmp_path: Path) -> None:
    link, file = tmp_path / "localtime", tmp_path / "timezone"
    assert machine_zone(link, file) == "UTC"
    file.write_text("Asia/Tokyo\n")
    assert machine_zone(link, file) == "Asia/Tokyo"
    link.symlink_to("/usr/share/zoneinfo/Europe/Vienna")
    assert machine_zone(link, file) in {"Europe/Vienna", "Asia/Tokyo"}
    file.write_text("Nowhere")
    link.unlink()
    link.symlink_to(tmp_path / "elsewhere")
    assert machine_zone(link, file) == "UTC"


def test_the_machines_zone_is_one_that_there_is() -> None:
    assert zone_named(machine_zone()).key == machine_zone()
