"""A viewer of the guest's server: what comes to it, and what the server has stored."""

from __future__ import annotations

import asyncio
from typing import Final

from strapline.account import contents
from strapline_client import WebSocketEventType, WebSocketService
from strapline_protocol.asking import HistoryPage
from strapline_protocol.watching import HealthDataUpdate
from tests.acceptance.guest.outcome import Delivered, Reading
from tests.acceptance.guest.programs import until

METRICS: Final = ("heart_rate", "battery")
FAR_AWAY_MS: Final = 2**45


class Viewer:
    """Somebody who watches, and at the end asks for everything once more.

    Attributes:
        subscribed: set once nothing can be missed any more.
        watched: what came, in the order in which it came.
    """

    def __init__(self, service: WebSocketService) -> None:
        self._service = service
        self.subscribed = asyncio.Event()
        self.watched: list[Delivered] = []

    async def watch(self) -> None:
        """Note all that comes, until cancelled."""
        async for update in self._service.updates(bound=10_000):
            if update.type is WebSocketEventType.SUBSCRIBED:
                self.subscribed.set()
            message = update.message
            if isinstance(message, HealthDataUpdate):
                series = message.series
                numbers = [(message.stream, number) for number in series.numbers()]
                self.watched += [
                    Delivered(series.metric, content, identity)
                    for identity, content in zip(numbers, contents(series), strict=True)
                ]

    @property
    def heart_rates(self) -> int:
        """How many have come."""
        return sum(reading.metric == "heart_rate" for reading in self.watched)

    async def heart_rates_come(self, count: int) -> None:
        """Wait for so many more."""
        wanted = self.heart_rates + count

        async def have() -> bool:
            return self.heart_rates >= wanted

        await until(have, f"the viewer has {wanted} heart rates")

    async def history(self, user: str) -> list[Reading]:
        """What the server has stored, all of it."""
        stored: list[Reading] = []
        for metric in METRICS:
            where = {"user": user, "metric": metric, "fromMs": 0, "toMs": FAR_AWAY_MS}
            after: dict[str, str] | None = {}
            while after is not None:
                page = await self._service.request("history", {**where, **after})
                assert isinstance(page, HistoryPage)
                for series in page.series:
                    stored += [Reading(metric, content) for content in contents(series)]
                after = None if page.next is None else {"after": page.next}
        return stored
