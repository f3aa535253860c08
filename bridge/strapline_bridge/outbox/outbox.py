"""The outbox: a reading is safe once its group commit returns, and stays until a server has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from strapline_bridge.inbox import Inbox
from strapline_bridge.intake import Arrived
from strapline_bridge.outbox.batch import Handling, Rejection, Settlement
from strapline_bridge.outbox.ledger import StreamRecord, existing
from strapline_bridge.outbox.observer import OutboxObserver
from strapline_bridge.outbox.reader import DeadLetter, Page, Place, Reader
from strapline_bridge.outbox.storage import Storage
from strapline_bridge.outbox.transaction import Limits
from strapline_bridge.outbox.writer import ALIVE_EVERY_S, Counters, Run, Writer
from strapline_bridge.outbox.zero import ClockMoment, corrected
from strapline_bridge.steps import StepState
from strapline_protocol.intervals import IntervalSet, Range
from strapline_protocol.publishing import Ended, Moment, Rejected, Stream
from strapline_protocol.series import Series

#: How long closing waits for a disk that does not answer.
_CLOSE_WITHIN_S: Final = 3.0
#: Dead letters that one commit handles.
_LETTERS: Final = 64


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """How the outbox stands.

    Attributes:
        pending: readings that no server has accounted for.
        waiting: readings in memory, not stored yet.
        unstored: readings lost in memory while the disk stood still.
        dead_letters: readings that a server refused.
        bytes: rows of all kinds.
        fault: why nothing can be stored just now, or None.
    """

    pending: int
    waiting: int
    unstored: int
    dead_letters: int
    bytes: int
    fault: str | None
    counters: Counters


class Outbox:
    """All readings that a server has not accounted for, and some that it has.

    Made by :meth:`open`, used by one run of the process. What it is told of a server's answers
    holds in memory at once and on disk a moment later; dying in between costs a repeat.
    """

    def __init__(
        self,
        storage: Storage,
        run: Run,
        read_clock: Callable[[], ClockMoment],
        observers: Iterable[OutboxObserver],
        interval_s: float,
        inbox: Inbox[Arrived] | None,
        alive_every_s: float,
    ) -> None:
        self._storage = storage
        self._run = run
        self._observers = list(observers)
        self._writer = Writer(
            storage, run, read_clock, self._observers, interval_s, inbox, alive_every_s
        )
        self._reader = Reader(storage)
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        path: Path,
        run: Run,
        read_clock: Callable[[], ClockMoment],
        *,
        limits: Limits | None = None,
        observers: Iterable[OutboxObserver] = (),
        interval_ms: int = 0,
        inbox: Inbox[Arrived] | None = None,
        alive_every_s: float = ALIVE_EVERY_S,
    ) -> Self:
        """Open or create the outbox, and start its writer.

        Args:
            path: of the database; the lock file stands beside it.
            run: this run of the process, the only one that adds to its stream.
            read_clock: both clocks at this moment, for the time of a new stream.
            interval_ms: the least time between two commits; 0 commits at once.
            inbox: where readings wait for a commit; another bound than the usual one.
            alive_every_s: where nothing is committed for so long, the run says that it lives.

        Raises:
            OutboxHeldError: another process has it; the text names pid and host.
            OutboxTooNewError: a newer version wrote it.
            OutboxUnreadableError: it is no outbox, is damaged, or may not be opened.
        """
        storage = await Storage.open(path, limits or Limits())
        outbox = cls(storage, run, read_clock, observers, interval_ms / 1_000, inbox, alive_every_s)
        outbox._end_earlier_runs()
        outbox._task = asyncio.create_task(outbox._writer.run(), name="outbox writer")
        return outbox

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def observe(self, observer: OutboxObserver) -> None:
        """Tell one more listener from now on."""
        self._observers.append(observer)

    def ignore(self, observer: OutboxObserver) -> None:
        """Tell it no more."""
        self._observers.remove(observer)

    # ------------------------------------------------------------------ readings come in

    def put(self, arrived: Arrived) -> None:
        """Take a reading, at once: callable from the radio's callback."""
        self._writer.put(arrived)

    async def load_steps(self) -> Mapping[str, StepState]:
        """The last state of each step counter, as it was when the outbox was opened."""
        return self._storage.known.steps

    async def flush(self) -> None:
        """Return once all that was put is durable (or was refused by the disk at the end)."""
        await self._writer.flush()

    async def watch(self) -> None:
        """Wait for the writer to end; raises what ended it, for it should not end before close."""
        assert self._task is not None
        await asyncio.shield(self._task)

    async def finish(self, at_ns: int | None = None) -> None:
        """Store what was put, and write down that this run has ended; nothing may be put after.

        What a server answers is still taken, until :meth:`close`.

        Args:
            at_ns: boot clock of the end; now, where none is given.
        """
        await self._writer.flush()
        self._writer.end_stream(at_ns)
        await self._writer.flush()

    async def close(self) -> None:
        """Write what is left, say that this run has ended, and give the file back."""
        if self._task is None:
            return
        self._writer.close()
        task, self._task = self._task, None
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(task, _CLOSE_WITHIN_S)
        finally:
            await self._storage.close()

    # ---------------------------------------------------------------------- what is known

    @property
    def stream(self) -> str | None:
        """This run's stream, once it has committed its first reading."""
        own = self._writer.own
        return own.id if own is not None and self.record(own.id) else None

    def records(self) -> list[StreamRecord]:
        """All streams of which something is left to say, oldest first. Not to be changed."""
        return list(self._storage.known.ledger)

    def record(self, stream: str) -> StreamRecord | None:
        """What is known of one stream. Not to be changed."""
        return self._storage.known.ledger.get(stream)

    def status(self) -> OutboxStatus:
        """How the outbox stands."""
        known = self._storage.known
        return OutboxStatus(
            pending=known.ledger.pending(),
            waiting=self._writer.waiting,
            unstored=self._writer.unstored,
            dead_letters=known.weights.dead,
            bytes=known.weights.pending + known.weights.kept,
            fault=self._writer.fault,
            counters=self._writer.counters,
        )

    def behind(self) -> Place:
        """The place behind the last committed reading."""
        records = self.records()
        return Place(records[-1].key, records[-1].next_seq) if records else Place()

    async def page(self, after: Place, until: Place, most_readings: int) -> Page:
        """Pending readings between two places; see :meth:`Reader.page`."""
        return await self._reader.page(after, until, most_readings)

    async def between(self, stream: str, first: int, last: int) -> list[Series]:
        """All readings of one stream that are here between two numbers."""
        record = self.record(stream)
        return [] if record is None else await self._reader.between(record, first, last)

    async def oldest_pending(self) -> Moment | None:
        """No pending reading is from before this moment; see :meth:`Reader.oldest_pending`."""
        return await self._reader.oldest_pending()

    async def latest_kept(self, store: str, before: int) -> StreamRecord | None:
        """The next older stream that a store may have lost; see :meth:`Reader.latest_kept`."""
        return await self._reader.latest_kept(store, before)

    async def dead_letters(self, most: int = 100, after: Place | None = None) -> list[DeadLetter]:
        """What servers have refused, for a person to see; from a place on."""
        return await self._reader.dead_letters(most, after or Place())

    async def settle_letters(self, chosen: Callable[[DeadLetter], bool], *, discard: bool) -> int:
        """Send dead letters again, or throw them away and explain the hole. How many readings.

        A part at a time, each in one commit: dying in between leaves the rest as it was.

        Raises:
            OutboxReadError: the disk does not answer.
        """
        readings, after = 0, Place()
        while letters := await self.dead_letters(_LETTERS, after):
            after = Place(letters[-1].place.key, letters[-1].place.seq + 1)
            numbers: dict[str, IntervalSet] = {}
            for letter in filter(chosen, letters):
                numbers.setdefault(letter.stream, IntervalSet()).add(*letter.numbers)
            for stream, these in numbers.items():
                self._writer.changes.letters.append(Handling(stream, these, discard))
                self._writer.changes.touched.add(stream)
                readings += len(these)
            if numbers:
                await self._writer.flush()
        return readings

    # ------------------------------------------------------------------- a server answers

    def acknowledge(self, stream: str, ranges: Iterable[Range], store: str) -> None:
        """A server accounts for these numbers, after its own durable commit.

        Numbers of no stream here, or never given to a reading, are ignored.
        """
        record = self.record(stream)
        if record is None:
            return
        fresh = record.settle(ranges)
        if fresh:
            self._writer.changes.settle(stream, fresh, store)
            self._writer.changed()

    def answered(self, told: Stream, ranges: Sequence[Range], store: str) -> None:
        """A server answers STREAM with all that it holds.

        What it has acknowledged once and lacks now, since it came back from a backup, is
        pending again where this outbox still keeps it.

        Args:
            told: the STREAM that it answers.
        """
        record = self.record(told.stream)
        if record is None:
            return
        self.acknowledge(told.stream, ranges, store)
        # Reckoned now: what is acknowledged after this answer is not in it, and not lacking.
        lacking = record.settled.minus(existing(ranges, record.next_seq))
        if lacking:
            self._writer.changes.lacking.append(Settlement(record.id, lacking, store))
            self._changed(record)
        same = (told.zero.version, told.ended) == (record.zero.version, record.ended)
        if same and not record.told:
            record.told = True
            self._changed(record)

    def reject(self, message: Rejected) -> None:
        """A server refuses these for good: they become dead letters, or are erased."""
        record = self.record(message.stream)
        if record is None:
            return
        numbers = existing(message.ranges, record.next_seq)
        record.dead.update(numbers)
        rejection = Rejection(message.stream, tuple(numbers), message.code, message.message)
        self._writer.changes.rejected.append(rejection)
        self._changed(record)

    def correct_time(self, moment: ClockMoment) -> None:
        """Both clocks read together: every stream of this boot learns its time, where better."""
        for record in self.records():
            if record.boot_id != self._run.boot_id:
                continue
            ended_ms = None if record.ended is None else record.ended.elapsed_ms
            zero = corrected(record.zero, moment, record.zero_ns, ended_ms)
            if zero is not None:
                record.zero, record.told = zero, False
                self._changed(record)
                for observer in self._observers:
                    observer.changed(record.id)

    def _changed(self, record: StreamRecord) -> None:
        self._writer.changes.touched.add(record.id)
        self._writer.changed()

    def _end_earlier_runs(self) -> None:
        """A run that did not say goodbye ended when it was last known to be alive."""
        for record in self.records():
            if record.ended is None:
                ended_ms = max(record.alive_ms, record.last_elapsed_ms)
                record.ended = Ended(elapsed_ms=ended_ms, clean=False)
                record.told = False
                self._changed(record)
