"""The open outbox: lock, connection, and what memory holds of it; one user of it at a time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosqlite

from strapline_bridge.outbox.batch import Batch, Outcome
from strapline_bridge.outbox.damage import damaged, is_damage, readable
from strapline_bridge.outbox.database import check, open_database
from strapline_bridge.outbox.errors import OutboxError, OutboxReadError, OutboxUnreadableError
from strapline_bridge.outbox.ledger import Ledger, StreamRecord, existing, ranges_from_json
from strapline_bridge.outbox.lock import ProcessLock
from strapline_bridge.outbox.queries import queries
from strapline_bridge.outbox.salvage import DAMAGED, finish, salvage
from strapline_bridge.outbox.transaction import STEP_STATE, Limits, Transaction, Weights
from strapline_bridge.steps import StepState
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.series import Series


@dataclass(slots=True)
class Known:
    """What memory holds of the outbox.

    Attributes:
        steps: the last state of each step counter, as read at the start.
    """

    ledger: Ledger
    weights: Weights
    steps: Mapping[str, StepState]


@dataclass(frozen=True, slots=True)
class _Moment:
    """All records of one moment, and those to save, as they shall be after the commit."""

    ledger: Ledger
    records: Sequence[StreamRecord]


class Storage:
    """The database of one outbox. A reader waits for a running commit, never sees half of one."""

    def __init__(
        self,
        path: Path,
        lock: ProcessLock,
        connection: aiosqlite.Connection,
        known: Known,
        limits: Limits,
    ) -> None:
        self._path = path
        self._lock = lock
        self._connection = connection
        self._turn = asyncio.Lock()
        self._damaged = False
        self.limits = limits
        self._sql = queries()
        self.known = known

    @classmethod
    async def open(cls, path: Path, limits: Limits) -> Storage:
        """Lock, open, migrate, and read what memory needs.

        Raises:
            OutboxHeldError: another process has it.
            OutboxTooNewError: a newer version wrote it.
            OutboxUnreadableError: it is no outbox, is damaged, or may not be opened.
        """
        lock = await asyncio.to_thread(ProcessLock.acquire, path)
        try:
            connection, known = await _open(path)
        except BaseException:
            lock.release()
            raise
        return cls(path, lock, connection, known, limits)

    async def close(self) -> None:
        """Give the file back."""
        try:
            await self._connection.close()
        finally:
            self._lock.release()

    async def commit(self, batch: Batch, records: Iterable[StreamRecord]) -> Outcome:
        """Write a batch and bring memory up to it.

        A file that turns out to be damaged is salvaged, and the batch goes into the new one.

        Raises:
            sqlite3.Error: nothing was written.
            OutboxError: nothing was written, and no new file could be made.
        """
        known, records = self.known, list(records)
        for rejection in batch.rejected:
            # Said while an earlier commit was sending the same letters again.
            record = known.ledger[rejection.stream]
            record.dead.update(existing(rejection.ranges, record.next_seq))
        moment = self._moment(records)
        async with self._turn:
            outcome = None if self._damaged else await self._try(batch, moment)
            if outcome is None:
                lost = await self._mend()
                outcome = await self._write(batch, self._moment(records))
                for stream, numbers in lost.items():
                    outcome.holes.setdefault((stream, DAMAGED), numbers)
        known.weights = Weights(
            known.weights.pending + outcome.pending_bytes,
            known.weights.kept + outcome.kept_bytes,
            known.weights.dead + outcome.dead_letters,
        )
        for (stream, reason), numbers in outcome.holes.items():
            record = known.ledger[stream]
            # What a server has said meanwhile that it has is no hole, and would never cease to be.
            record.holes[reason] = numbers.minus(record.settled)
        for stream, numbers in outcome.returned.items():
            record = known.ledger[stream]
            record.settled = record.settled.minus(numbers)
        for stream, numbers in outcome.revived.items():
            record = known.ledger[stream]
            record.dead = record.dead.minus(numbers)
        return outcome

    def _moment(self, records: Iterable[StreamRecord]) -> _Moment:
        """What a transaction goes by: answers come while it is written.

        A number that is settled meanwhile leaves its hole. Saved without the other, either would
        leave readings that are neither here nor said to be gone.
        """
        return _Moment(
            Ledger(record.snapshot() for record in self.known.ledger),
            [record.snapshot() for record in records],
        )

    async def _try(self, batch: Batch, moment: _Moment) -> Outcome | None:
        try:
            return await self._write(batch, moment)
        except sqlite3.Error as error:
            if is_damage(error):
                return None
            raise

    async def _write(self, batch: Batch, moment: _Moment) -> Outcome:
        weights = self.known.weights
        transaction = Transaction(self._connection, moment.ledger, self.limits, weights)
        await transaction.write(batch, moment.records)
        return transaction.outcome

    async def _mend(self) -> Mapping[str, IntervalSet]:
        """Go on in a new file. What of each stream was spoilt, by the stream's id."""
        self._damaged = True
        await self._connection.close()
        try:
            await asyncio.to_thread(finish, self._path)
            if self._path.exists():
                await salvage(self._path, self.known.ledger)
            self._connection, known = await _open_sound(self._path)
        except (OSError, OutboxError) as error:
            # As any other disk that does not take it: tried again, and what waits is kept.
            raise sqlite3.OperationalError(str(error)) from error
        self._damaged = False
        self.known.weights = known.weights
        spoilt = {
            record.id: record.holes[DAMAGED] for record in known.ledger if record.holes.get(DAMAGED)
        }
        for stream, numbers in spoilt.items():
            # Memory's own record goes on: it is newer than the file's.
            self.known.ledger[stream].holes[DAMAGED] = numbers
        return spoilt

    def series(self, payload: str) -> list[Series]:
        """What a row holds; nothing where that cannot be read, which the next commit mends."""
        try:
            return readable(payload)
        except sqlite3.DatabaseError:
            self._damaged = True
            return []

    async def read(self, name: str, **parameters: Any) -> list[sqlite3.Row]:
        """The rows of a named query.

        Raises:
            OutboxReadError: the disk does not answer.
        """
        async with self._turn:
            try:
                return list(await self._connection.execute_fetchall(self._sql[name], parameters))
            except sqlite3.Error as error:
                # The next commit mends it.
                self._damaged = self._damaged or is_damage(error)
                raise OutboxReadError(str(error)) from error


async def _open(path: Path) -> tuple[aiosqlite.Connection, Known]:
    """The file, checked; a damaged one is salvaged first."""
    await asyncio.to_thread(finish, path)
    try:
        return await _open_sound(path)
    except sqlite3.Error as error:
        # Migrations have run: a table that is not there has been spoilt.
        if not is_damage(error) and error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise OutboxUnreadableError.because(path, error) from error
    except OutboxUnreadableError as error:
        if not is_damage(error.__cause__):
            raise
    try:
        await salvage(path)
        return await _open_sound(path)
    except (OSError, sqlite3.Error) as error:
        raise OutboxUnreadableError.because(path, error) from error


async def _open_sound(path: Path) -> tuple[aiosqlite.Connection, Known]:
    connection = await open_database(path)
    try:
        await check(connection)
        return connection, await _read(connection)
    except (ValueError, LookupError) as error:
        await connection.close()
        raise damaged(
            f"what is known of a stream cannot be read ({type(error).__name__})"
        ) from None
    except BaseException:
        await connection.close()
        raise


async def _read(connection: aiosqlite.Connection) -> Known:
    sql = queries()
    ledger = Ledger(
        StreamRecord.from_row(tuple(row))
        for row in await connection.execute_fetchall(sql["streams"])
    )
    by_key = ledger.by_key()
    for stream, reason, ranges in await connection.execute_fetchall(sql["holes"]):
        by_key[stream].holes[reason] = ranges_from_json(ranges)
    for (key,) in await connection.execute_fetchall(sql["empty_streams"]):
        record = by_key[key]
        if record.told and not record.pending() and not any(record.holes.values()):
            await connection.execute_fetchall(sql["forget_stream"], {"key": key})
            ledger.forget(record.id)
    (weights,) = await connection.execute_fetchall(sql["weights"])
    (dead,) = await connection.execute_fetchall(sql["dead_letter_count"])
    states = [
        STEP_STATE.validate_json(state)
        for (state,) in await connection.execute_fetchall(sql["step_states"])
    ]
    return Known(
        ledger=ledger,
        weights=Weights(pending=weights[0], kept=weights[1], dead=dead[0]),
        steps={state.device: state for state in states},
    )
