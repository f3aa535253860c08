"""The people of the mock-up at 14:05:40, made of what a server would tell of them."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from strapline.watch.causes import Spell, Why
from strapline.watch.ink import Row, plain
from strapline.watch.line import Point
from strapline.watch.link_state import Connection
from strapline.watch.person import Person
from strapline.watch.screen import View
from strapline_client.events import ConnectionStatus
from strapline_protocol.publishing import DeviceState
from strapline_protocol.watching import (
    BatteryData,
    BridgeHop,
    DeviceHop,
    DeviceLevel,
    HeartRateData,
    Hops,
    HopState,
    LastValue,
    MetricData,
    Over,
    ServerHop,
    ServerState,
    Session,
    SessionData,
    StepsData,
    SyncStatus,
    UserStatus,
)

#: 14 October 2025, 14:05:40 UTC.
NOW_MS = int(datetime(2025, 10, 14, 14, 5, 40, tzinfo=UTC).timestamp() * 1_000)
DAY_ENDS_MS = NOW_MS + 36_000_000
EPOCH = "e"
LIVE = Connection(ConnectionStatus.CONNECTED)


@contextmanager
def zone(name: str) -> Iterator[None]:
    """This process's own zone, for as long as the context lasts."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def at(clock: str) -> int:
    """``14:03:08`` of that day, ms."""
    hours, minutes, seconds = map(int, clock.split(":"))
    return NOW_MS - (50_740 - (hours * 3_600 + minutes * 60 + seconds)) * 1_000


def a_point(at_ms: int, value: float | None = 60, **more: Any) -> Point:
    """One reading, received at once."""
    fields = {
        "device": "strap",
        "quality": (),
        "contact": None,
        "received_ms": at_ms + 200,
        "estimated": False,
        "position": (EPOCH, 1),
    }
    return Point(at_ms, value, **{**fields, **more})


def points(
    from_ms: int, to_ms: int, bpm: Callable[[float], float] = lambda _: 60, **more: Any
) -> tuple[Point, ...]:
    """One a second from ``from_ms`` to ``to_ms``; ``bpm`` by seconds since the beginning."""
    return tuple(
        a_point(at_ms, round(bpm((at_ms - from_ms) / 1_000)), **more)
        for at_ms in range(from_ms, to_ms + 1, 1_000)
    )


def a_rate(current: float | None, at_ms: int | None = NOW_MS, **more: Any) -> HeartRateData:
    """The state of a heart rate; without ``at_ms`` nothing was ever measured."""
    fields: dict[str, Any] = {
        "current": current,
        "last": None if at_ms is None else LastValue(value=current, at_ms=at_ms),
        "average": None,
        "min": None,
        "max": None,
        "over": Over.DAY,
        "day_ends_ms": DAY_ENDS_MS,
        "fresh_for_ms": 5_000,
        "on_change": False,
    }
    return HeartRateData(**{**fields, **more})


def a_status(
    status: SyncStatus = SyncStatus.REALTIME,
    device: DeviceState = DeviceState.CONNECTED,
    *,
    device_since_ms: int = NOW_MS - 600_000,
    bridge: HopState = HopState.ONLINE,
    bridge_since_ms: int = NOW_MS - 600_000,
    server: ServerState = ServerState.OK,
    pending: int = 0,
    complete_through_ms: int | None = None,
) -> UserStatus:
    """One strap, one bridge."""
    return UserStatus(
        status=status,
        hops=Hops(
            devices=[
                DeviceHop(device="strap", name="Strap", state=device, since_ms=device_since_ms)
            ],
            bridges=[
                BridgeHop(
                    name="Here",
                    state=bridge,
                    since_ms=bridge_since_ms,
                    heard_ms=NOW_MS - 200,
                    pending=pending,
                )
            ],
            server=ServerHop(state=server, since_ms=NOW_MS - 900_000),
        ),
        pending=pending,
        complete_through_ms=complete_through_ms,
        last_sync_at=None,
    )


def metrics(rate: HeartRateData | None, steps: int | None, level: DeviceLevel | None) -> Any:
    """A person's states."""
    told: dict[str, MetricData] = {}
    if rate is not None:
        told["heart_rate"] = rate
    if steps is not None:
        told["steps"] = StepsData(
            today=steps, last=None, day_ends_ms=DAY_ENDS_MS, fresh_for_ms=60_000, on_change=False
        )
    if level is not None:
        told["battery"] = BatteryData(devices=[level], fresh_for_ms=86_400_000)
    return told


def _wave(base: float, swing: float, seconds: float) -> float:
    return base + swing * math.sin(seconds / 17) + swing / 3 * math.sin(seconds / 3.7)


def maren() -> Person:
    """Live, a second old, in a session."""
    line = points(NOW_MS - 360_000, NOW_MS - 1_000, lambda s: _wave(141, 4, s))
    rate = a_rate(line[-1].value, NOW_MS - 1_000, average=141, min=97, max=152)
    told = metrics(rate, 4_127, DeviceLevel(device="strap", value=82, at_ms=NOW_MS - 60_000))
    session = Session(id="s" * 22, name="Endurance ride", start_ms=NOW_MS - 4_325_000, end_ms=None)
    told["session"] = SessionData(session=session)
    status = a_status(complete_through_ms=at("14:05:39"))
    return Person("maren", "Maren Holt", told, status, line)


def tomas() -> Person:
    """A gap of 38 s, and a minute that came in later."""
    line = (
        *points(NOW_MS - 360_000, at("14:01:48"), lambda s: 135 + s / 6),
        *points(at("14:02:26"), at("14:03:32"), lambda s: 170 - s / 4),
        *points(at("14:03:33"), at("14:04:31"), lambda s: 150 - s / 4, received_ms=at("14:04:41")),
        *points(at("14:04:32"), NOW_MS - 2_000, lambda s: 136 + s / 3),
    )
    rate = a_rate(line[-1].value, NOW_MS - 2_000, average=152, min=98, max=176)
    told = metrics(rate, 6_412, DeviceLevel(device="strap", value=64, at_ms=NOW_MS - 60_000))
    spells = (Spell(Why.OUT_OF_RANGE, at("14:01:50"), at("14:02:25")),)
    return Person("tomas", "Tomás Reyes", told, a_status(), line, spells)


def ilse() -> Person:
    """Out of range since 14:03:08."""
    line = points(NOW_MS - 360_000, at("14:03:08"), lambda s: _wave(76, 8, s))
    rate = a_rate(None, None, average=71, min=58, max=101).model_copy(
        update={"last": LastValue(value=72, at_ms=at("14:03:08"))}
    )
    told = metrics(rate, 1_038, DeviceLevel(device="strap", value=31, at_ms=at("14:02:10")))
    status = a_status(SyncStatus.SYNCED, DeviceState.SEARCHING, device_since_ms=at("14:03:09"))
    return Person(
        "ilse", "Ilse Brandt", told, status, line, (Spell(Why.OUT_OF_RANGE, at("14:03:09")),)
    )


def a_view(people: Sequence[Person] = (), **more: Any) -> View:
    """A screen of the mock-up's size."""
    fields: dict[str, Any] = {
        "people": people,
        "connection": LIVE,
        "now_ms": NOW_MS,
        "silence_ms": 100,
        "width": 100,
        "height": 32,
        "focus": people[0].user if people else None,
    }
    return View(**{**fields, **more})


def text(rows: Sequence[Row]) -> list[str]:
    """Rows as their characters alone."""
    return [plain(row) for row in rows]
