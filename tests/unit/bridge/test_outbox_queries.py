"""Queries stand under their names; migrations stand in order."""

from __future__ import annotations

import pytest

from strapline_bridge.outbox.queries import migrations, parse_queries, queries


def test_statements_by_name() -> None:
    text = "-- a comment\n-- name: one\nSELECT 1;\n\n-- name: two\nSELECT 2\nFROM t;\n"
    assert parse_queries(text) == {"one": "SELECT 1", "two": "SELECT 2\nFROM t"}


@pytest.mark.parametrize(
    "text", ["-- name: one\n", "-- name: one\nSELECT 1;\n-- name: one\nSELECT 2;\n"]
)
def test_an_empty_or_doubled_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="one"):
        parse_queries(text)


def test_migrations_ascend_from_one() -> None:
    assert [step.version for step in migrations()] == list(range(1, len(migrations()) + 1))
    assert migrations()[0].name == "0001_outbox"


def test_no_query_is_written_twice_or_for_nobody() -> None:
    assert len(queries()) == len(set(queries().values()))
