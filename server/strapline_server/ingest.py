"""What bridges send becomes durable: one commit for all that came during the last one.

A commit starts at once when none is running. Only after it is durable are bridges answered and
viewers told. While the store cannot be written nothing is acknowledged and the same works are
tried again, with backoff, for ever; meanwhile the queue fills up to its bound and bridges are
no longer read from.

What people and host applications say goes the same way, but does not wait for a store that
cannot be written: whoever says it is told, and says it again.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from strapline_protocol.base import WireModel
from strapline_protocol.closing import Backoff
from strapline_protocol.opening import Error, ErrorCode
from strapline_protocol.publishing import Readings, Rejected
from strapline_protocol.series import Series
from strapline_server.counters import Counters
from strapline_server.errors import NoteError, StoreError
from strapline_server.store import (
    Grant,
    Note,
    NoteStored,
    Outcome,
    Saying,
    Store,
    Work,
    check_note,
)

_LOG = logging.getLogger(__name__)

#: Of one transaction, so that the first in it does not wait for too long.
MOST_READINGS_A_COMMIT: Final = 50_000
MOST_WORKS_A_COMMIT: Final = 2_000
#: Over this no bridge is read from, until half of it is stored.
MOST_READINGS_WAITING: Final = 200_000
MOST_WORKS_WAITING: Final = 20_000
#: Of what is said, more than this is refused.
MOST_SAYINGS_WAITING: Final = 1_000
_RETRY: Final = Backoff(base_ms=250, cap_ms=10_000)
_FAULT: Final = "a fault of the server: it cannot store this. Its log says why"
_NOT_STORING: Final = "the server's database cannot be written now. Say it again in a while"


@dataclass(frozen=True, slots=True)
class Entry:
    """A work and who waits for its answer.

    Attributes:
        work: what to store; what is said leaves the queue when the store cannot be written.
        answer: gets the messages that the commit came to, once it is durable.
        fail: called when this work can be neither stored nor refused because of a fault in this
            program.
        hold: whether to stop reading from its bridge.
    """

    work: Work | Saying
    answer: Callable[[tuple[WireModel, ...]], None]
    fail: Callable[[], None]
    hold: Callable[[bool], None]

    @property
    def readings(self) -> int:
        """How many readings it holds."""
        if isinstance(self.work, Saying):
            return 0
        message = self.work.message
        return sum(map(len, message.series)) if isinstance(message, Readings) else 0


class Ingest:
    """The queue before the store, and the one task that empties it.

    Attributes:
        storing: False while the store cannot be written.
    """

    def __init__(
        self,
        store: Store,
        counters: Counters,
        committed: Callable[[Outcome], None],
        storing_changed: Callable[[bool], None],
    ) -> None:
        self.storing = True
        self._store = store
        self._counters = counters
        self._committed = committed
        self._storing_changed = storing_changed
        self._queue: deque[Entry] = deque()
        self._readings_waiting = 0
        self._sayings_waiting = 0
        self._held: dict[Callable[[bool], None], None] = {}
        self._more = asyncio.Event()

    @property
    def readings_waiting(self) -> int:
        """In the queue."""
        return self._readings_waiting

    @property
    def sayings_waiting(self) -> int:
        """Notes and sessions in the queue."""
        return self._sayings_waiting

    def submit(self, entry: Entry) -> None:
        """Put a work in line. Over the bound its bridge is held back: what came is kept."""
        self._queue.append(entry)
        self._readings_waiting += entry.readings
        self._counters.works_waiting = len(self._queue)
        self._counters.works_waiting_most = max(self._counters.works_waiting_most, len(self._queue))
        if (
            self._readings_waiting > MOST_READINGS_WAITING or len(self._queue) > MOST_WORKS_WAITING
        ) and entry.hold not in self._held:
            self._held[entry.hold] = None
            self._counters.bridges_held_back += 1
            entry.hold(True)
        self._more.set()

    async def note(self, grant: Grant | None, note: Note) -> NoteStored:
        """Store what is said of a user, and tell viewers.

        Args:
            grant: what the speaker may; None for the host application itself.
            note: what is said.

        Raises:
            NoteError: it may not be said, has a fault, or cannot be stored now. When it is raised
                nothing is stored, and nothing will be.
        """
        try:
            check_note(note)
        except ValueError as error:
            raise NoteError(ErrorCode.BAD_REQUEST, str(error)) from None
        stored = await self.say(Saying(grant, note))
        assert isinstance(stored, NoteStored), "a note's answer is its receipt"
        return stored

    async def say(self, saying: Saying) -> WireModel:
        """Store what is said; its answer. Who is cancelled meanwhile does not know whether it was.

        Raises:
            NoteError: as :meth:`note`.
        """
        if not self.storing:
            raise NoteError(ErrorCode.NOT_STORING, _NOT_STORING)
        if self._sayings_waiting >= MOST_SAYINGS_WAITING:
            self._counters.sayings_refused += 1
            raise NoteError(
                ErrorCode.TOO_MANY,
                f"{MOST_SAYINGS_WAITING} notes wait to be stored already. Say it again in a while",
            )
        told: asyncio.Future[WireModel] = asyncio.get_running_loop().create_future()

        def answer(answers: tuple[WireModel, ...]) -> None:
            if not told.done():
                told.set_result(answers[0])

        def fail() -> None:
            answer((Error(code=ErrorCode.FAILED, message=_FAULT),))

        self._sayings_waiting += 1
        try:
            self.submit(Entry(saying, answer, fail, hold=_no_hold))
            outcome = await told
        finally:
            self._sayings_waiting -= 1
        if isinstance(outcome, Error):
            raise NoteError(outcome.code, outcome.message)
        return outcome

    async def run(self) -> None:
        """Store what comes, until cancelled."""
        while True:
            await self._more.wait()
            entries = self._take()
            # Without works this finds out whether the store can be written again.
            await self._store_all(entries)
            self._let_go()
            if not self._queue:
                self._more.clear()

    def look(self) -> None:
        """Hand out what another process may have committed, when nothing else is stored."""
        self._more.set()

    async def probe(self) -> None:
        """Find out whether the store can be written, when nothing else does."""
        if self._queue or not self.storing:
            return
        try:
            await self._store.probe()
        except StoreError as error:
            self._counters.commit_failures += 1
            self._set_storing(False, error)
            self._more.set()

    def _take(self) -> list[Entry]:
        entries: list[Entry] = []
        readings = 0
        while self._queue and len(entries) < MOST_WORKS_A_COMMIT:
            readings += self._queue[0].readings
            if entries and readings > MOST_READINGS_A_COMMIT:
                break
            entries.append(self._queue.popleft())
        self._counters.works_waiting = len(self._queue)
        self._readings_waiting -= sum(entry.readings for entry in entries)
        return entries

    def _let_go(self) -> None:
        if not self._held:
            return
        if (
            self._readings_waiting <= MOST_READINGS_WAITING // 2
            and len(self._queue) <= MOST_WORKS_WAITING // 2
        ):
            held, self._held = self._held, {}
            for hold in held:
                hold(False)

    async def _store_all(self, entries: list[Entry]) -> None:
        if any(isinstance(entry.work, Saying) for entry in entries):
            try:
                outcome = await self._attempt([entry.work for entry in entries])
            except StoreError:
                entries = [entry for entry in entries if not _withdrawn(entry)]
                outcome = await self._commit([entry.work for entry in entries])
        else:
            outcome = await self._commit([entry.work for entry in entries])
        if outcome is not None:
            self._tell_safely(entries, outcome)
        elif len(entries) > 1:
            # What is not at fault is stored.
            for entry in entries:
                await self._store_all([entry])
        else:
            for entry in entries:
                await self._store_parts(entry)

    async def _commit(self, works: list[Work | Saying]) -> Outcome | None:
        """Tried again for as long as the store cannot be written; None after a fault of ours."""
        retry = _RETRY
        while True:
            try:
                return await self._attempt(works)
            except StoreError:
                await asyncio.sleep(retry.delay_ms(random.random()) / 1000)  # noqa: S311  # spread
                retry = retry.failed()

    async def _attempt(self, works: list[Work | Saying]) -> Outcome | None:
        """Tried once: None after a fault of ours, StoreError where the store cannot be written."""
        try:
            if not works:
                await self._store.probe()
            outcome = await self._store.commit(works)
        except StoreError as error:
            self._counters.commit_failures += 1
            self._set_storing(False, error)
            raise
        except Exception:  # noqa: BLE001  # logged, and what is at fault alone pays for it
            _LOG.exception("a commit of %d works failed", len(works))
            return None
        self._set_storing(True)
        return outcome

    async def _store_parts(self, entry: Entry) -> None:
        """A work at fault: its good series are stored, the others refused for good.

        Its bridge would send it again for ever; what is refused it keeps for a person to see.
        """
        if isinstance(entry.work, Saying) or not isinstance(entry.work.message, Readings):
            entry.fail()
            return
        grant, message = entry.work.grant, entry.work.message
        told = Outcome([], [], 0)
        answers: list[WireModel] = []
        for series in message.series:
            outcome = await self._store_part(grant, message, series)
            if outcome is None:
                self._tell_safely([], told)
                entry.fail()
                return
            answers += outcome.answers[0]
            told = Outcome([], told.changes + outcome.changes, told.readings + outcome.readings)
        self._tell_safely([entry], Outcome([tuple(answers)], told.changes, told.readings))

    async def _store_part(self, grant: Grant, message: Readings, series: Series) -> Outcome | None:
        if len(message.series) > 1:
            part = message.model_copy(update={"series": [series]})
            outcome = await self._commit([Work(grant, part)])
            if outcome is not None:
                return outcome
        refusal = Rejected(
            stream=message.stream, ranges=series.ranges(), code="fault", message=_FAULT
        )
        return await self._commit([Work(grant, refusal)])

    def _tell(self, entries: list[Entry], outcome: Outcome) -> None:
        self._counters.commits += 1
        self._counters.readings_stored += outcome.readings
        for entry, answers in zip(entries, outcome.answers, strict=True):
            for answer in answers:
                if isinstance(answer, Rejected):
                    self._counters.readings_rejected += sum(
                        last - first + 1 for first, last in answer.ranges
                    )
            entry.answer(answers)
        self._committed(outcome)

    def _tell_safely(self, entries: list[Entry], outcome: Outcome) -> None:
        """What is committed stays so, whatever goes wrong in telling it.

        A bridge that was not answered sends again, a viewer that missed a change sees a gap.
        """
        try:
            self._tell(entries, outcome)
        except Exception:  # noqa: BLE001  # logged; the next commit must come
            _LOG.exception("a commit was not told to all")

    def _set_storing(self, storing: bool, error: StoreError | None = None) -> None:
        if storing == self.storing:
            return
        self.storing = storing
        if storing:
            _LOG.warning("the store can be written again")
        else:
            _LOG.error("nothing is acknowledged: %s", error)
            self._queue = deque(entry for entry in self._queue if not _withdrawn(entry))
        self._storing_changed(storing)


def _no_hold(hold: bool) -> None:
    """Who says something is not read from anyway until it has its answer."""


def _withdrawn(entry: Entry) -> bool:
    """Whether it was something said, which does not wait for the store: now it is refused."""
    if not isinstance(entry.work, Saying):
        return False
    entry.answer((Error(code=ErrorCode.NOT_STORING, message=_NOT_STORING),))
    return True
