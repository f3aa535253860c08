"""The queue before the store: groups, bounds, faults, and an answer only after the commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from strapline_protocol.base import WireModel
from strapline_protocol.opening import Role
from strapline_protocol.publishing import Acknowledged, Lane, Readings, Rejected, Stream
from strapline_server import ingest as ingest_module
from strapline_server.counters import Counters
from strapline_server.errors import NoteError, StoreError
from strapline_server.ingest import Entry, Ingest
from strapline_server.store import Grant, Note, NoteStored, Outcome, Saying, Store, Work
from tests.unit.server.store_kit import NOON, series_of, stream_named, zero_at

A = stream_named("A")


class Bridge:
    """One that submits and remembers what it was told."""

    def __init__(self, ingest: Ingest, grant: Grant) -> None:
        self.ingest = ingest
        self.grant = grant
        self.answers: list[WireModel] = []
        self.failed = 0
        self.held: list[bool] = []
        self.told = asyncio.Event()

    def submit(self, message: Stream | Readings) -> None:
        self.ingest.submit(Entry(Work(self.grant, message), self.answer, self.fail, self.hold))

    def answer(self, answers: tuple[WireModel, ...]) -> None:
        self.answers += answers
        self.told.set()

    def fail(self) -> None:
        self.failed += 1
        self.told.set()

    def hold(self, hold: bool) -> None:
        self.held.append(hold)


class Gate(Store):
    """A real store whose commits can be stopped, and made to fail."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, lambda: NOON)
        self.open_ = asyncio.Event()
        self.open_.set()
        self.groups: list[int] = []
        self.faults: list[Exception] = []
        self.poison: str | None = None

    async def commit(self, works: Sequence[Work | Saying]) -> Outcome:
        await self.open_.wait()
        if self.faults:
            raise self.faults.pop(0)
        if self.poison is not None and self.poison in repr(works):
            raise ZeroDivisionError
        self.groups.append(len(works))
        return await super().commit(works)


def readings(*numbers: int) -> Readings:
    series = [series_of([60 + number % 90], [number], first=number) for number in numbers]
    return Readings(stream=A, lane=Lane.LIVE, series=series)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[Gate, Ingest, Bridge, Counters, list[bool]]]:
    store, counters, storing = Gate(folder), Counters(), list[bool]()
    await store.open()
    await store.add_user("ana", "Ana", "UTC")
    await store.put_grant("pi", Role.BRIDGE, "pi", "all", None)
    grant = await store.grant("pi")
    assert grant is not None
    outcomes: list[Outcome] = []
    ingest = Ingest(store, counters, outcomes.append, storing.append)
    bridge = Bridge(ingest, grant)
    task = asyncio.create_task(ingest.run())
    bridge.submit(Stream(stream=A, next_seq=0, zero=zero_at(NOON - 60_000)))
    await asyncio.wait_for(bridge.told.wait(), 10)
    bridge.answers.clear()
    bridge.told.clear()
    yield store, ingest, bridge, counters, storing
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await store.close()


async def told(bridge: Bridge) -> None:
    await asyncio.wait_for(bridge.told.wait(), 10)
    bridge.told.clear()


async def test_a_commit_takes_all_that_came_during_the_last_one(tmp_path: Path) -> None:
    async with running(tmp_path) as (store, _, bridge, counters, _):
        store.open_.clear()
        bridge.submit(readings(0))
        await asyncio.sleep(0)
        for number in range(1, 9):
            bridge.submit(readings(number))
        await asyncio.sleep(0)
        # Not before the commit is durable.
        assert bridge.answers == []
        store.open_.set()
        while len(bridge.answers) < 9:
            await told(bridge)
        assert store.groups == [1, 1, 8]
        assert counters.works_waiting_most == 8
        assert counters.readings_stored == 9
        assert all(isinstance(answer, Acknowledged) for answer in bridge.answers)


async def test_a_commit_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "MOST_READINGS_A_COMMIT", 5)
    monkeypatch.setattr(ingest_module, "MOST_WORKS_A_COMMIT", 3)
    async with running(tmp_path) as (store, _, bridge, _, _):
        store.open_.clear()
        bridge.submit(readings(0))
        await asyncio.sleep(0)
        bridge.submit(readings(1, 2, 3, 4))
        bridge.submit(readings(5, 6))
        for number in range(7, 12):
            bridge.submit(readings(number))
        bridge.submit(readings(*range(12, 24)))
        store.open_.set()
        while len(bridge.answers) < 9:
            await told(bridge)
        assert store.groups == [1, 1, 1, 3, 3, 1]


async def test_over_the_bound_bridges_are_held_back_and_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "MOST_READINGS_WAITING", 10)
    async with running(tmp_path) as (store, _, bridge, counters, _):
        store.open_.clear()
        for number in range(12):
            bridge.submit(readings(number))
        assert bridge.held == [True]
        assert counters.bridges_held_back == 1
        store.open_.set()
        while len(bridge.answers) < 12:
            await told(bridge)
        await asyncio.sleep(0)
        assert bridge.held == [True, False]


async def test_what_the_store_refuses_is_tried_again_and_answered_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.random", lambda: 0.01)
    async with running(tmp_path) as (store, ingest, bridge, counters, storing):
        store.faults += [StoreError("the disk is full"), StoreError("the disk is full")]
        bridge.submit(readings(0))
        await told(bridge)
        assert bridge.answers == [Acknowledged(stream=A, ranges=[(0, 0)])]
        assert storing == [False, True]
        assert ingest.storing
        assert (counters.commit_failures, bridge.failed) == (2, 0)


async def test_a_fault_of_ours_costs_the_series_at_fault_and_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path) as (store, ingest, bridge, counters, storing):
        other = Bridge(ingest, bridge.grant)
        other.told = bridge.told
        store.open_.clear()
        bridge.submit(readings(0))
        await asyncio.sleep(0)
        store.poison = "value=[66]"
        other.submit(readings(5, 6, 7))
        bridge.submit(readings(8))
        other.submit(readings(6))
        store.open_.set()
        while len(other.answers) < 4 or len(bridge.answers) < 2:
            await told(bridge)
        assert bridge.answers == [Acknowledged(stream=A, ranges=[(n, n)]) for n in (0, 8)]
        first, refused, third, again = other.answers
        assert (first, third) == tuple(Acknowledged(stream=A, ranges=[(n, n)]) for n in (5, 7))
        assert isinstance(refused, Rejected)
        assert (refused.ranges, refused.code, refused) == ([(6, 6)], "fault", again)
        assert (other.failed, bridge.failed, storing) == (0, 0, [])
        assert (counters.readings_stored, counters.readings_rejected) == (4, 2)
        assert "ZeroDivisionError" in caplog.text


async def test_what_can_be_neither_stored_nor_refused_costs_its_bridge(tmp_path: Path) -> None:
    async with running(tmp_path) as (store, ingest, bridge, _, _):
        store.poison = "STREAM"
        bridge.submit(Stream(stream=A, next_seq=1, zero=zero_at(NOON)))
        await told(bridge)
        assert bridge.failed == 1
        store.poison = A
        bridge.submit(readings(1))
        await told(bridge)
        assert (bridge.failed, bridge.answers) == (2, [])
        assert ingest.storing


def mark() -> Note:
    return Note("ana", "mark", "host", NOON, {"label": "hill"})


async def test_a_note_goes_through_the_same_commit_and_has_a_receipt(tmp_path: Path) -> None:
    async with running(tmp_path) as (store, ingest, bridge, counters, _):
        store.open_.clear()
        bridge.submit(readings(0))
        await asyncio.sleep(0)
        bridge.submit(readings(1))
        saying = asyncio.ensure_future(ingest.note(None, mark()))
        await asyncio.sleep(0)
        store.open_.set()
        stored = await asyncio.wait_for(saying, 10)
        assert isinstance(stored, NoteStored)
        assert (stored.seq, stored.committed_ms) == (0, NOON)
        assert store.groups == [1, 1, 2]
        assert counters.readings_stored == 2
        with pytest.raises(NoteError, match="no user 'nobody'") as unknown:
            await ingest.note(None, Note("nobody", "mark", "host", NOON, {"label": ""}))
        assert unknown.value.code == "notGranted"
        with pytest.raises(NoteError, match="those of mark are label") as bad:
            await ingest.note(None, Note("ana", "mark", "host", NOON, {}))
        assert bad.value.code == "badRequest"


async def test_what_is_said_does_not_wait_for_a_store_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.random", lambda: 0.01)
    async with running(tmp_path) as (store, ingest, bridge, _, storing):
        store.open_.clear()
        bridge.submit(readings(0))
        first, second = (asyncio.ensure_future(ingest.note(None, mark())) for _ in range(2))
        await asyncio.sleep(0)
        store.faults += [StoreError("the disk is full")] * 2
        # The first of these finds the fault out, what waits behind it is refused with it.
        store.open_.set()
        for saying in (first, second):
            with pytest.raises(NoteError, match="cannot be written now") as refused:
                await asyncio.wait_for(saying, 10)
            assert refused.value.code == "notStoring"
        await told(bridge)
        assert bridge.answers == [Acknowledged(stream=A, ranges=[(0, 0)])]
        assert storing == [False, True]
        # Refused is refused: nothing of it is stored when the store can be written again.
        stored = await asyncio.wait_for(ingest.note(None, mark()), 10)
        assert stored.seq == 0


async def test_a_note_leaves_the_commit_that_fails(tmp_path: Path) -> None:
    async with running(tmp_path) as (store, ingest, bridge, _, _):
        store.faults += [StoreError("the disk is full")]
        saying = asyncio.ensure_future(ingest.note(None, mark()))
        await asyncio.sleep(0)
        bridge.submit(readings(0))
        with pytest.raises(NoteError, match="cannot be written now"):
            await asyncio.wait_for(saying, 10)
        await told(bridge)
        assert bridge.answers == [Acknowledged(stream=A, ranges=[(0, 0)])]
        assert store.groups == [1, 1], "of two works one was left"


async def test_while_nothing_can_be_stored_a_note_is_refused_at_once(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, ingest, _, _, _):
        ingest.storing = False
        with pytest.raises(NoteError, match="cannot be written now"):
            await ingest.note(None, mark())


async def test_notes_that_wait_are_bounded_and_refusals_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "MOST_SAYINGS_WAITING", 2)
    async with running(tmp_path) as (store, ingest, _, counters, _):
        store.open_.clear()
        waiting = [asyncio.ensure_future(ingest.note(None, mark())) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(NoteError, match="2 notes wait") as refused:
            await ingest.note(None, mark())
        assert (refused.value.code, counters.sayings_refused) == ("tooMany", 1)
        store.open_.set()
        assert [one.seq for one in await asyncio.gather(*waiting)] == [0, 1]
        assert (await ingest.note(None, mark())).seq == 2


async def test_a_fault_of_ours_refuses_a_note_and_no_reading(tmp_path: Path) -> None:
    async with running(tmp_path) as (store, ingest, bridge, _, _):
        note = Note("ana", "mark", "host", NOON - 1, {"label": "private"})
        assert "private" not in repr(note), "what is said stands in no log"
        store.poison = f"at_ms={note.at_ms}"
        store.open_.clear()
        bridge.submit(readings(0))
        bad = asyncio.ensure_future(ingest.note(None, note))
        good = asyncio.ensure_future(ingest.note(None, mark()))
        # Whoever was cancelled is not told, and breaks nothing.
        gone = asyncio.ensure_future(ingest.note(None, mark()))
        await asyncio.sleep(0)
        gone.cancel()
        store.open_.set()
        with pytest.raises(NoteError, match="a fault of the server"):
            await asyncio.wait_for(bad, 10)
        assert (await asyncio.wait_for(good, 10)).seq == 0
        await told(bridge)


async def test_what_is_rejected_is_counted(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, _, bridge, counters, _):
        series = series_of([60, 61], [0, 1], user="nobody")
        bridge.submit(Readings(stream=A, lane=Lane.LIVE, series=[series]))
        await told(bridge)
        assert isinstance(bridge.answers[0], Rejected)
        assert (counters.readings_rejected, counters.readings_stored) == (2, 0)
