"""What is on a card or in a store, read from the file itself and not by the code under test."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from strapline_protocol.digest import lines_of
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.series import Series

#: A reading: its stream and its number.
Identity = tuple[str, int]
#: How the store accounts for a number.
RECEIVED, REJECTED, DROPPED, ERASED = range(1, 5)


def _sets() -> dict[str, IntervalSet]:
    return defaultdict(IntervalSet)


@dataclass
class Card:
    """An outbox's file.

    Attributes:
        rows: the line of each reading that is there.
        pending: those that no server has.
        numbers: how many of each stream were given out.
    """

    rows: dict[Identity, str] = field(default_factory=dict)
    twice: list[Identity] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    settled: dict[str, IntervalSet] = field(default_factory=_sets)
    dead: dict[str, IntervalSet] = field(default_factory=_sets)
    holes: dict[str, IntervalSet] = field(default_factory=_sets)
    untold: list[str] = field(default_factory=list)

    def knows(self, identity: Identity) -> bool:
        """Whether it gave out this number, and so has to account for it."""
        stream, number = identity
        return number < self.numbers.get(stream, 0)

    def pending(self) -> dict[str, IntervalSet]:
        """What is neither settled nor dead nor a hole."""
        left = {}
        for stream, numbers in self.numbers.items():
            given = IntervalSet([(0, numbers - 1)] if numbers else [])
            for done in (self.settled, self.dead, self.holes):
                given = given.minus(done[stream])
            left[stream] = given
        return left


def read_card(path: Path) -> Card:
    """Look at a copy of an outbox, which is changed by that."""
    card = Card()
    with closing(sqlite3.connect(path)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'stream'").fetchone():
            return card  # its run was killed before it had made any table
        streams = {}
        query = "SELECT key, id, next_seq, told, settled, dead FROM stream"
        for key, stream, numbers, told, settled, dead in database.execute(query):
            streams[key] = stream
            card.numbers[stream] = numbers
            card.settled[stream] = IntervalSet(json.loads(settled))
            card.dead[stream] = IntervalSet(json.loads(dead))
            if not told:
                card.untold.append(stream)
        for key, ranges in database.execute("SELECT stream, ranges FROM hole"):
            card.holes[streams[key]].update(json.loads(ranges))
        for key, payload in database.execute("SELECT stream, payload FROM series_row"):
            content = json.loads(payload)
            for one in content if isinstance(content, list) else [content]:
                series = Series.model_validate_json(json.dumps(one))
                for number, line in lines_of(series):
                    if (streams[key], number) in card.rows:
                        card.twice.append((streams[key], number))
                    card.rows[streams[key], number] = line
    return card


@dataclass
class Stored:
    """A store's file.

    Attributes:
        lines: of each reading, as often as it is there.
        accounts: by kind, then stream.
        positions: of each user.
        heads: the last position of each user and metric.
        shown: whom each viewer may see.
    """

    lines: dict[Identity, list[str]] = field(default_factory=lambda: defaultdict(list))
    accounts: dict[int, dict[str, IntervalSet]] = field(default_factory=lambda: defaultdict(_sets))
    positions: dict[str, int] = field(default_factory=dict)
    heads: dict[tuple[str, str], int] = field(default_factory=dict)

    def received(self, identity: Identity) -> bool:
        """Whether it is there."""
        return identity[1] in self.accounts[RECEIVED][identity[0]]


def read_store(database: sqlite3.Connection) -> Stored:
    """Look at what is committed."""
    stored = Stored()
    database.execute("BEGIN")
    streams = dict(database.execute("SELECT stream_key, id FROM streams"))
    for key, data in database.execute("SELECT stream_key, data FROM blocks"):
        series = Series.model_validate_json(zlib.decompress(data))
        for number, line in lines_of(series):
            stored.lines[streams[key], number].append(line)
    for key, kind, first, last in database.execute(
        "SELECT stream_key, kind, first, last FROM accounts"
    ):
        stored.accounts[kind][streams[key]].add(first, last)
    stored.positions = dict(database.execute("SELECT id, position FROM users"))
    query = "SELECT id, metric, heads.position FROM heads JOIN users USING (user_key)"
    stored.heads = {(user, metric): at for user, metric, at in database.execute(query)}
    database.execute("COMMIT")
    return stored


_ACCOUNTED: Final = """
SELECT first, last FROM accounts JOIN streams USING (stream_key) WHERE id = ?
"""


def accounted(database: sqlite3.Connection, stream: str) -> IntervalSet:
    """Every number of a stream that is durably accounted for, in whichever way."""
    return IntervalSet(database.execute(_ACCOUNTED, (stream,)).fetchall())


def shown_to(database: sqlite3.Connection, sub: str) -> frozenset[str]:
    """Whom a viewer may see, by what is committed."""
    query = "SELECT id FROM grants JOIN users USING (user_key) WHERE sub = ?"
    return frozenset(user for (user,) in database.execute(query, (sub,)))


def by_stream(lines: Iterable[tuple[Identity, str]]) -> dict[str, list[tuple[int, str]]]:
    """Numbers and lines in order, for a digest of each stream."""
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for (stream, number), line in lines:
        found[stream].append((number, line))
    return {stream: sorted(numbered) for stream, numbered in found.items()}
