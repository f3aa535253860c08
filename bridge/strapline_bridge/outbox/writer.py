"""The one task that writes: a commit starts when none is running, with all that came meanwhile."""

from __future__ import annotations

import asyncio
import logging
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from pydantic import ValidationError

from strapline_bridge.inbox import Inbox
from strapline_bridge.intake import Arrived
from strapline_bridge.outbox.batch import Batch, Growth, Joining, Outcome
from strapline_bridge.outbox.ledger import StreamRecord
from strapline_bridge.outbox.observer import OutboxObserver
from strapline_bridge.outbox.rows import elapsed_ms, rows_of
from strapline_bridge.outbox.storage import Storage
from strapline_bridge.outbox.zero import ClockMoment, first_zero
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.publishing import Ended

_log = logging.getLogger(__name__)

#: The hole of readings for which there was no room even in memory, while the disk stood still.
NOT_STORED: Final = "notStored"
#: An acknowledgement that is not yet noted costs at most a repeat: it waits for company.
_SETTLE_WITHIN_S: Final = 1.0
#: Where nothing is stored for so long, a commit says that this run still lives.
ALIVE_EVERY_S: Final = 60.0
_FIRST_RETRY_S: Final = 0.25
_LONGEST_RETRY_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Run:
    """This run of the bridge process.

    Attributes:
        boot_id: which boot of this machine; boot clocks of different boots have nothing in common.
        zero_ns: boot clock at the start of the process.
    """

    boot_id: str
    zero_ns: int


@dataclass(slots=True)
class Counters:
    """What the writer has done since it started.

    Attributes:
        readings: stored.
        refused: readings that no message may carry: a decoder's fault.
        failed: attempts to commit that the disk refused.
    """

    readings: int = 0
    commits: int = 0
    refused: int = 0
    failed: int = 0


class Writer:
    """Takes what arrives and what is accounted for, and commits it in groups.

    Attributes:
        fault: why nothing can be stored just now, or None.
        changes: for the next commit; whoever changes a record notes it here.
    """

    def __init__(
        self,
        storage: Storage,
        run: Run,
        read_clock: Callable[[], ClockMoment],
        observers: Sequence[OutboxObserver],
        interval_s: float = 0.0,
        inbox: Inbox[Arrived] | None = None,
        alive_every_s: float = ALIVE_EVERY_S,
    ) -> None:
        self._storage = storage
        self._run = run
        self._read_clock = read_clock
        self._observers = observers
        self._interval_s = interval_s
        self._alive_every_s = alive_every_s
        self._inbox = Inbox[Arrived]() if inbox is None else inbox
        self._unstored_said = 0
        self._wake = asyncio.Event()
        self._urgent = asyncio.Event()
        self._closing = False
        self._over = False
        self._next_commit_s = 0.0
        self._single_rows = 0
        self._joined_to = 0
        self._timer: asyncio.TimerHandle | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self.own: StreamRecord | None = None
        self.changes = Batch()
        self.fault: str | None = None
        self.counters = Counters()

    @property
    def waiting(self) -> int:
        """Readings in memory that no commit has taken yet."""
        return len(self._inbox)

    @property
    def unstored(self) -> int:
        """Readings that were lost because the disk stood still for too long."""
        return self._inbox.dropped

    def put(self, arrived: Arrived) -> None:
        """Take a reading, at once; the next commit stores it."""
        self._inbox.put(arrived)
        self._wake.set()

    def changed(self) -> None:
        """Something was added to :attr:`changes`; it goes with the next readings, or on its own."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_SETTLE_WITHIN_S, self._wake.set)

    async def flush(self) -> None:
        """Return once all that was given so far is durable."""
        if self._over:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._urgent.set()
        self._wake.set()
        await waiter

    def close(self) -> None:
        """Let :meth:`run` end once all is written."""
        self._closing = True
        self._urgent.set()
        self._wake.set()

    async def run(self) -> None:
        """Commit until closed."""
        try:
            while not self._closing:
                await self._woken()
                await self._pace()
                await self._step()
            await self._step()
            self.end_stream()
            await self._step()
        finally:
            self._over = True
            if self._timer is not None:
                self._timer.cancel()
            for waiter in self._waiters:
                waiter.cancel()

    def end_stream(self, at_ns: int | None = None) -> None:
        """This run has said its last reading; harmless when said twice."""
        own = self.own
        if own is None or own.ended is not None or not self._is_stored(own):
            return
        at_ns = self._read_clock().boot_ns if at_ns is None else at_ns
        at_ms = elapsed_ms(at_ns, own.zero_ns)
        own.ended = Ended(elapsed_ms=max(at_ms, own.last_elapsed_ms), clean=True)
        own.told = False
        self.changes.touched.add(own.id)
        for observer in self._observers:
            observer.changed(own.id)

    async def _woken(self) -> None:
        """Wait for something to write, or until it is time to say that this run lives."""
        try:
            async with asyncio.timeout(self._alive_every_s):
                await self._wake.wait()
        except TimeoutError:
            own = self.own
            if own is not None and own.ended is None and self._is_stored(own):
                self.changes.touched.add(own.id)

    def _is_stored(self, own: StreamRecord) -> bool:
        return self._storage.known.ledger.get(own.id) is not None

    async def _step(self) -> None:
        self._wake.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiters, self._waiters = self._waiters, []
        batch, self.changes = self.changes, Batch()
        batch.growth = self._grow()
        batch.joining = self._joinable()
        try:
            if batch:
                await self._commit(batch)
        finally:
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    async def _pace(self) -> None:
        """With an interval set, a commit follows the last only so much later, or at a flush."""
        if self._interval_s and not self._urgent.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._next_commit_s):
                    await self._urgent.wait()
        self._urgent.clear()
        self._next_commit_s = asyncio.get_running_loop().time() + self._interval_s

    def _grow(self) -> Growth | None:
        arrivals = self._inbox.take_now()
        unstored = self._inbox.dropped - self._unstored_said
        self._unstored_said = self._inbox.dropped
        if not arrivals and not unstored:
            return None
        own = self.own = self.own or self._begin_stream()
        first = own.next_seq + unstored
        growth = self._rows(arrivals, own, first)
        if unstored:
            growth = replace(growth, unstored=(own.next_seq, first - 1))
        return growth

    def _joinable(self) -> Joining | None:
        """What of this run's rows has been there for a while, once it is worth joining."""
        own = self.own
        enough = self._storage.limits.join_rows
        if own is None or self._single_rows < enough:
            return None
        last = own.next_seq - 1 - enough // 3
        return Joining(own.id, self._joined_to, last) if last >= self._joined_to else None

    def _begin_stream(self) -> StreamRecord:
        return StreamRecord(
            key=self._storage.known.ledger.next_key(),
            id=secrets.token_urlsafe(16),
            boot_id=self._run.boot_id,
            zero_ns=self._run.zero_ns,
            zero=first_zero(self._read_clock(), self._run.zero_ns),
        )

    def _rows(self, arrivals: Sequence[Arrived], own: StreamRecord, first: int) -> Growth:
        place = {"stream": own.id, "next_seq": first, "zero_ns": own.zero_ns}
        try:
            rows = rows_of(arrivals, **place)  # type: ignore[arg-type]  # as named above
        except ValidationError:
            arrivals = self._storable(arrivals, own)
            rows = rows_of(arrivals, **place)  # type: ignore[arg-type]  # as named above
        latest = max((one.boot_ns for one in arrivals), default=own.zero_ns)
        return Growth(
            rows=tuple(rows),
            steps=tuple(one.step_state for one in arrivals if one.step_state is not None),
            next_seq=first + len(arrivals),
            last_elapsed_ms=max(own.last_elapsed_ms, elapsed_ms(latest, own.zero_ns)),
            unstored=None,
        )

    def _storable(self, arrivals: Iterable[Arrived], own: StreamRecord) -> list[Arrived]:
        """Without those that no series may hold, so that one spoils none of its neighbours."""
        good: list[Arrived] = []
        for one in arrivals:
            try:
                rows_of([one], stream=own.id, next_seq=0, zero_ns=own.zero_ns)
            except ValidationError as error:
                self.counters.refused += 1
                _log.error(  # without the traceback, which would hold the reading
                    "a reading of %s is refused: %s", one.reading.metric, error.errors()[0]["type"]
                )
            else:
                good.append(one)
        return good

    async def _commit(self, batch: Batch) -> None:
        outcome = await self._commit_patiently(batch)
        if outcome is None:
            return
        self._stored(batch)
        for settlement in batch.settled:
            for observer in self._observers:
                observer.acknowledged(settlement.stream, settlement.numbers)
        for stream, numbers in outcome.returned.items():
            for observer in self._observers:
                observer.returned(stream, numbers)
        for stream, _ in outcome.holes:
            for observer in self._observers:
                observer.changed(stream)

    async def _commit_patiently(self, batch: Batch) -> Outcome | None:
        """Commit, however long the disk refuses; None when closing ends the patience."""
        delay_s = _FIRST_RETRY_S
        while True:
            try:
                return await self._storage.commit(batch, self._records(batch))
            except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
                raise  # a bug of ours, which no patience mends
            except sqlite3.Error as error:
                self._not_storing(error, batch)
            if self._closing:
                return None
            await self._rest(delay_s)
            delay_s = min(delay_s * 2, _LONGEST_RETRY_S)

    def _records(self, batch: Batch) -> list[StreamRecord]:
        """The streams to save, as they shall be once the batch is committed."""
        ledger = self._storage.known.ledger
        records = [ledger[stream] for stream in batch.touched]
        own, growth = self.own, batch.growth
        if own is None or (growth is None and not self._is_stored(own)):
            return records
        own.alive_ms = max(own.alive_ms, elapsed_ms(self._read_clock().boot_ns, own.zero_ns))
        if growth is None:
            # Every commit says that this run lives, whatever else it is about.
            return records if own.id in batch.touched else [*records, own]
        grown = replace(own, next_seq=growth.next_seq, last_elapsed_ms=growth.last_elapsed_ms)
        if growth.unstored is not None:
            hole = own.holes.get(NOT_STORED, IntervalSet()).copy()
            hole.add(*growth.unstored)
            grown.holes = {**own.holes, NOT_STORED: hole}
        return [record for record in records if record.id != own.id] + [grown]

    def _stored(self, batch: Batch) -> None:
        if self.fault is not None:
            _log.warning("readings are stored again")
            self.fault = None
        self.counters.commits += 1
        own, growth = self.own, batch.growth
        if own is None or growth is None:
            return
        own.next_seq = growth.next_seq
        own.last_elapsed_ms = growth.last_elapsed_ms
        if growth.unstored is not None:
            own.holes.setdefault(NOT_STORED, IntervalSet()).add(*growth.unstored)
        ledger = self._storage.known.ledger
        if ledger.get(own.id) is None:
            ledger.add(own)
        self._single_rows += len(growth.rows)
        if batch.joining is not None:
            self._joined_to, self._single_rows = batch.joining.last + 1, 0
        self.counters.readings += sum(len(row.series) for row in growth.rows)
        for observer in self._observers:
            observer.committed(growth.rows)
            if growth.unstored is not None:
                observer.changed(own.id)

    def _not_storing(self, error: sqlite3.Error, batch: Batch) -> None:
        self.counters.failed += 1
        if self.fault != str(error):
            self.fault = str(error)
            _log.error(
                "readings cannot be stored: %s. %d wait in memory, and nothing is acknowledged; "
                "make room on the disk or make it writable",
                error,
                sum(len(row.series) for row in batch.rows) + self.waiting,
            )

    async def _rest(self, delay_s: float) -> None:
        """Wait before the next attempt, but not when closing."""
        with suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                while not self._closing:
                    await self._urgent.wait()
                    self._urgent.clear()
