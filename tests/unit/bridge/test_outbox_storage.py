"""The open outbox: what memory learns from the file, and who may use it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from strapline_bridge.outbox.errors import OutboxReadError
from strapline_bridge.outbox.salvage import aside_files
from strapline_bridge.outbox.storage import Storage
from strapline_bridge.outbox.transaction import Limits
from tests.integration.bridge_kit import a_reading, an_outbox


async def test_a_stream_of_which_nothing_is_left_to_say_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    limits = Limits(kept_bytes=0)
    async with an_outbox(path, limits=limits) as outbox:
        outbox.put(a_reading())
        await outbox.flush()
        assert outbox.stream is not None
        outbox.acknowledge(outbox.stream, [(0, 0)], "store")
    async with an_outbox(path, limits=limits) as outbox:
        (record,) = outbox.records()
        outbox.answered(record.message(), [(0, 0)], "store")
    async with an_outbox(path, limits=limits) as outbox:
        assert outbox.records() == []


async def test_its_end_is_told_before_a_stream_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path, limits=Limits(kept_bytes=0)) as outbox:
        outbox.put(a_reading())
        await outbox.flush()
        assert outbox.stream is not None
        record = outbox.record(outbox.stream)
        assert record is not None
        outbox.answered(record.message(), [(0, 0)], "store")
    async with an_outbox(path) as outbox:
        (record,) = outbox.records()
        assert not record.told


async def test_a_file_without_one_of_its_tables_is_damaged_and_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path):
        pass
    with sqlite3.connect(path) as plain:
        plain.execute("DROP TABLE series_row")
    plain.close()
    storage = await Storage.open(path, Limits())
    await storage.close()
    assert len(aside_files(path)) == 1


async def test_a_read_that_the_disk_refuses_is_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path) as outbox:
        with sqlite3.connect(path) as plain:
            plain.execute("DROP TABLE dead_letter")
        plain.close()
        with pytest.raises(OutboxReadError, match="no such table"):
            await outbox.dead_letters()
