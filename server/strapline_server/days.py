"""A person's day: from midnight to midnight in their zone, whatever the clocks did on that date."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_LOCALTIME = Path("/etc/localtime")
_TIMEZONE = Path("/etc/timezone")
_DAY_MS: Final = 86_400_000
#: Near enough to the end of what a date can be, whatever the zone.
_LAST_DAY: Final = date(9999, 12, 30)
_CALENDAR_ENDS_MS: Final = int(datetime(9999, 12, 28, tzinfo=UTC).timestamp()) * 1000


def zone_named(name: str) -> ZoneInfo:
    """The zone of this name in the IANA database.

    Raises:
        ValueError: there is none; the text says what a name looks like.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"no time zone {name!r}. Use a name of the IANA database, such as Europe/Vienna."
        ) from error


def machine_zone(localtime: Path = _LOCALTIME, timezone: Path = _TIMEZONE) -> str:
    """The machine's own zone by name; UTC where it does not say."""
    candidates = []
    if localtime.is_symlink():
        _, found, name = str(localtime.resolve()).partition("/zoneinfo/")
        if found:
            candidates.append(name)
    if timezone.is_file():
        candidates.append(timezone.read_text("utf-8").strip())
    for candidate in candidates:
        try:
            return zone_named(candidate).key
        except ValueError:
            continue
    return "UTC"


def day_of(now_ms: int, zone: ZoneInfo) -> tuple[int, int]:
    """The day that holds this moment: its first millisecond and the next day's first.

    Each moment is in one day. A day begins at its first midnight: what is repeated before the
    second, where clocks are set back just after midnight, is in the day that has begun. After
    the calendar of a computer has ended, each day has 24 hours.
    """
    if now_ms >= _CALENDAR_ENDS_MS:
        ends_ms = _midnight(_LAST_DAY, zone)
        begins_ms = now_ms - (now_ms - ends_ms) % _DAY_MS
        if begins_ms >= ends_ms:
            return begins_ms, begins_ms + _DAY_MS
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    begins_ms = _midnight(today, zone)
    while (ends_ms := _midnight(today + timedelta(days=1), zone)) <= now_ms:
        today, begins_ms = today + timedelta(days=1), ends_ms
    return begins_ms, ends_ms


def _midnight(day: date, zone: ZoneInfo) -> int:
    # Where midnight is skipped, fold 0 gives the moment that the clocks jumped at.
    begin = datetime.combine(day, time.min, zone).astimezone(UTC)
    return int(begin.timestamp()) * 1000
