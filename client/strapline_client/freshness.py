"""Whether a value is still the present: values turn stale without a message."""

from __future__ import annotations

from strapline_protocol.base import Number
from strapline_protocol.publishing import DeviceState
from strapline_protocol.watching import (
    BatteryData,
    DeviceLevel,
    GapData,
    HeartRateData,
    HopState,
    MarkData,
    MetricData,
    ServerState,
    SessionData,
    StepsData,
    SummaryData,
    UserStatus,
    ValueData,
)


def newest_level(data: BatteryData) -> DeviceLevel | None:
    """That of the device which said it last."""
    return max(data.devices, key=lambda level: level.at_ms, default=None)


def measured_at_ms(data: MetricData) -> int | None:
    """When the newest value was measured, or said; server's wall time."""
    match data:
        case HeartRateData() | StepsData() | ValueData():
            return None if data.last is None else data.last.at_ms
        case BatteryData():
            level = newest_level(data)
            return None if level is None else level.at_ms
        case GapData():
            return None if data.gap is None else data.gap.to_ms
        case MarkData():
            return None if data.mark is None else data.mark.at_ms
        case SessionData():
            return None if data.session is None else data.session.start_ms
        case SummaryData():
            return data.at_ms


def age_ms(data: MetricData, now_ms: int) -> int | None:
    """How old the newest value is at the server's time ``now_ms``; None where there is none."""
    at_ms = measured_at_ms(data)
    return None if at_ms is None else max(0, now_ms - at_ms)


def current(data: MetricData, now_ms: int, *, held: bool) -> Number | None:
    """The value at the server's time ``now_ms``; None where it is no longer the present.

    Steps are those of today, until the day's end. ``held``: the whole way from the device is
    known to be open, so that what it says only on change is as it was.
    """
    match data:
        case HeartRateData() | ValueData():
            age = age_ms(data, now_ms)
            if age is None or data.current is None:
                return None
            if isinstance(data, HeartRateData) and data.current <= 0:
                return None
            fresh = age <= data.fresh_for_ms or (data.on_change and held)
            return data.current if fresh else None
        case StepsData():
            return data.today if now_ms < data.day_ends_ms else None
        case BatteryData():
            level = newest_level(data)
            fresh = level is not None and now_ms - level.at_ms <= data.fresh_for_ms
            return level.value if level is not None and fresh else None
        case SessionData() | MarkData() | GapData() | SummaryData():
            return None


def way_is_open(status: UserStatus | None) -> bool:
    """Whether a device is connected, a bridge of it online, and the server storing."""
    if status is None or status.hops.server.state is ServerState.NOT_STORING:
        return False
    bridges = status.hops.bridges
    if bridges and all(bridge.state is HopState.OFFLINE for bridge in bridges):
        return False
    return any(device.state is DeviceState.CONNECTED for device in status.hops.devices)
