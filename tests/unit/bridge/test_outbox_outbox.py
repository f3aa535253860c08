"""The outbox as a whole: streams and runs, what a server may say, and time."""

from __future__ import annotations

import asyncio
import shutil
import time
from dataclasses import replace
from pathlib import Path

from strapline_bridge.outbox import ClockMoment, Outbox, Place, Run
from strapline_bridge.outbox.database import open_database
from strapline_bridge.outbox.ledger import StreamRecord
from strapline_bridge.outbox.queries import migrations
from strapline_bridge.outbox.zero import first_zero
from strapline_protocol.publishing import ClockSource, Ended, Rejected
from tests.integration.bridge_kit import Committed, a_moment, a_reading, an_outbox, until


class _Clock:
    """Both clocks, at the moment that a test says."""

    def __init__(self, now: ClockMoment) -> None:
        self.now = now
        self.asked = 0

    def read(self) -> ClockMoment:
        self.asked += 1
        return self.now


async def _one(outbox: Outbox, rate: int = 60) -> str:
    outbox.put(a_reading(rate))
    await outbox.flush()
    assert outbox.stream is not None
    return outbox.stream


async def test_each_run_has_a_stream_of_its_own_made_with_its_first_reading(
    tmp_path: Path,
) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path) as outbox:
        assert outbox.stream is None
        assert outbox.behind() == Place()
    async with an_outbox(path) as outbox:
        assert outbox.records() == []
        first = await _one(outbox)
    async with an_outbox(path) as outbox:
        second = await _one(outbox)
        assert [record.id for record in outbox.records()] == [first, second]
        assert [record.next_seq for record in outbox.records()] == [1, 1]
    assert first != second
    assert len(first) == 22


async def test_a_clone_of_a_running_outbox_never_gives_a_number_twice(tmp_path: Path) -> None:
    stored = Committed()
    async with an_outbox(tmp_path / "o.db", stored) as outbox:
        await _one(outbox)
        (tmp_path / "clone").mkdir()
        for name in ("o.db", "o.db-wal"):
            shutil.copy(tmp_path / name, tmp_path / "clone" / name)
        await _one(outbox, 61)
        cloned = Committed()
        async with an_outbox(tmp_path / "clone" / "o.db", cloned) as clone:
            await _one(clone, 99)
    assert not stored.content.keys() & cloned.content.keys()


async def test_a_run_that_says_goodbye_and_one_that_does_not(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path) as outbox:
        await _one(outbox)
        shutil.copy(path, tmp_path / "killed.db")
        shutil.copy(tmp_path / "o.db-wal", tmp_path / "killed.db-wal")
        record = outbox.records()[0]
        last_ms, alive_ms = record.last_elapsed_ms, record.alive_ms
        assert alive_ms >= last_ms
    async with an_outbox(path) as outbox:
        ended = outbox.records()[0].ended
        assert ended is not None
        assert ended.clean
        assert ended.elapsed_ms >= last_ms
    async with an_outbox(tmp_path / "killed.db") as outbox:
        ended = outbox.records()[0].ended
        assert ended is not None
        assert not ended.clean
        assert ended.elapsed_ms == alive_ms


async def test_a_run_that_hears_nothing_says_now_and_then_that_it_lives(tmp_path: Path) -> None:
    path, moment = tmp_path / "o.db", a_moment()
    clock = _Clock(moment)
    async with await Outbox.open(
        path, Run("boot", moment.boot_ns), clock.read, alive_every_s=0.01
    ) as outbox:
        outbox.put(a_reading(boot_ns=moment.boot_ns))
        await outbox.flush()
        clock.now = replace(moment, boot_ns=moment.boot_ns + 90 * 10**9)
        commits = outbox.status().counters.commits
        await until(lambda: outbox.status().counters.commits > commits)
        for name in ("o.db", "o.db-wal"):
            shutil.copy(tmp_path / name, tmp_path / name.replace("o.db", "killed.db"))
    async with an_outbox(tmp_path / "killed.db") as outbox:
        ended = outbox.records()[0].ended
        assert ended is not None
        assert (ended.elapsed_ms, ended.clean) == (90_000, False)


async def test_any_commit_says_that_the_run_lives(tmp_path: Path) -> None:
    moment = a_moment()
    clock = _Clock(moment)
    run = Run("boot", moment.boot_ns)
    async with await Outbox.open(tmp_path / "o.db", run, clock.read) as outbox:
        stream = await _one(outbox)
        clock.now = replace(moment, boot_ns=moment.boot_ns + 5 * 10**9)
        outbox.acknowledge(stream, [(0, 0)], "s")
        await outbox.flush()
        (row,) = await outbox._storage.read("streams")
        assert StreamRecord.from_row(tuple(row)).alive_ms == 5_000


async def test_an_outbox_of_before_knows_when_its_runs_ended(tmp_path: Path) -> None:
    """One that no migration has given the mark: its last reading is the last sign of life."""
    path = tmp_path / "o.db"
    connection = await open_database(path, migrations()[:1])
    record = StreamRecord(1, "s" * 22, "boot", 0, first_zero(a_moment(), 0), 1, 4_000)
    values = record.to_row()
    names = ", ".join(name for name in values if name != "alive_ms")
    marks = ", ".join(f":{name}" for name in values if name != "alive_ms")
    await connection.execute_fetchall(f"INSERT INTO stream ({names}) VALUES ({marks})", values)  # noqa: S608  # our own names
    await connection.close()
    async with an_outbox(path) as outbox:
        assert outbox.records()[0].ended == Ended(elapsed_ms=4_000, clean=False)


async def test_finishing_stores_what_came_and_says_that_the_run_is_over(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        outbox.put(a_reading())
        await outbox.finish()
        (record,) = outbox.records()
        assert record.ended is not None
        assert record.ended.clean
        assert outbox.status().pending == 1
        ended = record.ended
    async with an_outbox(tmp_path / "o.db") as outbox:
        assert outbox.records()[0].ended == ended


async def test_a_server_cannot_account_for_readings_that_are_still_to_come(
    tmp_path: Path,
) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        stream = await _one(outbox)
        outbox.acknowledge(stream, [(0, 2**53 - 1)], "s")
        outbox.reject(Rejected(stream=stream, ranges=[(0, 2**53 - 1)], code="erased", message=""))
        await outbox.flush()
        await _one(outbox, 61)
        assert outbox.status().pending == 1
        page = await outbox.page(Place(), outbox.behind(), 10)
        assert [row.series.value for row in page.rows] == [[61]]


async def test_a_stream_that_is_not_here_is_no_concern(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        stream = await _one(outbox)
        record = outbox.record(stream)
        assert record is not None
        other = record.message().model_copy(update={"stream": "x" * 22})
        outbox.acknowledge("x" * 22, [(0, 0)], "s")
        outbox.answered(other, [(0, 0)], "s")
        outbox.reject(Rejected(stream="x" * 22, ranges=[(0, 0)], code="bad", message=""))
        await outbox.flush()
        assert outbox.status().pending == 1


async def test_a_clock_that_becomes_synchronised_dates_all_streams_of_this_boot(
    tmp_path: Path,
) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path, boot_id="boot-1", source=ClockSource.ESTIMATE) as outbox:
        await _one(outbox)
    async with an_outbox(path, boot_id="boot-2", source=ClockSource.ESTIMATE) as outbox:
        await _one(outbox)
    async with an_outbox(path, boot_id="boot-2", source=ClockSource.ESTIMATE) as outbox:
        await _one(outbox)
        moment = ClockMoment(time.monotonic_ns(), 1_700_000_000_000, 5, ClockSource.SYSTEM)
        outbox.correct_time(moment)
        outbox.correct_time(moment)
        await outbox.flush()
    async with an_outbox(path, boot_id="boot-3") as outbox:
        records = outbox.records()
        assert [record.zero.version for record in records] == [0, 1, 1]
        assert [record.zero.source for record in records] == [
            ClockSource.ESTIMATE,
            ClockSource.SYSTEM,
            ClockSource.SYSTEM,
        ]
        for record in records[1:]:
            elapsed_ms = (moment.boot_ns - record.zero_ns) // 1_000_000
            assert record.zero.wall_ms(elapsed_ms) == 1_700_000_000_000


async def test_a_wall_clock_that_jumps_changes_no_reading_and_no_time(tmp_path: Path) -> None:
    wall_ms = [1_700_000_000_000]

    def clock() -> ClockMoment:
        return ClockMoment(time.monotonic_ns(), wall_ms[0], 50, ClockSource.SYSTEM)

    stored = Committed()
    outbox = await Outbox.open(
        tmp_path / "o.db", Run("boot", time.monotonic_ns()), clock, observers=[stored]
    )
    async with outbox:
        stream = await _one(outbox)
        record = outbox.record(stream)
        assert record is not None
        zero = record.zero
        for jump_ms in (-30 * 365 * 86_400_000, 86_400_000):
            wall_ms[0] += jump_ms
            outbox.correct_time(clock())
            await _one(outbox)
        assert record.zero == zero
    elapsed = [int(content[1 : content.index(",")]) for content in stored.content.values()]
    assert elapsed == sorted(elapsed)
    assert elapsed[-1] < 60_000


async def test_closing_twice_and_cancelled_closing_give_the_file_back(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path) as outbox:
        await _one(outbox)
        closing = asyncio.create_task(outbox.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
    await outbox.close()
    async with an_outbox(path) as outbox:
        assert outbox.status().pending == 1


async def test_watching_ends_with_the_outbox(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        watching = asyncio.create_task(outbox.watch())
        await asyncio.sleep(0)
        assert not watching.done()
    await watching
    assert a_moment().source is ClockSource.SYSTEM
