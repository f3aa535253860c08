"""What goes over the wire: built with the protocol's own models, numbers left for the generator."""

from __future__ import annotations

import random
import time
from typing import Any, Final

from benchmarks.load import FIRST_NUMBER
from strapline_protocol.codec import encode
from strapline_protocol.opening import Authenticate, Client
from strapline_protocol.publishing import (
    Anchor,
    ClockSource,
    Lane,
    Readings,
    Stream,
    Zero,
)
from strapline_protocol.series import Series, TimedSeries
from strapline_protocol.watching import HealthDataUpdate, HeartRateData, LastValue, Over, Subscribe

_CLIENT: Final = Client(name="benchmark", version="0")
_MINUTE_MS: Final = 60_000
#: Stands for the time until the generator fills it in.
_SOME_TIME: Final = 987_654_321


def stream_of(user: int) -> str:
    """The id of a user's one stream."""
    return f"{user:022d}"


def authenticate(token: str) -> str:
    """AUTHENTICATE."""
    return encode(Authenticate(token=token, client=_CLIENT)).decode()


def subscribe() -> str:
    """SUBSCRIBE to all that is granted."""
    return encode(Subscribe(request="1")).decode()


def stream(user: int, *, past_ms: int = 0) -> str:
    """STREAM of a user.

    Args:
        past_ms: the first reading's age; 0 for readings dated by the monotonic clock as they go.
    """
    wall_ms = time.time_ns() // 1_000_000
    elapsed_ms = 0 if past_ms else time.monotonic_ns() // 1_000_000
    anchor = Anchor(
        elapsed_ms=elapsed_ms,
        wall_ms=wall_ms - past_ms,
        uncertainty_ms=5,
        source=ClockSource.SYSTEM,
    )
    declared = Stream(stream=stream_of(user), next_seq=0, zero=Zero(version=1, anchors=[anchor]))
    return encode(declared).decode()


def reading(user: str, number: int) -> str:
    """READINGS with one reading of a chest strap: its rate, its intervals, contact."""
    return _with_marks(_readings(user, number, Lane.LIVE, [72], [[850, 843]]))


def readings(user: str, number: int, count: int, seed: int) -> str:
    """READINGS with a run of readings at 1 Hz, as a backlog has them."""
    chance = random.Random(seed)  # noqa: S311  # a wandering heart rate
    rates: list[int | float | None] = []
    rate = 70
    for _ in range(count):
        rate = min(190, max(50, rate + chance.choice((-1, 0, 0, 1))))
        rates.append(rate)
    intervals = [[60 * 1_024 // int(one or 60) + chance.randint(-20, 20)] for one in rates]
    return _with_marks(_readings(user, number, Lane.BACKLOG, rates, intervals))


def _readings(
    user: str, number: int, lane: Lane, rates: list[Any], intervals: list[Any]
) -> Readings:
    count = len(rates)
    series = Series(
        user=user,
        device=f"device-{number:04d}",
        metric="heart_rate",
        seq=[FIRST_NUMBER] + [1] * (count - 1),
        elapsed_ms=[_SOME_TIME] + [1_000] * (count - 1),
        value=rates,
        rr=intervals,
        contact=[True] * count,
    )
    return Readings(stream=stream_of(number), lane=lane, series=[series])


def _with_marks(message: Readings) -> str:
    text = encode(message).decode()
    text = text.replace(f'"seq":[{FIRST_NUMBER}', '"seq":[@S', 1)
    return text.replace(f'"elapsedMs":[{_SOME_TIME}', '"elapsedMs":[@E', 1)


def update(user: str, number: int) -> str:
    """What our viewers get of :func:`reading`, for peers to hand out as it is."""
    now_ms = time.time_ns() // 1_000_000
    message = HealthDataUpdate(
        user=user,
        metric="heart_rate",
        stream=stream_of(number),
        data=HeartRateData(
            current=72,
            last=LastValue(value=72, at_ms=now_ms),
            average=72,
            min=72,
            max=72,
            over=Over.DAY,
            day_ends_ms=now_ms + 600 * _MINUTE_MS,
            fresh_for_ms=5_000,
            on_change=False,
        ),
        series=TimedSeries(
            user=user,
            device=f"device-{number:04d}",
            metric="heart_rate",
            seq=[FIRST_NUMBER],
            at_ms=[now_ms],
            value=[72],
            rr=[[850, 843]],
            contact=[True],
            received_ms=now_ms,
            time_source="system",
        ),
        position=("AAAAAAAAAAAAAAAA", 1_000),
        previous=("AAAAAAAAAAAAAAAA", 999),
        server_time=now_ms,
    )
    return encode(message).decode().replace(f'"seq":[{FIRST_NUMBER}]', '"seq":[@S]')
