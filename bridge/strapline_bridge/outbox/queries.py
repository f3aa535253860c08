"""The SQL of the outbox, by name: ``sql/queries.sql``, and the numbered migrations beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_MARK = "-- name:"


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema, run once in one transaction with its record."""

    version: int
    name: str
    script: str


def parse_queries(text: str) -> dict[str, str]:
    """Statements by the name in the ``-- name:`` line above each.

    Raises:
        ValueError: a name stands twice, or over nothing.
    """
    found: dict[str, str] = {}
    for part in text.split(_MARK)[1:]:
        name, _, statement = part.partition("\n")
        name, statement = name.strip(), statement.strip().rstrip(";")
        if not statement or name in found:
            raise ValueError(f"query {name!r} is empty or stands twice")
        found[name] = statement
    return found


@cache
def queries() -> Mapping[str, str]:
    """All queries of the outbox by name."""
    text = (files("strapline_bridge.outbox") / "sql" / "queries.sql").read_text("utf-8")
    return MappingProxyType(parse_queries(text))


@cache
def migrations() -> tuple[Migration, ...]:
    """All migrations, oldest first: ``0001_outbox.sql`` is version 1, named ``0001_outbox``."""
    folder = files("strapline_bridge.outbox") / "sql"
    scripts = {
        entry.name.removesuffix(".sql"): entry.read_text("utf-8")
        for entry in folder.iterdir()
        if entry.name[:4].isdigit()
    }
    return tuple(Migration(int(name[:4]), name, scripts[name]) for name in sorted(scripts))
