"""A person's day: from midnight to midnight in their zone, whatever the clocks did on that date."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_LOCALTIME = Path("/etc/localtime")
_TIMEZONE = Path("/etc/timezone")


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
    """The day that holds this moment: its first millisecond and the next day's first."""
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    return _midnight(today, zone), _midnight(today + timedelta(days=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> int:
    # Where midnight is skipped, fold 0 gives the moment that the clocks jumped at.
    begin = datetime.combine(day, time.min, zone).astimezone(UTC)
    return int(begin.timestamp()) * 1000
