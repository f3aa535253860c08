"""The open outbox: lock, connection, and what memory holds of it; one user of it at a time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosqlite

from strapline_bridge.outbox.batch import Batch, Outcome
from strapline_bridge.outbox.database import open_database
from strapline_bridge.outbox.errors import OutboxReadError, OutboxUnreadableError
from strapline_bridge.outbox.ledger import Ledger, StreamRecord, ranges_from_json
from strapline_bridge.outbox.lock import ProcessLock
from strapline_bridge.outbox.queries import queries
from strapline_bridge.outbox.transaction import STEP_STATE, Limits, Transaction, Weights
from strapline_bridge.steps import StepState


@dataclass(slots=True)
class Known:
    """What memory holds of the outbox.

    Attributes:
        steps: the last state of each step counter, as read at the start.
    """

    ledger: Ledger
    weights: Weights
    steps: Mapping[str, StepState]


class Storage:
    """The database of one outbox. A reader waits for a running commit, never sees half of one."""

    def __init__(
        self, lock: ProcessLock, connection: aiosqlite.Connection, known: Known, limits: Limits
    ) -> None:
        self._lock = lock
        self._connection = connection
        self._turn = asyncio.Lock()
        self._limits = limits
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
            connection = await open_database(path)
        except BaseException:
            lock.release()
            raise
        try:
            known = await _read(connection)
        except sqlite3.Error as error:
            await connection.close()
            lock.release()
            raise OutboxUnreadableError.because(path, error) from error
        except BaseException:
            await connection.close()
            lock.release()
            raise
        return cls(lock, connection, known, limits)

    async def close(self) -> None:
        """Give the file back."""
        try:
            await self._connection.close()
        finally:
            self._lock.release()

    async def commit(self, batch: Batch, records: Iterable[StreamRecord]) -> Outcome:
        """Write a batch and bring memory up to it.

        Raises:
            sqlite3.Error: nothing was written.
        """
        known = self.known
        async with self._turn:
            transaction = Transaction(self._connection, known.ledger, self._limits, known.weights)
            await transaction.write(batch, records)
        outcome = transaction.outcome
        known.weights = Weights(
            known.weights.pending + outcome.pending_bytes,
            known.weights.kept + outcome.kept_bytes,
            known.weights.dead + outcome.dead_letters,
        )
        for (stream, reason), numbers in outcome.holes.items():
            known.ledger[stream].holes[reason] = numbers
        for stream, numbers in outcome.returned.items():
            record = known.ledger[stream]
            record.settled = record.settled.minus(numbers)
        return outcome

    async def read(self, name: str, **parameters: Any) -> list[sqlite3.Row]:
        """The rows of a named query.

        Raises:
            OutboxReadError: the disk does not answer.
        """
        async with self._turn:
            try:
                return list(await self._connection.execute_fetchall(self._sql[name], parameters))
            except sqlite3.Error as error:
                raise OutboxReadError(str(error)) from error


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
