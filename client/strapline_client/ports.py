"""What a service takes from outside itself: a network, time and chance."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from strapline_client.clock import monotonic_ms
from strapline_client.socket import Socket, dial

_MS_PER_S: Final = 1_000


class Dial(Protocol):
    """Opens a connection, as :func:`strapline_client.socket.dial` does."""

    def __call__(self, url: str, *, local: bool) -> Awaitable[Socket]: ...


async def _sleep(duration_ms: int) -> None:
    await asyncio.sleep(duration_ms / _MS_PER_S)


@dataclass(frozen=True, slots=True)
class Ports:
    """The real ones; tests give others.

    Attributes:
        dial: opens a connection.
        sleep: waits for so many milliseconds.
        random: in [0, 1); jitter keeps clients apart, and nothing secret hangs on it.
        now_ms: the monotonic clock.
    """

    dial: Dial = dial
    sleep: Callable[[int], Awaitable[None]] = _sleep
    random: Callable[[], float] = random.random
    now_ms: Callable[[], int] = monotonic_ms
