"""Numbers, ages and times as people read them: the same words as on the page."""

from __future__ import annotations

from datetime import datetime
from typing import Final

_SECOND_MS: Final = 1_000
_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400


def _local(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / _SECOND_MS).astimezone()


def clock(at_ms: int) -> str:
    """``14:03``, in the zone of this machine."""
    return _local(at_ms).strftime("%H:%M")


def clock_with_seconds(at_ms: int) -> str:
    """``14:04:41``."""
    return _local(at_ms).strftime("%H:%M:%S")


def day(at_ms: int) -> str:
    """``14 Oct``."""
    moment = _local(at_ms)
    return f"{moment.day} {moment.strftime('%b')}"


def count(number: float) -> str:
    """``4,127``."""
    return f"{round(number):,}"


def duration(duration_ms: int) -> str:
    """``38 s``, ``2 min 32 s``, ``1 h 12 min``, ``3 d 4 h``: whole seconds that have passed."""
    seconds = max(0, duration_ms // _SECOND_MS)
    if seconds < _MINUTE_S:
        return f"{seconds} s"
    if seconds < _HOUR_S:
        return _pair(seconds, _MINUTE_S, "min", 1, "s")
    if seconds < _DAY_S:
        return _pair(seconds, _HOUR_S, "h", _MINUTE_S, "min")
    return _pair(seconds, _DAY_S, "d", _HOUR_S, "h")


def _pair(seconds: int, big: int, big_name: str, small: int, small_name: str) -> str:
    rest = seconds % big // small
    first = f"{seconds // big} {big_name}"
    return first if rest == 0 else f"{first} {rest} {small_name}"


def stopwatch(duration_ms: int) -> str:
    """``44:36``, ``1:12:05``."""
    seconds = max(0, duration_ms // _SECOND_MS)
    minutes, hours = seconds // _MINUTE_S, seconds // _HOUR_S
    rest = f"{seconds % _MINUTE_S:02}"
    return f"{hours}:{minutes % _MINUTE_S:02}:{rest}" if hours else f"{minutes}:{rest}"


def ago(age_ms: int) -> str:
    """``1 s ago``. What has just come is a second old: a screen never claims less."""
    return f"{_coarse(age_ms)} ago"


def _coarse(age_ms: int) -> str:
    seconds = max(1, age_ms // _SECOND_MS)
    if seconds < _MINUTE_S:
        return f"{seconds} s"
    return f"{seconds // _MINUTE_S} min" if seconds < _HOUR_S else duration(seconds * _SECOND_MS)


def hop_age(age_ms: int) -> str:
    """``0.1 s``, ``3 s``, ``2 min``: the age on a hop."""
    if age_ms < _SECOND_MS:
        return f"{max(0.1, round(age_ms / 100) / 10):.1f} s"
    return _coarse(age_ms)


def readings(number: int) -> str:
    """``1 reading``, ``312 readings``."""
    return f"{count(number)} {'reading' if number == 1 else 'readings'}"


def asked(bridges: int) -> str:
    """``2 bridges asked``, ``No bridge to ask``."""
    if bridges == 0:
        return "No bridge to ask"
    return f"{count(bridges)} {'bridge' if bridges == 1 else 'bridges'} asked"


def capital(text: str) -> str:
    """With a capital at its beginning."""
    return text[:1].upper() + text[1:]
