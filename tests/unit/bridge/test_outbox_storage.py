"""The open outbox: what memory learns from the file, and who may use it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from strapline_bridge.outbox.errors import OutboxReadError
from strapline_bridge.outbox.salvage import aside_files
from strapline_bridge.outbox.storage import Storage
from strapline_bridge.outbox.transaction import Limits, Transaction
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


async def test_what_is_acknowledged_while_it_is_discarded_is_no_hole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Transaction._write
    limits = Limits(most_bytes=2_000, kept_bytes=0)
    async with an_outbox(tmp_path / "o.db", limits=limits) as outbox:
        outbox.put(a_reading(60))
        await outbox.flush()
        stream = outbox.stream
        assert stream is not None

        async def answered(self: Transaction, *args: Any) -> None:
            await write(self, *args)
            # An answer comes between the eviction and its commit.
            for numbers in self.outcome.holes.values():
                outbox.acknowledge(stream, numbers.ranges(), "s")

        monkeypatch.setattr(Transaction, "_write", answered)
        for at in range(40):
            outbox.put(a_reading(at))
            await outbox.flush()
        record = outbox.record(stream)
        assert record is not None
        assert record.settled
        assert not record.holes["sizeBound"]


async def test_a_hole_ends_in_the_commit_that_settles_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, copy = tmp_path / "o.db", tmp_path / "copy.db"
    limits = Limits(most_bytes=2_000, kept_bytes=0)
    many = Transaction._many
    async with an_outbox(path, limits=limits) as outbox:
        for at in range(40):
            outbox.put(a_reading(at))
            await outbox.flush()
        stream = outbox.stream
        record = outbox.record(stream) if stream else None
        assert stream is not None
        assert record is not None
        holes = record.holes["sizeBound"].ranges()
        assert holes

        async def answered(self: Transaction, name: str, values: Any) -> None:
            await many(self, name, values)
            if name == "save_stream":
                # The server's answer to DROPPED comes while the stream is being saved.
                outbox.acknowledge(stream, holes, "s")

        monkeypatch.setattr(Transaction, "_many", answered)
        outbox.put(a_reading(60))
        await outbox.flush()
        # What a kill at this moment leaves.
        with sqlite3.connect(path) as here, sqlite3.connect(copy) as there:
            here.backup(there)
        here.close()
        there.close()
        monkeypatch.undo()
    async with an_outbox(copy, limits=limits) as later:
        found = later.record(stream)
        assert found is not None
        lost = [span for span in found.pending() if span[0] <= holes[-1][1]]
        assert lost == []
