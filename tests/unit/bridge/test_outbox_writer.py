"""The writer: group commits, a disk that refuses, a queue at its bound, and the end of a run."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest

from strapline_bridge.inbox import Inbox
from strapline_bridge.intake import Arrived
from strapline_bridge.outbox import Outbox, Place
from strapline_bridge.readings import Reading
from strapline_bridge.steps import Counter, StepState
from tests.integration.bridge_kit import Committed, a_reading, an_outbox, until


async def _disk_takes(outbox: Outbox, pages: int) -> None:
    """Let the disk be full beyond so many pages: SQLite itself then says so."""
    await outbox._storage._connection.execute_fetchall(f"PRAGMA max_page_count = {pages}")


def _steps(total: int, device: str = "watch") -> Arrived:
    counter = Counter("c" * 22, 10)
    state = StepState(device, "anna", total, counter, 1_000, 2_000, "boot")
    return replace(
        a_reading(total, device=device, metric="steps"), counter=counter, step_state=state
    )


async def test_what_arrives_during_a_commit_goes_with_the_next_one(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        outbox.put(a_reading(1))
        await asyncio.sleep(0)
        for rate in range(2, 1_002):
            outbox.put(a_reading(rate % 250))
        await outbox.flush()
        counters = outbox.status().counters
        assert counters.readings == 1_001
        assert counters.commits == 2


async def test_nothing_is_told_of_before_it_is_durable(tmp_path: Path) -> None:
    stored = Committed()
    async with an_outbox(tmp_path / "o.db", stored) as outbox:
        await _disk_takes(outbox, 1)
        for rate in range(2_000):
            outbox.put(a_reading(rate % 250, boot_ns=rate * 10**6))
        await until(lambda: outbox.status().fault is not None)
        assert not stored.content
        assert outbox.stream is None
        assert outbox.status().pending == 0


async def test_a_full_disk_is_said_and_recovers_by_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stored = Committed()
    async with an_outbox(tmp_path / "o.db", stored) as outbox:
        await _disk_takes(outbox, 1)
        for rate in range(2_000):
            outbox.put(a_reading(rate % 250, boot_ns=rate * 10**6))
        await until(lambda: outbox.status().counters.failed >= 2)
        assert outbox.status().fault == "database or disk is full"
        outbox.put(a_reading(33))
        assert outbox.status().waiting == 1
        await _disk_takes(outbox, 100_000)
        await outbox.flush()
        await outbox.flush()
        assert outbox.status().fault is None
        assert len(stored.content) == 2_001
        assert sorted(number for _, number in stored.content) == list(range(2_001))
    assert caplog.text.count("readings cannot be stored") == 1
    assert "readings are stored again" in caplog.text


async def test_at_the_memory_bound_the_oldest_goes_and_the_hole_is_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stored = Committed()
    inbox = Inbox[Arrived](bound=50)
    async with an_outbox(tmp_path / "o.db", stored, inbox=inbox) as outbox:
        for rate in range(80):
            outbox.put(a_reading(rate))
        assert outbox.status().unstored == 30
        await outbox.flush()
        stream = outbox.stream
        assert stream is not None
        record = outbox.record(stream)
        assert record is not None
        assert record.holes["notStored"].ranges() == [(0, 29)]
        assert record.pending() == [(30, 79)]
        outbox.put(a_reading(99))
        await outbox.flush()
        assert record.pending() == [(30, 80)]
    async with an_outbox(tmp_path / "o.db") as outbox:
        (record,) = outbox.records()
        assert record.holes["notStored"].ranges() == [(0, 29)]
    assert "dropped unstored" in caplog.text


async def test_a_reading_that_no_series_may_hold_spoils_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        outbox.put(a_reading(60))
        outbox.put(replace(a_reading(0), reading=Reading("heart_rate", float("inf"))))
        outbox.put(a_reading(62))
        await outbox.flush()
        page = await outbox.page(Place(), outbox.behind(), 10)
        assert [row.series.value for row in page.rows] == [[60, 62]]
        assert outbox.status().counters.refused == 1
    assert "a reading of heart_rate is refused" in caplog.text
    assert "inf" not in caplog.text


async def test_a_step_state_is_saved_with_its_reading(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        assert await outbox.load_steps() == {}
        for total in (100, 110, 120):
            outbox.put(_steps(total))
        outbox.put(_steps(7, device="other"))
        await outbox.flush()
    async with an_outbox(tmp_path / "o.db") as outbox:
        states = await outbox.load_steps()
        assert states["watch"] == _steps(120).step_state
        assert states["other"].total == 7


async def test_with_an_interval_commits_keep_their_distance_but_a_flush_does_not_wait(
    tmp_path: Path,
) -> None:
    async with an_outbox(tmp_path / "o.db", interval_ms=60_000) as outbox:
        outbox.put(a_reading(60))
        await until(lambda: outbox.status().counters.readings == 1)
        began_s = time.monotonic()
        outbox.put(a_reading(61))
        outbox.put(a_reading(62))
        await asyncio.sleep(0.05)
        assert outbox.status().counters.readings == 1
        await outbox.flush()
        assert outbox.status().counters.readings == 3
        assert time.monotonic() - began_s < 10


async def test_an_acknowledgement_goes_with_the_next_readings(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        outbox.put(a_reading(60))
        await outbox.flush()
        assert outbox.stream is not None
        outbox.acknowledge(outbox.stream, [(0, 0)], "s")
        assert outbox.status().pending == 0, "memory knows it at once"
        assert outbox.status().counters.commits == 1
        outbox.put(a_reading(61))
        await outbox.flush()
        assert outbox.status().counters.commits == 2


async def test_an_acknowledgement_without_company_is_noted_soon(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        outbox.put(a_reading(60))
        await outbox.flush()
        assert outbox.stream is not None
        outbox.acknowledge(outbox.stream, [(0, 0)], "s")
        await until(lambda: outbox.status().counters.commits == 2)


async def test_a_flush_after_the_end_returns(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        outbox.put(a_reading(60))
    await outbox.flush()


async def test_a_disk_that_stays_full_does_not_hold_up_the_end(tmp_path: Path) -> None:
    began_s = time.monotonic()
    async with an_outbox(tmp_path / "o.db") as outbox:
        await _disk_takes(outbox, 1)
        for rate in range(2_000):
            outbox.put(a_reading(rate % 250))
    assert time.monotonic() - began_s < 5
    async with an_outbox(tmp_path / "o.db") as outbox:
        assert outbox.status().pending == 0


async def test_a_bug_ends_the_writer_and_is_seen(tmp_path: Path) -> None:
    async def give_a_number_twice() -> None:
        async with an_outbox(tmp_path / "o.db") as outbox:
            outbox.put(a_reading(61))
            await outbox.flush()
            own = outbox._writer.own
            assert own is not None
            own.next_seq = 0
            outbox.put(a_reading(62))
            await outbox.watch()

    with pytest.raises(sqlite3.IntegrityError):
        await give_a_number_twice()


async def test_logs_hold_no_reading(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="strapline_bridge"):
        async with an_outbox(tmp_path / "o.db") as outbox:
            outbox.put(a_reading(231))
            await outbox.flush()
    assert "231" not in caplog.text
