"""What is still to be sent, in bounded pages, oldest first."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from strapline_bridge.outbox.ledger import StreamRecord
from strapline_bridge.outbox.rows import Row
from strapline_bridge.outbox.storage import Storage
from strapline_protocol.intervals import Range
from strapline_protocol.publishing import Moment
from strapline_protocol.series import Series

#: Rows that one query reads: a page is at most this many, however long the backlog.
_PAGE_ROWS: Final = 128
_FIRST_ROWS: Final = 8
#: A commit makes a row for each device and metric; so many rows surely hold its earliest.
_COMMIT_ROWS: Final = 64


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in the backlog: the reading with this number of the stream with this key."""

    key: int = 0
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """Pending readings between two places.

    Attributes:
        rows: what is pending of each row there.
        next: where the next page begins.
        end: there is nothing pending behind this page, up to the place asked for.
    """

    rows: tuple[Row, ...]
    next: Place
    end: bool


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Readings that a server refused for good; their numbers adjoin.

    Attributes:
        place: where it stands among them: its stream's key and its first number.
    """

    place: Place
    stream: str
    series: Series
    code: str
    message: str

    @property
    def id(self) -> str:
        """Names it on this machine, as ``3/1201``."""
        return f"{self.place.key}/{self.place.seq}"

    @property
    def numbers(self) -> Range:
        """Its first and its last number."""
        return self.series.seq[0], sum(self.series.seq)


class Reader:
    """Reads of the outbox; each waits for a running commit."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def page(self, after: Place, until: Place, most_readings: int) -> Page:
        """Pending readings from ``after`` to before ``until``.

        Args:
            most_readings: stop at the row that reaches this many.

        Raises:
            OutboxReadError: the disk does not answer.
        """
        rows: list[Row] = []
        readings, looked, at = 0, 0, after
        for record, span in self._spans(after, until):
            async with aclosing(self._rows(record, span)) as found:
                async for end, payload in found:
                    if looked == _PAGE_ROWS or readings >= most_readings:
                        return Page(tuple(rows), at, end=False)
                    parts = (one.within([span]) for one in self._storage.series(payload))
                    new = [Row(record.id, part) for part in parts if part is not None]
                    rows += new
                    looked += 1
                    readings += sum(len(row.series) for row in new)
                    # A row may go on behind this range, with more that is pending.
                    at = Place(record.key, min(end, span[1]) + 1)
            at = Place(record.key, span[1] + 1)
        return Page(tuple(rows), max(at, until), end=True)

    async def between(self, record: StreamRecord, first: int, last: int) -> list[Series]:
        """All readings that are here of these numbers, to be sent and acknowledged ones, in order.

        Raises:
            OutboxReadError: the disk does not answer.
        """
        found: list[Series] = []
        async with aclosing(self._rows(record, (first, last))) as rows:
            async for _, payload in rows:
                parts = (one.within([(first, last)]) for one in self._storage.series(payload))
                found += [part for part in parts if part is not None]
        return found

    async def _rows(
        self, record: StreamRecord, span: Range
    ) -> AsyncGenerator[tuple[int, str], None]:
        """The last number and the payload of each row that touches these numbers, in order."""
        (first, last), limit = span, _FIRST_ROWS
        while True:
            found = await self._storage.read(
                "rows_touching", stream=record.key, first=first, last=last, limit=limit
            )
            for _, end, _, _, payload in found:
                yield end, payload
            if len(found) < limit:
                return
            # Rows that were joined are large, and few of them fill a page; single ones are not.
            first, limit = found[-1][1] + 1, min(2 * limit, _PAGE_ROWS)

    def _spans(self, after: Place, until: Place) -> Iterator[tuple[StreamRecord, Range]]:
        """Runs of pending numbers between two places, in order."""
        for record in list(self._storage.known.ledger):
            if not after.key <= record.key <= until.key:
                continue
            low = after.seq if record.key == after.key else 0
            high = until.seq - 1 if record.key == until.key else record.next_seq - 1
            for first, last in record.pending():
                if first <= high and last >= low:
                    yield record, (max(first, low), min(last, high))

    async def oldest_pending(self) -> Moment | None:
        """No pending reading is from before this moment of its stream, nor in an earlier stream.

        Raises:
            OutboxReadError: the disk does not answer.
        """
        for record in self._storage.known.ledger:
            pending = record.pending()
            if pending:
                rows = await self._storage.read(
                    "rows_touching_times",
                    stream=record.key,
                    first=pending[0][0],
                    limit=_COMMIT_ROWS,
                )
                if rows:
                    return Moment(stream=record.id, elapsed_ms=min(row[0] for row in rows))
        return None

    async def latest_kept(self, store: str, before: int) -> StreamRecord | None:
        """The latest stream with a key below this of which rows are kept that ``store`` has.

        Raises:
            OutboxReadError: the disk does not answer.
        """
        rows = await self._storage.read("latest_kept_stream", store=store, before=before)
        return self._storage.known.ledger.by_key().get(rows[0][0]) if rows else None

    async def dead_letters(self, most: int, after: Place) -> list[DeadLetter]:
        """The first dead letters from a place on.

        Raises:
            OutboxReadError: the disk does not answer.
        """
        rows = await self._storage.read("dead_letters", key=after.key, seq=after.seq, limit=most)
        return [
            DeadLetter(Place(key, first), stream, series, code, message)
            for stream, key, first, _, code, message, payload in rows
            for series in self._storage.series(payload)
        ]
