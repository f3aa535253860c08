"""Days as they are where a person lives: when each begins, and what it is called."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_MS_PER_S: Final = 1_000


class Days:
    """The days of one zone.

    Args:
        zone: its name in the IANA database; this machine's where it is None, or not known here.
    """

    def __init__(self, zone: str | None = None) -> None:
        self._zone = _known(zone)

    def up_to(self, at_ms: int, number: int) -> list[int]:
        """When so many days begin, the last one being that of this moment, and when it ends."""
        last = self._date(at_ms)
        return [self._begins(last + timedelta(days=by)) for by in range(1 - number, 2)]

    def name(self, at_ms: int) -> str:
        """``14 Oct``."""
        found = self._date(at_ms)
        return f"{found.day} {found.strftime('%b')}"

    def _date(self, at_ms: int) -> date:
        return datetime.fromtimestamp(at_ms / _MS_PER_S, self._zone).date()

    def _begins(self, day: date) -> int:
        # Where the clock skips midnight, this is the moment of the jump.
        midnight = datetime.combine(day, time(), self._zone)
        return round(midnight.timestamp() * _MS_PER_S)


def _known(zone: str | None) -> ZoneInfo | None:
    try:
        return None if zone is None else ZoneInfo(zone)
    except (OSError, ValueError, LookupError):
        return None
