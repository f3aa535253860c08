"""One watched person as the screen knows them, and what is to be said of their day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from strapline.watch.causes import Spell
from strapline.watch.line import Line
from strapline.watch.words import clock, count, stopwatch
from strapline_protocol.metrics import BATTERY, HEART_RATE, SESSION, STEPS
from strapline_protocol.publishing import DeviceState
from strapline_protocol.watching import (
    BatteryData,
    DeviceHop,
    DeviceLevel,
    Gap,
    HeartRateData,
    MetricData,
    Over,
    SessionData,
    StepsData,
    UserStatus,
)

_NOTHING: Final[Mapping[str, MetricData]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Person:
    """What was told of one wearer.

    Attributes:
        name: as its owner wrote it; text, never markup.
        metrics: the newest state of each metric.
        status: None before it was told.
        line: the last minutes of heart rate.
        spells: what stood in the way when, this screen's own connection first.
        gaps: the last minutes' stretches without a reading, as the server accounts for them.
    """

    user: str
    name: str
    metrics: Mapping[str, MetricData] = field(default_factory=lambda: _NOTHING)
    status: UserStatus | None = None
    line: Line = ()
    spells: tuple[Spell, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def heart_rate(self) -> HeartRateData | None:
        data = self.metrics.get(HEART_RATE.name)
        return data if isinstance(data, HeartRateData) else None

    @property
    def devices(self) -> list[DeviceHop]:
        """Its wearables, as the bridges tell of them."""
        return [] if self.status is None else self.status.hops.devices


def session_of(person: Person, now_ms: int) -> str:
    """``Intervals 44:36`` while one runs."""
    data = person.metrics.get(SESSION.name)
    if not isinstance(data, SessionData) or data.session is None:
        return ""
    return f"{data.session.name} {stopwatch(now_ms - data.session.start_ms)}".strip()


def steps_of(person: Person, now_ms: int) -> str:
    """``4,127 steps so far``; a day that has ended says nothing of the new one."""
    data = person.metrics.get(STEPS.name)
    if not isinstance(data, StepsData) or data.today is None:
        return ""
    if now_ms >= data.day_ends_ms:
        return "— steps, a new day has begun"
    return f"{count(data.today)} {'step' if data.today == 1 else 'steps'} so far"


def day_of(person: Person, now_ms: int) -> tuple[str, str] | None:
    """``average 72 today`` and ``54 to 131``; None after the day's end, or before a reading."""
    data = person.heart_rate
    if data is None or data.average is None or data.min is None or data.max is None:
        return None
    if now_ms >= data.day_ends_ms:
        return None
    over = "today" if data.over is Over.DAY else "so far"
    return f"average {round(data.average)} {over}", f"{round(data.min)} to {round(data.max)}"


def battery_of(person: Person, now_ms: int, *, connected: bool) -> str:
    """``battery 82 %``, ``battery 31 % at 14:02``: of the wearable that is shown, or is nearest."""
    device = person.line[-1].device if person.line else None
    hops = sorted(
        person.devices,
        key=lambda hop: (hop.device != device, hop.state is not DeviceState.CONNECTED),
    )
    for hop in hops:
        told = level_of(person, hop, now_ms, connected=connected)
        if told is not None:
            return f"battery {told}"
    return ""


def level_of(person: Person, hop: DeviceHop, now_ms: int, *, connected: bool) -> str | None:
    """``82 %``, with its time once it is not the present; None where it is not known."""
    level = next((one for one in _levels(person) if one.device == hop.device), None)
    value = hop.battery if level is None or level.value is None else level.value
    if value is None:
        return None
    present = connected and hop.state is not DeviceState.SEARCHING
    data = person.metrics.get(BATTERY.name)
    old = (
        level is not None
        and isinstance(data, BatteryData)
        and now_ms - level.at_ms > data.fresh_for_ms
    )
    at = f" at {clock(level.at_ms)}" if level is not None and (old or not present) else ""
    return f"{round(value)} %{at}"


def _levels(person: Person) -> list[DeviceLevel]:
    data = person.metrics.get(BATTERY.name)
    return data.devices if isinstance(data, BatteryData) else []
