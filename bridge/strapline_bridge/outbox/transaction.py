"""One group commit: new rows, what was accounted for, and the size bound, all or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiosqlite
from pydantic import TypeAdapter

from strapline_bridge.outbox.batch import Batch, Growth, Joining, Outcome, Rejection, Settlement
from strapline_bridge.outbox.damage import readable
from strapline_bridge.outbox.ledger import Ledger, StreamRecord, ranges_to_json
from strapline_bridge.outbox.letters import LetterWork
from strapline_bridge.outbox.queries import queries
from strapline_bridge.outbox.rows import letter_values, merged, row_values
from strapline_bridge.steps import StepState
from strapline_protocol.intervals import IntervalSet, Range
from strapline_protocol.series import LONGEST_SERIES, Series

#: REJECTED with this code: the user is erased, here too.
ERASED: Final = "erased"
#: Why the size bound made a hole.
SIZE_BOUND: Final = "sizeBound"
#: What a row costs beside its payload, about; the queries add the same.
ROW_OVERHEAD: Final = 64
#: One eviction makes room for a while, so that not every commit evicts.
_SLACK: Final = 32
_PAGE: Final = 256
#: Fewer small rows than this are not worth it; together they stay far below a message's size.
_FEWEST_JOINED: Final = 8
_LARGEST_JOINED: Final = 512 * 1_024
STEP_STATE: Final[TypeAdapter[StepState]] = TypeAdapter(StepState)


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an outbox may grow.

    Attributes:
        most_bytes: rows of all kinds together. At this bound acknowledged rows go first, then
            the oldest readings, which are then said to be missing.
        kept_bytes: acknowledged rows, kept for a server that comes back from a backup.
        dead_letters: readings that a server refused; the oldest of them go first.
        join_rows: so many small rows are joined at a time; a third as many of the newest numbers
            are left as they are, being under way: what is not acknowledged alike stays apart.
    """

    most_bytes: int = 512 * 2**20
    kept_bytes: int = 64 * 2**20
    dead_letters: int = 100_000
    join_rows: int = 768


@dataclass(frozen=True, slots=True)
class Weights:
    """Bytes of the rows, still to be sent and acknowledged; and how many readings are dead."""

    pending: int
    kept: int
    dead: int


class Transaction:
    """Writes one batch. Memory is changed by the caller, from :attr:`outcome`, after the commit."""

    def __init__(
        self, connection: aiosqlite.Connection, ledger: Ledger, limits: Limits, weights: Weights
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._limits = limits
        self._weights = weights
        self._sql = queries()
        self.outcome = Outcome()

    async def write(self, batch: Batch, records: Iterable[StreamRecord]) -> None:
        """Begin, write, commit; on any failure nothing is written.

        Args:
            records: the streams whose row is to be saved, as it shall be after the commit.

        Raises:
            sqlite3.Error: the disk is full, read-only, gone, or locked by somebody else.
        """
        await self._connection.execute_fetchall("BEGIN IMMEDIATE")
        try:
            await self._write(batch, {record.id: record for record in records})
            await self._connection.execute_fetchall("COMMIT")
        except BaseException:
            await self._roll_back()
            raise

    async def _roll_back(self) -> None:
        # Some errors (a full disk for one) have rolled back already: sqlite.org/lang_transaction.
        if self._connection.in_transaction:
            await self._connection.rollback()

    async def _write(self, batch: Batch, records: Mapping[str, StreamRecord]) -> None:
        await self._save_streams(records.values())
        if batch.growth:
            await self._grow(batch.growth, records)
        for settlement in batch.settled:
            await self._settle(settlement)
        for rejection in batch.rejected:
            await self._reject(rejection)
        for lacking in batch.lacking:
            await self._take_back(lacking)
        letters = LetterWork(self._connection, self.outcome)
        for handling in batch.letters:
            await letters.handle(handling, self._ledger[handling.stream])
        if batch.joining is not None:
            await self._join(self._ledger[batch.joining.stream], batch.joining)
        await self._keep_within_bounds()

    async def _grow(self, growth: Growth, records: Mapping[str, StreamRecord]) -> None:
        if growth.rows:
            record = records[growth.rows[0].stream]
            await self._insert(record, [[row.series] for row in growth.rows])
        # Of several states of one device the last counts, as it does for the statement.
        states = [
            {"device": state.device, "state": STEP_STATE.dump_json(state).decode()}
            for state in {state.device: state for state in growth.steps}.values()
        ]
        await self._many("save_step_state", states)

    async def _save_streams(self, records: Iterable[StreamRecord]) -> None:
        rows = list(records)
        await self._many("save_stream", [record.to_row() for record in rows])
        for record in rows:
            for reason, numbers in record.holes.items():
                await self._save_hole(record, reason, numbers)

    async def _save_hole(self, record: StreamRecord, reason: str, numbers: IntervalSet) -> None:
        key = {"stream": record.key, "reason": reason}
        if numbers:
            await self._all("save_hole", {**key, "ranges": ranges_to_json(numbers)})
        else:
            await self._all("delete_hole", key)

    async def _insert(
        self, record: StreamRecord, found: Iterable[Sequence[Series]], store: str | None = None
    ) -> None:
        rows = [row_values(series, record.key, store) for series in found]
        await self._many("insert_row", rows)
        weight = sum(len(str(row["payload"])) + ROW_OVERHEAD for row in rows)
        self._weigh(weight, kept=store is not None)

    async def _settle(self, settlement: Settlement) -> None:
        record = self._ledger[settlement.stream]
        runs = record.settled.ranges()
        for first, last in settlement.numbers:
            low, high = next(run for run in runs if run[0] <= first <= run[1])
            weights = await self._all(
                "settle_rows",
                {
                    "stream": record.key,
                    "store": settlement.store,
                    "first": first,
                    "last": last,
                    "low": low,
                    "high": high,
                },
            )
            moved = sum(row[0] for row in weights)
            self._weigh(-moved)
            self._weigh(moved, kept=True)

    async def _reject(self, rejection: Rejection) -> None:
        record = self._ledger[rejection.stream]
        numbers = IntervalSet(rejection.ranges)
        for first, last in numbers:
            rows = await self._touching("rows_touching", record, first, last)
            for row in rows:
                await self._split(record, row, numbers, rejection)
            if rejection.code == ERASED:
                await self._erase_dead_letters(record, numbers, first, last)

    async def _split(
        self,
        record: StreamRecord,
        row: sqlite3.Row,
        numbers: IntervalSet,
        rejection: Rejection,
    ) -> None:
        """Take rejected numbers out of a row, and what is left of it back in."""
        first, last, weight, store, payload = row
        series = readable(payload)
        await self._all("delete_row", {"stream": record.key, "first_seq": first})
        self._weigh(-weight, kept=store is not None)
        rest = numbers.missing(first, last)
        await self._insert(record, _parts(series, rest), store)
        if rejection.code == ERASED:
            return
        refused = IntervalSet([(first, last)]).minus(IntervalSet(rest))
        letters = [letter for part in _parts(series, refused) for letter in _runs(part)]
        await self._save_dead_letters(record, letters, rejection.code, rejection.message)

    async def _save_dead_letters(
        self, record: StreamRecord, letters: list[Series], code: str, message: str
    ) -> None:
        await self._many(
            "insert_dead_letter",
            [letter_values(letter, record.key, code, message) for letter in letters],
        )
        self.outcome.dead_letters += sum(map(len, letters))

    async def _erase_dead_letters(
        self, record: StreamRecord, numbers: IntervalSet, first: int, last: int
    ) -> None:
        for row in await self._touching("dead_letters_touching", record, first, last):
            begin, end, _, code, payload = row
            await self._all("delete_dead_letter", {"stream": record.key, "first_seq": begin})
            series = readable(payload)
            self.outcome.dead_letters -= sum(map(len, series))
            rest = _parts(series, numbers.missing(begin, end))
            letters = [letter for part in rest for letter in part]
            await self._save_dead_letters(record, letters, code, "")

    async def _join(self, record: StreamRecord, joining: Joining) -> None:
        """Small rows that adjoin become large ones: the same readings in a tenth of the bytes."""
        group: list[sqlite3.Row] = []
        rows = await self._touching("rows_touching", record, joining.first, joining.last)
        for row in rows:
            if group and not _adjoins(group, row):
                await self._join_group(record, group)
                group = []
            group.append(row)
        await self._join_group(record, group)

    async def _join_group(self, record: StreamRecord, group: Sequence[sqlite3.Row]) -> None:
        if len(group) < _FEWEST_JOINED:
            return
        store = group[0][3]
        series = merged([one for row in group for one in readable(row[4])])
        await self._many(
            "delete_row", [{"stream": record.key, "first_seq": row[0]} for row in group]
        )
        self._weigh(-sum(row[2] for row in group), kept=store is not None)
        await self._insert(record, [series], store)

    async def _take_back(self, lacking: Settlement) -> None:
        """A store holds less than it has acknowledged: what is still here is sent again."""
        record = self._ledger[lacking.stream]
        back = IntervalSet()
        for first, last in lacking.numbers:
            await self._return(record, first, last, lacking.store, back)
        if back:
            self.outcome.returned.setdefault(record.id, IntervalSet()).update(back)
            settled = record.settled.minus(back)
            key = {"key": record.key, "settled": ranges_to_json(settled)}
            await self._all("save_settled", key)

    async def _return(
        self, record: StreamRecord, first: int, last: int, store: str, back: IntervalSet
    ) -> None:
        """What is here of [first, last] and was acknowledged by this store."""
        while first <= last:
            rows = await self._touching("rows_touching", record, first, last, _PAGE)
            kept = []
            for begin, end, weight, by, _ in rows:
                # A row of which a part is still to be sent has no store; its other part is here.
                if by not in (store, None):
                    continue
                back.add(max(begin, first), min(end, last))
                if by is not None:
                    kept.append({"stream": record.key, "first_seq": begin})
                    self._weigh(-weight, kept=True)
                    self._weigh(weight)
            await self._many("return_row", kept)
            if len(rows) < _PAGE:
                return
            first = rows[-1][1] + 1

    async def _keep_within_bounds(self) -> None:
        limits = self._limits
        kept = self._weights.kept + self.outcome.kept_bytes
        pending = self._weights.pending + self.outcome.pending_bytes
        room = max(0, min(limits.kept_bytes, limits.most_bytes - pending))
        if kept > room:
            await self._delete_kept(kept - room + room // _SLACK)
        dead = self._weights.dead + self.outcome.dead_letters
        if dead > limits.dead_letters:
            await self._delete_dead(dead - limits.dead_letters)
        if pending > limits.most_bytes:
            await self._evict(pending - limits.most_bytes + limits.most_bytes // _SLACK)

    async def _delete_kept(self, to_free: int) -> None:
        while to_free > 0:
            rows = await self._all("oldest_kept", {"limit": _PAGE})
            if not rows:
                return
            doomed = []
            for stream, first_seq, weight in rows:
                if to_free <= 0:
                    break
                doomed.append({"stream": stream, "first_seq": first_seq})
                to_free -= weight
                self._weigh(-weight, kept=True)
            await self._many("delete_row", doomed)

    async def _delete_dead(self, readings: int) -> None:
        while readings > 0:
            doomed = []
            for stream, first, last in await self._all("oldest_dead_letters", {"limit": _PAGE}):
                if readings > 0:
                    doomed.append({"stream": stream, "first_seq": first})
                    readings -= last - first + 1
                    self.outcome.dead_letters -= last - first + 1
            await self._many("delete_dead_letter", doomed)
            if not doomed:
                return

    async def _evict(self, to_free: int) -> None:
        """Discard the oldest readings, each with a record of it."""
        for record in self._ledger:
            hole = record.holes.get(SIZE_BOUND, IntervalSet()).copy()
            before = len(hole)
            for first, last in record.pending():
                if to_free > 0:
                    to_free = await self._evict_range(record, first, last, hole, to_free)
            if len(hole) > before:
                self.outcome.holes[record.id, SIZE_BOUND] = hole
                await self._save_hole(record, SIZE_BOUND, hole)
            if to_free <= 0:
                return

    async def _evict_range(
        self, record: StreamRecord, first: int, last: int, hole: IntervalSet, to_free: int
    ) -> int:
        accounted = record.accounted()
        while to_free > 0:
            rows = await self._touching("rows_touching", record, first, last, _PAGE)
            doomed = []
            for begin, end, weight, _, _ in rows:
                if to_free <= 0:
                    break
                doomed.append({"stream": record.key, "first_seq": begin})
                hole.update(accounted.missing(begin, end))
                to_free -= weight
                self._weigh(-weight)
            await self._many("delete_row", doomed)
            if len(rows) < _PAGE:
                break
        return to_free

    async def _touching(
        self, name: str, record: StreamRecord, first: int, last: int, limit: int = -1
    ) -> list[sqlite3.Row]:
        key = {"stream": record.key, "first": first, "last": last, "limit": limit}
        return await self._all(name, key)

    async def _all(self, name: str, parameters: Mapping[str, Any]) -> list[sqlite3.Row]:
        return list(await self._connection.execute_fetchall(self._sql[name], parameters))

    async def _many(self, name: str, parameters: Sequence[Mapping[str, object]]) -> None:
        if parameters:
            await self._connection.executemany(self._sql[name], parameters)

    def _weigh(self, weight: int, *, kept: bool = False) -> None:
        if kept:
            self.outcome.kept_bytes += weight
        else:
            self.outcome.pending_bytes += weight


def _adjoins(group: Sequence[sqlite3.Row], row: sqlite3.Row) -> bool:
    """Whether a row may be joined with those before it."""
    (_, last, _, store, _), first = group[-1], group[0][0]
    together = sum(one[2] for one in group) + row[2]
    return bool(
        row[0] == last + 1
        and row[3] == store
        and row[1] - first < LONGEST_SERIES
        and together <= _LARGEST_JOINED
    )


def _parts(series: Sequence[Series], ranges: Iterable[Range]) -> list[list[Series]]:
    """What of a row lies in each of these ranges; together a row's numbers have no holes."""
    parts = ([one.within([span]) for one in series] for span in ranges)
    found = ([one for one in part if one is not None] for part in parts)
    return [part for part in found if part]


def _runs(series: Iterable[Series]) -> list[Series]:
    """The same without holes in the numbers of any."""
    parts = (one.within([span]) for one in series for span in one.ranges())
    return [part for part in parts if part is not None]
