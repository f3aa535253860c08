"""How much a database holds, and how large it is: counted where that costs little."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from strapline_server.store.accounts import Kind
from strapline_server.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is in one database.

    Attributes:
        bridges, viewers: principals that were granted something.
        streams: runs of bridges.
        readings: accounted for as received, those of erased users apart.
        database_bytes, log_bytes: the file, and the write-ahead log beside it.
    """

    users: int
    bridges: int
    viewers: int
    streams: int
    readings: int
    database_bytes: int
    log_bytes: int


def read_facts(transaction: Transaction, path: Path) -> Facts:
    """Of one moment. Readings are counted by their numbers: no block is opened."""
    people = transaction.one("count_people")
    readings = transaction.one("count_readings", kind=int(Kind.RECEIVED))
    assert people is not None, "a count is one row"
    assert readings is not None, "a sum is one row"
    return Facts(
        users=people["users"],
        bridges=people["bridges"],
        viewers=people["viewers"],
        streams=people["streams"],
        readings=readings["readings"],
        database_bytes=_size(path),
        log_bytes=_size(path.with_name(f"{path.name}-wal")),
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
