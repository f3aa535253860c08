"""Each count has a topic and words of its own, and the reference page tells of it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from pydantic.alias_generators import to_camel

from strapline_server.counters import PRESENT, Counters, Topic

_PAGE = Path(__file__).parents[3] / "docs" / "reference" / "server-stats.md"


def test_every_count_has_its_topic_and_words_of_its_own() -> None:
    told = [one.metadata["words"] for one in fields(Counters)]
    assert len(set(told)) == len(told) > 20
    assert {one.metadata["topic"] for one in fields(Counters)} == set(Topic)
    assert all("_" not in words and words[0].islower() for words in told)
    assert {one.name for one in fields(Counters)} > PRESENT


def test_all_begin_at_nothing() -> None:
    assert all(getattr(Counters(), one.name) == 0 for one in fields(Counters))


def test_the_page_tells_of_each_in_the_same_words() -> None:
    page = _PAGE.read_text("utf-8")
    missing = [
        one.name
        for one in fields(Counters)
        if f"| `{to_camel(one.name)}` | {one.metadata['words']} |" not in page
    ]
    assert missing == []
