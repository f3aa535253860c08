"""SQL in files: every statement has one name, every migration one number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import strapline_server.store
from strapline_server.store import queries
from strapline_server.store.queries import load_migrations, load_queries

FOLDER = Path(strapline_server.store.__file__).parent


def test_every_query_is_asked_somewhere_and_every_question_is_there() -> None:
    asked: set[str] = set()
    for file in FOLDER.glob("*.py"):
        text = file.read_text()
        asked |= set(re.findall(r"\.(?:run|one|all|each)\(\s*\"(\w+)\"", text))
        asked |= set(re.findall(r"transaction\.\w+\(\"(\w+)\"", text))
    asked |= {"insert_device"}
    assert asked == set(load_queries())


def test_migrations_are_numbered_from_one() -> None:
    found = load_migrations()
    assert [number for number, _, _ in found] == list(range(1, len(found) + 1))


def test_two_queries_of_one_name_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "a.sql").write_text("-- name: one\nSELECT 1;\n-- name: one\nSELECT 2;\n")
    (tmp_path / "sql" / "notes.txt").write_text("-- name: two\n")
    monkeypatch.setattr(queries, "files", lambda _: tmp_path)
    with pytest.raises(ValueError, match="second query is named one"):
        load_queries()


def test_a_hole_in_the_numbers_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "0002_x.sql").write_text("")
    monkeypatch.setattr(queries, "files", lambda _: tmp_path)
    with pytest.raises(ValueError, match="not numbered"):
        load_migrations()
