"""The outbox against a model, through restarts and crashes, for whatever Hypothesis thinks of."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from strapline_bridge.outbox import Limits, Outbox, Place, Run
from strapline_protocol.intervals import IntervalSet, Range
from strapline_protocol.publishing import Rejected
from tests.integration.bridge_kit import Committed, Content, a_moment, a_reading, readings_of

STORES = ("store-1", "store-2")
_TINY = Limits(most_bytes=4_000, kept_bytes=1_000, join_rows=9)
_ROOMY = Limits(most_bytes=10_000_000, kept_bytes=5_000_000, join_rows=9)

_ranges = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 12)).map(lambda pair: (pair[0], sum(pair))),
    min_size=1,
    max_size=4,
)
_devices = st.sampled_from(["device-a", "device-b"])
_which = st.integers(0, 5)
_metrics = st.sampled_from(["heart_rate", "battery"])


class OutboxMachine(RuleBasedStateMachine):
    """Every reading that was ever committed is pending, settled, dead, erased, or in a hole."""

    @initialize(limits=st.sampled_from([_TINY, _ROOMY]))
    def open(self, limits: Limits) -> None:
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.generation = 0
        self.limits = limits
        self.committed = Committed()
        self.settled: dict[tuple[str, int], str] = {}
        self.dead: set[tuple[str, int]] = set()
        self.erased: set[tuple[str, int]] = set()
        self.noted: tuple[set[tuple[str, int]], ...] = (set(), set(), set())
        self.outbox: Outbox = self.run(self._open())

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.run(self.outbox.close())
            self.runner.close()
            shutil.rmtree(self.folder)

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def call(self, work: Callable[..., None], *arguments: object) -> None:
        """Inside the loop, as the uplink does."""

        async def inside() -> None:
            work(*arguments)

        self.runner.run(inside())

    @property
    def path(self) -> Path:
        return self.folder / f"outbox-{self.generation}.db"

    async def _open(self) -> Outbox:
        return await Outbox.open(
            self.path, Run("boot", 0), a_moment, limits=self.limits, observers=[self.committed]
        )

    async def _pending(self) -> Content:
        """What is pending, read in pages as small as they get."""
        found: Content = {}
        at, end = Place(), False
        while not end:
            page = await self.outbox.page(at, self.outbox.behind(), 3)
            for row in page.rows:
                new = readings_of(row.stream, [row.series])
                assert not new.keys() & found.keys()
                found.update(new)
            assert page.next >= at
            at, end = page.next, page.end
        return found

    def _stream(self, which: int) -> str | None:
        records = self.outbox.records()
        return records[which % len(records)].id if records else None

    def _existing(self, stream: str, ranges: Iterable[Range]) -> set[tuple[str, int]]:
        numbers = IntervalSet(ranges)
        return {key for key in self.committed.content if key[0] == stream and key[1] in numbers}

    def _refused(self) -> set[tuple[str, int]]:
        return {
            (record.id, number)
            for record in self.outbox.records()
            for first, last in record.dead
            for number in range(first, last + 1)
        }

    def _holes(self) -> set[tuple[str, int]]:
        return {
            (record.id, number)
            for record in self.outbox.records()
            for hole in record.holes.values()
            for first, last in hole
            for number in range(first, last + 1)
        }

    # ------------------------------------------------------------------------------ rules

    @rule(
        readings=st.lists(st.tuples(_devices, _metrics, st.integers(30, 200)), max_size=12),
        boot_ns=st.integers(0, 10**12),
    )
    def put(self, readings: list[tuple[str, str, int]], boot_ns: int) -> None:
        for device, metric, value in readings:
            self.outbox.put(a_reading(value, device=device, metric=metric, boot_ns=boot_ns))
        before = len(self.committed.content)
        self._flush()
        assert len(self.committed.content) == before + len(readings)

    @rule(which=_which, ranges=_ranges, store=st.sampled_from(STORES))
    def acknowledge(self, which: int, ranges: list[Range], store: str) -> None:
        stream = self._stream(which)
        if stream is None:
            return
        self.call(self.outbox.acknowledge, stream, ranges, store)
        for key in self._existing(stream, ranges):
            self.settled.setdefault(key, store)

    @rule(which=_which, ranges=_ranges, code=st.sampled_from(["implausible", "erased"]))
    def reject(self, which: int, ranges: list[Range], code: str) -> None:
        stream = self._stream(which)
        if stream is None:
            return
        self.call(
            self.outbox.reject, Rejected(stream=stream, ranges=ranges, code=code, message="because")
        )
        (self.erased if code == "erased" else self.dead).update(self._existing(stream, ranges))

    @rule(which=_which, ranges=_ranges, store=st.sampled_from(STORES))
    def server_restored(self, which: int, ranges: list[Range], store: str) -> None:
        """A STREAM is answered with less than was acknowledged."""
        stream = self._stream(which)
        if stream is None:
            return
        self._flush()
        record = self.outbox.record(stream)
        assert record is not None
        self.call(self.outbox.answered, record.message(), ranges, store)
        for key in self._existing(stream, ranges):
            self.settled.setdefault(key, store)
        self._flush()
        returned = self.run(self._pending()).keys() & self.settled.keys()
        held = self._existing(stream, ranges)
        assert not returned & held
        assert all(key[0] == stream for key in returned)
        if self.limits is _ROOMY:
            gone = self.erased | self.dead
            whole = {
                key
                for key, by in self.settled.items()
                if key[0] == stream and by == store and key not in held and key not in gone
            }
            # A row goes as a whole to the store that acknowledged the last of it.
            if all(by == store for key, by in self.settled.items() if key[0] == stream):
                assert returned >= whole
        for key in returned:
            del self.settled[key]

    @rule()
    def restart(self) -> None:
        self.run(self.outbox.close())
        self.outbox = self.run(self._open())
        self._note()

    @rule()
    def crash(self) -> None:
        """The files as they are when the process dies, under another name."""
        old = self.path
        self.generation += 1
        for suffix in ("", "-wal"):
            if old.with_name(old.name + suffix).exists():
                shutil.copy(old.with_name(old.name + suffix), str(self.path) + suffix)
        self.run(self.outbox.close())
        self.outbox = self.run(self._open())
        pending = self.run(self._pending()).keys()
        # What servers said since the last commit may be forgotten, and is said again.
        settled, dead, erased = self.noted
        forgotten = pending & (self.settled.keys() | self.dead | self.erased)
        assert not forgotten & (settled | dead | erased)
        for key in forgotten:
            self.settled.pop(key, None)
        refused, known = self._refused(), {record.id for record in self.outbox.records()}
        for numbers, noted in ((self.dead, dead), (self.erased, erased)):
            # Of a stream that was forgotten nothing can come again: it needs no memory.
            remembered = {key for key in numbers if key in refused or key[0] not in known}
            assert noted <= remembered
            numbers.intersection_update(remembered)
        self._note()

    def _flush(self) -> None:
        self.run(self.outbox.flush())
        self._note()

    def _note(self) -> None:
        self.noted = (set(self.settled), set(self.dead), set(self.erased))

    # ------------------------------------------------------------------------- what holds

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        if not hasattr(self, "outbox"):
            return
        pending = self.run(self._pending())
        holes = self._holes()
        accounted = self.settled.keys() | self.dead | self.erased
        assert pending.keys() | holes | accounted == self.committed.content.keys()
        assert not pending.keys() & (holes | accounted)
        for key, content in pending.items():
            assert content == self.committed.content[key]
        assert self.outbox.status().pending == len(pending)

    @invariant()
    def a_stream_is_forgotten_only_when_nothing_is_left_of_it(self) -> None:
        if not hasattr(self, "outbox"):
            return
        known = {record.id for record in self.outbox.records()}
        gone = {key for key in self.committed.content if key[0] not in known}
        # What a server refused is kept for a person to see; it counts as gone only where a
        # server has accounted for it otherwise.
        assert gone <= self.settled.keys() | self.erased
        assert not gone & self.run(self._pending()).keys()

    @invariant()
    def a_stream_gives_numbers_without_holes(self) -> None:
        if not hasattr(self, "outbox"):
            return
        for record in self.outbox.records():
            given = {number for stream, number in self.committed.content if stream == record.id}
            assert given == set(range(record.next_seq))


TestOutboxMachine = OutboxMachine.TestCase
# Each step commits to a real file, so fewer examples than elsewhere.
TestOutboxMachine.settings = settings(
    stateful_step_count=20, max_examples=max(10, settings().max_examples // 4)
)


def test_erased_readings_of_a_forgotten_stream_stay_gone_after_a_crash() -> None:
    """A stream of which a server erased all is forgotten at a restart, its erasure with it."""
    machine = OutboxMachine()
    machine.open(_TINY)
    try:
        for step in (
            partial(machine.put, [("device-b", "heart_rate", 63), ("device-b", "battery", 80)], 1),
            machine.crash,
            partial(machine.reject, 0, [(17, 25)], "implausible"),
            partial(machine.reject, 0, [(4, 15), (0, 11)], "erased"),
            partial(machine.server_restored, 0, [(30, 36)], "store-2"),
            machine.restart,
            machine.crash,
        ):
            step()
            machine.nothing_is_lost_or_doubled()
            machine.a_stream_is_forgotten_only_when_nothing_is_left_of_it()
            machine.a_stream_gives_numbers_without_holes()
        assert machine.outbox.records() == []
        assert len(machine.committed.content) == 2
    finally:
        machine.teardown()
