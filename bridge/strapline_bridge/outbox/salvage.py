"""A damaged outbox: kept aside as it is, and all that can still be read of it goes on in a new one.

The new file is filled under another name and moved into place when it is whole, so that a power
cut at any moment leaves either the old one or the new one::

    outbox.db            damaged
    outbox.db.salvaging  being filled; of no worth until it is whole
    outbox.db.salvaged   whole: what is left to do is to move both
    outbox.db.damaged-1  the old one, for a person to look at
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from strapline_bridge.outbox.damage import DamagedFile, readable
from strapline_bridge.outbox.database import open_database
from strapline_bridge.outbox.ledger import StreamRecord, ranges_from_json, ranges_to_json
from strapline_bridge.outbox.queries import queries
from strapline_bridge.outbox.rows import letter_values, row_values
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.series import Series

_log = logging.getLogger(__name__)

#: The hole of readings that a damaged file does not give back.
DAMAGED: Final = "damaged"
#: So many damaged files stay: a disk that spoils each new one must not fill up with them.
MOST_ASIDE: Final = 3
_SIDE_FILES: Final = ("-wal", "-shm")


@dataclass(slots=True)
class Salvage:
    """What became of a damaged file.

    Attributes:
        aside: where it is now.
        saved: readings, still to be sent or kept, that go on in the new file.
        lost: numbers of each stream that were to be sent and cannot be read any more.
        unplaced: readings whose stream cannot be read; they are in the old file alone.
    """

    aside: Path
    saved: int = 0
    lost: dict[str, IntervalSet] = field(default_factory=dict)
    unplaced: int = 0

    @property
    def lost_readings(self) -> int:
        """How many readings that were still to be sent are gone."""
        return sum(last - first + 1 for numbers in self.lost.values() for first, last in numbers)


def finish(path: Path) -> None:
    """Move into place what an earlier salvage had made whole, where it was cut off there."""
    whole = _beside(path, ".salvaged")
    if whole.exists():
        if path.exists():
            _put_aside(path)
        for end in _SIDE_FILES:
            # Of a file that was moved away already: it must not be taken for the new one's.
            _beside(path, end).unlink(missing_ok=True)
        whole.rename(path)
        _sync(path.parent)


async def salvage(path: Path, known: Iterable[StreamRecord] = ()) -> Salvage:
    """Put ``path`` aside and make a new outbox of what can be read of it. Nobody has it open.

    Args:
        path: of the damaged database.
        known: streams as memory knows them, which is newer than what the file says.

    Raises:
        OSError: the folder cannot be written; the old file is where it was.
        OutboxError: the new file cannot be made; the old one is where it was.
        sqlite3.Error: the new file cannot be written; the old one is where it was.
    """
    scratch = _beside(path, ".salvaging")
    await asyncio.to_thread(_clear, scratch)
    await (await open_database(scratch)).close()
    records = {record.key: record for record in known}
    found = await asyncio.to_thread(_fill, path, scratch, records)
    await asyncio.to_thread(_move, path, scratch, found)
    _log.error(
        "%s was damaged and is kept as %s. Of it %d readings go on in a new outbox, %d that were "
        "still to be sent cannot be read, and the server is told so. Check the disk; the old file "
        "can go once nobody needs it",
        path,
        found.aside,
        found.saved,
        found.lost_readings + found.unplaced,
    )
    return found


def _fill(path: Path, scratch: Path, known: Mapping[int, StreamRecord]) -> Salvage:
    found = Salvage(path)
    with (
        closing(sqlite3.connect(scratch, isolation_level=None)) as new,
        closing(DamagedFile(path)) as old,
    ):
        new.execute("PRAGMA synchronous = FULL")
        new.execute("PRAGMA foreign_keys = ON")
        new.execute("BEGIN IMMEDIATE")
        _Filling(old, new, known, found).carry_over()
        new.execute("COMMIT")
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return found


class _Filling:
    """Brings over what can be read, in the order in which rows refer to one another."""

    def __init__(
        self,
        old: DamagedFile,
        new: sqlite3.Connection,
        known: Mapping[int, StreamRecord],
        found: Salvage,
    ) -> None:
        self._old = old
        self._new = new
        self._known = known
        self._found = found
        self._sql = queries()

    def carry_over(self) -> None:
        """All of it, then what is missing as a hole, so that the server is told."""
        records = self._records()
        for record in records.values():
            self._new.execute(self._sql["save_stream"], record.to_row())
            there = self._rows(record)
            self._dead_letters(record)
            lost = IntervalSet(record.pending()).minus(there)
            if lost:
                self._found.lost[record.id] = lost
            self._holes(record, lost)
        for state, device in self._old.step_states():
            self._new.execute(self._sql["save_step_state"], {"device": device, "state": state})
        self._found.unplaced = self._old.readings_beside(records)

    def _records(self) -> dict[int, StreamRecord]:
        records: dict[int, StreamRecord] = {}
        for row in self._old.streams():
            try:
                record = StreamRecord.from_row(row)
                record.holes = {
                    reason: ranges_from_json(ranges)
                    for reason, ranges in self._old.holes(record.key)
                }
            except ValueError as error:
                _log.warning("the damaged outbox: a stream cannot be read (%s)", type(error))
            else:
                records[record.key] = record
        return {**records, **self._known}

    def _rows(self, record: StreamRecord) -> IntervalSet:
        """The numbers of this stream whose reading is in the new file."""
        there = IntervalSet()
        most = max(record.next_seq - 1, 0)
        for payload, store in self._old.series_rows(record.key, most):
            series = _series(payload)
            if series is None:
                continue
            numbers = IntervalSet(span for one in series for span in one.ranges())
            if len(numbers.ranges()) > 1 or numbers.minus(there) != numbers:
                continue
            self._new.execute(self._sql["insert_row"], row_values(series, record.key, store))
            there.update(numbers)
            self._found.saved += sum(map(len, series))
        return there

    def _dead_letters(self, record: StreamRecord) -> None:
        most = max(record.next_seq - 1, 0)
        for code, message, payload in self._old.dead_letters(record.key, most):
            for letter in _series(payload) or ():
                values = letter_values(letter, record.key, code, message)
                self._new.execute(self._sql["insert_dead_letter"], values)

    def _holes(self, record: StreamRecord, lost: IntervalSet) -> None:
        holes = dict(record.holes)
        if lost:
            spoilt = holes.get(DAMAGED, IntervalSet()).copy()
            spoilt.update(lost)
            holes[DAMAGED] = spoilt
        for reason, numbers in holes.items():
            if numbers:
                values = {"stream": record.key, "reason": reason, "ranges": ranges_to_json(numbers)}
                self._new.execute(self._sql["save_hole"], values)


def _series(payload: str) -> list[Series] | None:
    try:
        return readable(payload)
    except sqlite3.DatabaseError:
        return None


# ------------------------------------------------------------------------------------- the files


def _beside(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)


def _clear(scratch: Path) -> None:
    for end in ("", *_SIDE_FILES):
        _beside(scratch, end).unlink(missing_ok=True)


def _move(path: Path, scratch: Path, found: Salvage) -> None:
    _sync(scratch)
    for end in _SIDE_FILES:
        _beside(scratch, end).unlink(missing_ok=True)
    scratch.rename(_beside(path, ".salvaged"))
    _sync(path.parent)
    found.aside = _put_aside(path)
    finish(path)


def _put_aside(path: Path) -> Path:
    """Under the next free number. What SQLite has in the files beside it goes with it."""
    taken = sorted(aside_files(path), key=_number)
    number = _number(taken[-1]) + 1 if taken else 1
    for old in taken[: max(0, len(taken) - MOST_ASIDE + 1)]:
        _log.error("%s, damaged earlier, is removed: %d such files stay", old, MOST_ASIDE)
        _clear(old)
    aside = _beside(path, f".damaged-{number}")
    for end in (*_SIDE_FILES, ""):
        if _beside(path, end).exists():
            _beside(path, end).rename(_beside(aside, end))
    _sync(path.parent)
    return aside


def aside_files(path: Path) -> list[Path]:
    """The damaged files that were put aside of this outbox."""
    return [
        file
        for file in path.parent.glob(f"{path.name}.damaged-*")
        if file.name.rpartition("-")[2].isdigit()
    ]


def _number(aside: Path) -> int:
    return int(aside.name.rpartition("-")[2])


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
