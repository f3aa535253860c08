"""The two lanes: what was just committed, and what waited longer; each with a bound.

Everything pending is either behind the backlog's cursor, in the live lane, or under way. While
a socket is slow, committed readings gather in the live lane and leave together; past its bound
the oldest of them move into the backlog, where they cost no memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from strapline_bridge.outbox import Outbox, Place, Row
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.publishing import MOST_SERIES

_LIVE_READINGS: Final = 2_000
_PAGE_READINGS: Final = 2_000


class Lanes:
    """What one connection has still to send.

    Attributes:
        overflowed: readings that moved from the live lane into the backlog.
    """

    def __init__(self, outbox: Outbox, live_readings: int = _LIVE_READINGS) -> None:
        self._outbox = outbox
        self._live: deque[Row] = deque()
        self._live_count = 0
        self._live_bound = live_readings
        self._cursor = Place()
        self._until = outbox.behind()
        self._page: deque[Row] = deque()
        self.overflowed = 0

    def committed(self, rows: Sequence[Row]) -> None:
        """New readings are safe: they are the present."""
        for row in rows:
            self._live.append(row)
            self._live_count += len(row.series)
        while self._live_count > self._live_bound and len(self._live) > 1:
            row = self._live.popleft()
            self._live_count -= len(row.series)
            self.overflowed += len(row.series)
            self._until = max(self._until, self._behind(row))

    def returned(self, stream: str, numbers: IntervalSet) -> None:
        """These are pending again: the backlog begins with them, if they were passed already."""
        record = self._outbox.record(stream)
        ranges = numbers.ranges()
        if record is None or not ranges:
            return
        self._cursor = min(self._cursor, Place(record.key, ranges[0][0]))
        self._until = max(self._until, Place(record.key, ranges[-1][1] + 1))
        self._page.clear()

    def live(self, room: int) -> tuple[str, list[Row]] | None:
        """The oldest of the present, of one stream, at most ``room`` readings."""
        taken = _take(self._live, room)
        self._live_count -= sum(len(row.series) for row in taken)
        return (taken[0].stream, taken) if taken else None

    async def backlog(
        self, room: Callable[[], int], may_send: Callable[[str], IntervalSet | None]
    ) -> tuple[str, list[Row]] | None:
        """The oldest of the past, of one stream, at most ``room`` readings.

        Args:
            room: asked after each reading of the disk, since answers come meanwhile.
            may_send: what of a stream is under way already; None while the server has not
                yet said what it holds of it.
        """
        while room() > 0:
            if not self._page and not await self._read():
                return None
            under_way = may_send(self._page[0].stream)
            if under_way is None:
                return None
            taken = self._pending(_take(self._page, room()), under_way)
            if taken:
                return taken[0].stream, taken
        return None

    def put_back(self, rows: Sequence[Row], *, live: bool) -> None:
        """These did not fit after all."""
        if live:
            self._live.extendleft(reversed(rows))
            self._live_count += sum(len(row.series) for row in rows)
        else:
            self._page.extendleft(reversed(rows))

    @property
    def drained(self) -> bool:
        """Nothing of the past is left to send, as far as was read."""
        return not self._page and self._cursor >= self._until

    async def _read(self) -> bool:
        """Fill the page; False when the backlog is at its end."""
        while not self._page and self._cursor < self._until:
            page = await self._outbox.page(self._cursor, self._until, _PAGE_READINGS)
            self._page.extend(page.rows)
            self._cursor = page.next
        return bool(self._page)

    def _pending(self, rows: Sequence[Row], under_way: IntervalSet) -> list[Row]:
        """What of these rows is still to be sent: an answer may have come since they were read."""
        record = self._outbox.record(rows[0].stream) if rows else None
        if record is None:
            return []
        done = record.accounted()
        done.update(under_way)
        parts = []
        for row in rows:
            part = row.series.within(done.missing(row.first_seq, row.last_seq))
            if part is not None:
                parts.append(Row(row.stream, part))
        return parts

    def _behind(self, row: Row) -> Place:
        record = self._outbox.record(row.stream)
        return Place(record.key, row.last_seq + 1) if record else Place()


def _take(rows: deque[Row], room: int) -> list[Row]:
    """Rows of the first one's stream, as many as fit; one that fits in part is divided."""
    taken: list[Row] = []
    while rows and room > 0 and len(taken) < MOST_SERIES:
        row = rows[0]
        if taken and row.stream != taken[0].stream:
            break
        rows.popleft()
        length = len(row.series)
        if length > room:
            rows.appendleft(Row(row.stream, row.series.take(range(room, length))))
            row = Row(row.stream, row.series.take(range(room)))
        taken.append(row)
        room -= len(row.series)
    return taken
