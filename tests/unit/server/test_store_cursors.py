"""Cursors: they go on with their own question, and whatever else comes is refused in one way."""

from __future__ import annotations

import base64

import pytest

from strapline_protocol.base import SAFE_INTEGER
from strapline_server.store.cursors import Cursor, safe

QUESTION: list[str | int] = ["ana", 1, 2]


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_a_question_goes_on_where_its_page_ended() -> None:
    assert Cursor(QUESTION, None).told() is None
    places: tuple[list[str | int], ...] = ([7, "x"], [], ["ü", -1])
    for place in places:
        cursor = Cursor(QUESTION, None).at(place)
        assert cursor.isascii()
        assert "=" not in cursor
        assert Cursor(QUESTION, cursor).told() == place


@pytest.mark.parametrize(
    "after",
    [
        Cursor(["ben", 1, 2], None).at([7]),
        Cursor(["ana", 12], None).at([7]),
        "",
        "abc",
        "é",
        encoded("[]"),
        encoded("7"),
        encoded('{"a": 1}'),
        encoded("[" * 10_000),
        encoded('["' + "9" * 8 + '", 7]'),
    ],
    ids=range(10),
)
def test_any_other_is_refused_with_what_to_do(after: str) -> None:
    with pytest.raises(ValueError, match="begins anew without after"):
        Cursor(QUESTION, after).told()


def test_numbers_beyond_the_safe_ones_never_reach_the_database() -> None:
    assert safe(0, SAFE_INTEGER, -SAFE_INTEGER)
    assert not safe(0, SAFE_INTEGER + 1)
    assert not safe(-SAFE_INTEGER - 1, 0)
