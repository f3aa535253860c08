"""The ``data`` of an update: one metric's state, out of what was folded. Pure.

What is current is judged at one moment, given by the caller: a value is current while it is the
newest, fresh, and says something of the body. `last` then still says what it was.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from strapline_protocol.base import SAFE_INTEGER
from strapline_protocol.metrics import BATTERY, HEART_RATE, STEPS, Metric, metric_named
from strapline_protocol.series import Series
from strapline_protocol.watching import (
    BatteryData,
    DeviceLevel,
    HeartRateData,
    LastValue,
    MetricData,
    Over,
    StepsData,
    ValueData,
)

#: A source that was silent for longer yields to the next one.
YIELD_MS: Final = 5_000
#: A reading that is further ahead of the server's clock is never current; it may have become so
#: when the clock was set back.
AHEAD_MS: Final = 5_000
#: Younger readings are pushed whatever their lane, older ones are history.
YOUNG_MS: Final = 300_000

IMPLAUSIBLE: Final = "implausible"
AHEAD: Final = "future"
#: Marks of a value that says nothing of the body.
UNUSABLE: Final = frozenset({"noContact", "zero", "frozen", IMPLAUSIBLE})
#: A rate of 0 is no signal; 0 steps or 0 percent is a value.
_ZERO_IS_NOTHING: Final = frozenset({HEART_RATE.name})


@dataclass(frozen=True, slots=True)
class Source:
    """One device's newest readings of one metric, in the order in which sources are shown.

    Attributes:
        strap_key: of the strap that it is one id of; two bridges give one strap two.
    """

    device: str
    newest_ms: int | None
    usable_ms: int | None
    usable_value: float | None
    quality: list[str] | None
    on_change: bool
    key: int = 0
    strap_key: int | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """What was measured of one metric in a person's day so far.

    Attributes:
        source_key: of steps the one device that counts on this day.
    """

    ends_ms: int
    count: int = 0
    total: float = 0
    low: float | None = None
    high: float | None = None
    steps: int | None = None
    source_key: int | None = None


@dataclass(frozen=True, slots=True)
class SessionSoFar:
    """What was measured of one metric since the session that runs began."""

    began_ms: int
    count: int = 0
    total: float = 0
    low: float | None = None
    high: float | None = None


def marks(series: Series, at_ms: Sequence[int], committed_ms: int) -> list[list[str] | None] | None:
    """What the server doubts of each reading; None when it doubts nothing."""
    metric = metric_named(series.metric)
    found = [
        ([IMPLAUSIBLE] if value is not None and not metric.low <= value <= metric.high else [])
        + ([AHEAD] if at > committed_ms + AHEAD_MS else [])
        for value, at in zip(series.value, at_ms, strict=True)
    ]
    return [one or None for one in found] if any(found) else None


def usable(series: Series) -> list[bool]:
    """Whether each reading says something of the body."""
    metric = metric_named(series.metric)
    low, high = metric.low, metric.high
    fit = [value is not None and low <= value <= high for value in series.value]
    if metric.name in _ZERO_IS_NOTHING:
        fit = [good and value != 0 for good, value in zip(fit, series.value, strict=True)]
    if series.contact is not None:
        fit = [good and on is not False for good, on in zip(fit, series.contact, strict=True)]
    if series.quality is not None:
        fit = [
            good and (codes is None or UNUSABLE.isdisjoint(codes))
            for good, codes in zip(fit, series.quality, strict=True)
        ]
    return fit


def shown(
    sources: Sequence[Source],
    now_ms: int,
    connected: Collection[str] | None = None,
    of_day: int | None = None,
) -> Source | None:
    """The one source that counts now: the first that is not silent, else the last to speak.

    Args:
        sources: in their order.
        now_ms: the moment to judge by.
        connected: devices whose hop stands, where that is known: one that speaks on change is
            not silent while it is connected.
        of_day: of steps the device that counts on this day, however long it has been silent.
    """
    spoke = [source for source in sources if source.newest_ms is not None]
    for source in spoke:
        counts = _speaks(source, now_ms, connected) if of_day is None else source.key == of_day
        if counts:
            return source
    return max(spoke, key=lambda source: source.newest_ms or 0, default=None)


def _speaks(source: Source, now_ms: int, connected: Collection[str] | None) -> bool:
    silent_ms = now_ms - (source.newest_ms or 0)
    patience_ms = YIELD_MS
    if source.on_change:
        if connected is None:
            patience_ms = YOUNG_MS
        elif source.device in connected:
            return silent_ms >= -AHEAD_MS
    return -AHEAD_MS <= silent_ms < patience_ms


def render(
    metric_name: str,
    sources: Sequence[Source],
    day: Day,
    now_ms: int,
    connected: Collection[str] | None = None,
    session: SessionSoFar | None = None,
) -> MetricData:
    """One metric's state at ``now_ms``.

    Args:
        metric_name: which.
        sources: its devices in order of rank.
        day: aggregates of the person's present day.
        now_ms: the moment to judge by.
        connected: devices whose hop stands, where that is known; a value that is sent on change
            stays current as long as its device is among them.
        session: while one runs, what a heart rate's average, minimum and maximum are over.
    """
    metric = metric_named(metric_name)
    if metric_name == BATTERY.name:
        return BatteryData(devices=_levels(sources), fresh_for_ms=metric.fresh_for_ms)
    source = shown(sources, now_ms, connected, day.source_key)
    last = _last(sources, source)
    on_change = source is not None and source.on_change
    if metric_name == STEPS.name:
        return StepsData(
            # What the wire carries is bounded, what bridges can make add up is not.
            today=None if day.steps is None else min(day.steps, SAFE_INTEGER),
            last=last,
            day_ends_ms=day.ends_ms,
            fresh_for_ms=metric.fresh_for_ms,
            on_change=on_change,
        )
    current = _current(metric, source, now_ms, connected)
    if metric_name == HEART_RATE.name:
        over = day if session is None else session
        return HeartRateData(
            current=current,
            last=last,
            average=average(over.count, over.total),
            min=_number(over.low),
            max=_number(over.high),
            over=Over.DAY if session is None else Over.SESSION,
            session_began_ms=None if session is None else session.began_ms,
            day_ends_ms=day.ends_ms,
            fresh_for_ms=metric.fresh_for_ms,
            on_change=on_change,
        )
    return ValueData(
        current=current, last=last, fresh_for_ms=metric.fresh_for_ms, on_change=on_change
    )


def average(count: int, total: float) -> float | None:
    """As it is shown: to a tenth; None of nothing."""
    return _number(round(total / count, 1)) if count else None


def _current(
    metric: Metric, source: Source | None, now_ms: int, connected: Collection[str] | None
) -> float | None:
    if source is None or source.usable_ms is None or source.usable_ms != source.newest_ms:
        return None
    if source.on_change and connected is not None:
        return _number(source.usable_value) if source.device in connected else None
    patience = YOUNG_MS if source.on_change else metric.fresh_for_ms
    young = -AHEAD_MS <= now_ms - source.usable_ms <= patience
    return _number(source.usable_value) if young else None


def _last(sources: Sequence[Source], source: Source | None) -> LastValue | None:
    """The shown source's last value; where it never had one, the newest of any."""
    if source is None or source.usable_ms is None:
        known = [one for one in sources if one.usable_ms is not None]
        source = max(known, key=lambda one: one.usable_ms or 0, default=None)
    if source is None or source.usable_ms is None:
        return None
    return LastValue(
        value=_number(source.usable_value), at_ms=max(0, source.usable_ms), quality=source.quality
    )


def _levels(sources: Sequence[Source]) -> list[DeviceLevel]:
    """One of each strap: of several ids what was said last."""
    newest: dict[int | str, Source] = {}
    for source in sources:
        strap = source.device if source.strap_key is None else source.strap_key
        known = newest.get(strap)
        if source.usable_ms is None:
            continue
        if known is None or source.usable_ms > (known.usable_ms or 0):
            newest[strap] = source
    return [
        DeviceLevel(
            device=source.device,
            value=_number(source.usable_value),
            at_ms=max(0, source.usable_ms or 0),
        )
        for source in newest.values()
    ][:256]


def _number(value: float | None) -> float | int | None:
    """SQLite's REAL as the integer it was, where it was one."""
    return int(value) if value is not None and float(value).is_integer() else value
