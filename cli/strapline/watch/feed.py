"""Keeps what a screen shows up to date: follows the service, and fetches the last minutes."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import Final

from strapline.watch.line import KEPT_MS, LINE_BOUND, Point, points_of
from strapline.watch.people import People
from strapline_client import (
    NotConnectedError,
    RequestRefusedError,
    StoppedError,
    Update,
    WebSocketEventType,
    WebSocketService,
)
from strapline_protocol.errors import MalformedMessageError
from strapline_protocol.metrics import HEART_RATE
from strapline_protocol.opening import ErrorCode
from strapline_protocol.watching import Gap, Position

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 4
_PAGE: Final = 2_000
#: Of six minutes.
_MOST_GAPS: Final = 500


class Feed:
    """What is known of everyone, while :meth:`run` runs.

    Attributes:
        people: as they stand.
        service: the connection.
    """

    def __init__(self, service: WebSocketService) -> None:
        self.service = service
        self.people = People()
        self._changed = asyncio.Event()
        # Whether this server knows of gaps, until it says that it does not.
        self._accounts = True

    def now_ms(self) -> int:
        """The server's time; this machine's until the server was heard."""
        now = self.service.server_now_ms()
        return time.time_ns() // 1_000_000 if now is None else now

    async def run(self) -> None:
        """Until the service has stopped for good, or this is cancelled."""
        updates = self.service.updates()
        async with asyncio.TaskGroup() as group:
            fetching = group.create_task(self._fetch())
            with suppress(StoppedError):
                async for update in updates:
                    self._take(update)
            fetching.cancel()

    def _take(self, update: Update) -> None:
        if update.type is WebSocketEventType.LAGGED:
            for person in self.people.all:
                self.people.want(person.user)
        if update.type is WebSocketEventType.SUBSCRIBED:
            self._accounts = True
        self.people.take(update, self.service.users, self.now_ms())
        self._changed.set()

    async def _fetch(self) -> None:
        """The last minutes of whoever is wanted: a few users at a time."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            wanted = self.people.wanted()
            for begin in range(0, len(wanted), _AT_ONCE):
                some = wanted[begin : begin + _AT_ONCE]
                await asyncio.gather(*(self._fetch_one(user) for user in some))

    async def _fetch_one(self, user: str) -> None:
        to_ms = self.now_ms()
        await self._fetch_line(user, to_ms - KEPT_MS, to_ms)
        if self._accounts:
            await self._fetch_gaps(user, to_ms - KEPT_MS, to_ms)

    async def _fetch_line(self, user: str, from_ms: int, to_ms: int) -> None:
        read: list[Point] = []
        position: Position | None = None
        try:
            pages = self.service.history(user, HEART_RATE.name, from_ms, to_ms, limit=_PAGE)
            async for page in pages:
                # What changed between two pages is in neither for sure: the earlier one holds.
                position = position or page.position
                read += [point for series in page.series for point in points_of(series, position)]
                if len(read) >= LINE_BOUND:
                    break
        except (NotConnectedError, StoppedError):
            return
        except (RequestRefusedError, MalformedMessageError) as error:
            _log.warning("the last minutes of %s are missing: %s", user, error)
            return
        if position is not None:
            self.people.history(user, (from_ms, to_ms), read, position)

    async def _fetch_gaps(self, user: str, from_ms: int, to_ms: int) -> None:
        """Why readings are missing there: of an older server nobody knows."""
        told: list[Gap] = []
        try:
            async for page in self.service.gaps(user, from_ms=from_ms, to_ms=to_ms):
                told += page.gaps
                if len(told) >= _MOST_GAPS:
                    break
        except (NotConnectedError, StoppedError):
            return
        except (RequestRefusedError, MalformedMessageError) as error:
            _log.warning("the causes of gaps of %s are missing: %s", user, error)
            if isinstance(error, RequestRefusedError):
                self._accounts = error.code != ErrorCode.UNKNOWN_METHOD
            return
        self.people.gaps(user, told)
