"""Reads a damaged outbox as far as SQLite can, around what it cannot; writes nothing to it."""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter

from strapline_protocol.series import Series

_log = logging.getLogger(__name__)

#: What says that the file, and not the machine, is at fault (sqlite.org/rescode.html).
_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY: Final = 0xFF
#: Attempts to find readable rows between damaged pages, for each stream.
_MOST_PROBES: Final = 256
#: The second where the schema's own text is spoilt.
_FAULTS: Final = (sqlite3.Error, UnicodeDecodeError)
_LARGEST_KEY: Final = 2**63 - 1
_JOINED: Final[TypeAdapter[list[Series]]] = TypeAdapter(
    Annotated[list[Series], Field(min_length=1)]
)


def is_damage(error: BaseException | None) -> bool:
    """Whether an error says that the file is not what was written."""
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    code: int = getattr(error, "sqlite_errorcode", None) or 0
    return code & _PRIMARY in _DAMAGE


def damaged(what: str) -> sqlite3.DatabaseError:
    """The error for damage that SQLite cannot see: it guards its pages' form, not their text."""
    error = sqlite3.DatabaseError(what)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def readable(payload: str) -> list[Series]:
    """The series in a row.

    Raises:
        sqlite3.DatabaseError: it is not what was written.
    """
    try:
        if payload.startswith("["):
            return _JOINED.validate_json(payload)
        return [Series.model_validate_json(payload)]
    except ValueError:
        # Without its cause, which would quote the reading.
        raise damaged("a row holds no readings") from None


def _is_text(row: Sequence[Any]) -> bool:
    """Whether all of a row's text is text: no table takes what is not."""
    try:
        for value in row:
            if isinstance(value, str):
                value.encode()
    except UnicodeEncodeError:
        return False
    return True


class DamagedFile:
    """The tables of a damaged outbox. Rows that cannot be read are passed over."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        self._connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()

    def streams(self) -> Iterator[tuple[Any, ...]]:
        """As the query ``streams`` gives them."""
        there = self._all("SELECT name FROM pragma_table_info('stream')")
        # A file that was damaged before it could be migrated has not all of them.
        alive = "alive_ms" if ("alive_ms",) in there else "0"
        columns = (
            f"key, id, boot_id, zero_ns, next_seq, last_elapsed_ms, {alive}, zero, ended, told, "
            "settled, dead"
        )
        yield from self._between("stream", columns, "key", 0, _LARGEST_KEY)

    def holes(self, stream: int) -> Iterator[tuple[str, str]]:
        """Reason and ranges of a stream's holes."""
        yield from self._all("SELECT reason, ranges FROM hole WHERE stream = ?", stream)

    def series_rows(self, stream: int, most: int) -> Iterator[tuple[str, str | None]]:
        """Payload and store of a stream's rows that begin up to number ``most``."""
        for _, payload, store in self._between(
            "series_row", "first_seq, payload, store", "first_seq", 0, most, stream
        ):
            yield payload, store

    def dead_letters(self, stream: int, most: int) -> Iterator[tuple[str, str, str]]:
        """Code, message and payload of a stream's dead letters."""
        for _, code, message, payload in self._between(
            "dead_letter", "first_seq, code, message, payload", "first_seq", 0, most, stream
        ):
            yield code, message, payload

    def step_states(self) -> Iterator[tuple[str, str]]:
        """State and device."""
        yield from self._all("SELECT state, device FROM step_state")

    def readings_beside(self, streams: Collection[int]) -> int:
        """How many readings there are, as far as can be told, of other streams than these."""
        rows = self._all("SELECT stream, last_seq - first_seq + 1 FROM series_row")
        return sum(count for stream, count in rows if stream not in streams)

    def _all(self, statement: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """The rows up to the first that cannot be read."""
        try:
            yield from filter(_is_text, self._connection.execute(statement, values))
        except _FAULTS as error:
            self._note(error)

    def _between(
        self, table: str, columns: str, key: str, low: int, high: int, stream: int | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """Rows whose key, the first of ``columns``, lies between: from both ends of what is
        damaged, and then between damaged places, largest stretches first.
        """
        where = "" if stream is None else f"stream = {stream} AND "
        select = f"SELECT {columns} FROM {table} WHERE {where}{key} BETWEEN ? AND ? ORDER BY {key}"  # noqa: S608  # our own names and numbers
        stretches, probes = deque([(low, high)]), 0
        while stretches and probes < _MOST_PROBES:
            probes += 1
            low, high = stretches.popleft()
            reached = low - 1
            try:
                for row in self._connection.execute(select, (low, high)):
                    reached = row[0]
                    if _is_text(row):
                        yield row
            except _FAULTS as error:
                self._note(error)
            else:
                continue
            low = reached + 1
            try:
                for row in self._connection.execute(f"{select} DESC", (low, high)):
                    high = row[0] - 1
                    if _is_text(row):
                        yield row
            except _FAULTS as error:
                self._note(error)
            else:
                continue
            middle = (low + high) // 2
            stretches += [part for part in ((low, middle), (middle + 1, high)) if part[0] < part[1]]

    def _note(self, error: Exception) -> None:
        _log.debug("the damaged outbox: %s", type(error).__name__)
