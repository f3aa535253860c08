"""Damage: what is the file's fault, and what of it can be read all the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from strapline_bridge.outbox.damage import DamagedFile, damaged, is_damage, readable
from tests.integration.bridge_kit import a_reading, an_outbox


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_CORRUPT, True),
        (sqlite3.SQLITE_CORRUPT_INDEX, True),
        (sqlite3.SQLITE_NOTADB, True),
        (sqlite3.SQLITE_FULL, False),
        (sqlite3.SQLITE_IOERR, False),
        (sqlite3.SQLITE_READONLY, False),
    ],
)
def test_damage_is_the_files_fault_and_not_the_disks(code: int, expected: bool) -> None:
    error = sqlite3.DatabaseError("what")
    error.sqlite_errorcode = code
    assert is_damage(error) is expected


def test_other_faults_are_no_damage() -> None:
    assert is_damage(damaged("rot"))
    assert not is_damage(OSError(5, "I/O"))
    assert not is_damage(None)
    assert not is_damage(sqlite3.ProgrammingError("closed"))


@pytest.mark.parametrize("payload", ['{"user": "anna", "value": [61', '{"user": "\udcff"}'])
def test_a_row_without_readings_is_damage_and_not_quoted(payload: str) -> None:
    with pytest.raises(sqlite3.DatabaseError) as fault:
        readable(payload)
    assert is_damage(fault.value)
    assert fault.value.__cause__ is None
    assert "61" not in str(fault.value)


async def test_nothing_is_written_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path) as outbox:
        for _ in range(5):
            outbox.put(a_reading())
            await outbox.flush()
    before = path.read_bytes()
    with closing(DamagedFile(path)) as file:
        ((key, *_),) = file.streams()
        assert len(list(file.series_rows(key, 4))) == 5
        assert len(list(file.series_rows(key, 2))) == 3
        assert file.readings_beside([key]) == 0
        assert file.readings_beside([]) == 5
    assert path.read_bytes() == before


async def test_a_row_with_text_that_is_none_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path) as outbox:
        for _ in range(3):
            outbox.put(a_reading())
            await outbox.flush()
    with closing(sqlite3.connect(path)) as plain, plain:
        plain.execute("UPDATE series_row SET store = CAST(x'7380' AS TEXT) WHERE first_seq = 1")
    with closing(DamagedFile(path)) as file:
        ((key, *_),) = file.streams()
        rows = [readable(payload) for payload, _ in file.series_rows(key, 2)]
        assert [series.seq[0] for (series,) in rows] == [0, 2]
