"""A line each: nothing of one that is none is told."""

from __future__ import annotations

import json

import pytest

from strapline_bridge.control.lines import Answer, Fault, Question, from_line, to_line


def test_a_question_and_an_answer_survive_their_lines() -> None:
    question = Question(version=1, command="x", params={"text": "two\nlines"})
    line = to_line(question)
    assert line.count(b"\n") == 1
    assert from_line(Question, line) == question
    answer = Answer(fault=Fault(what="w", remedy="r", kind="k"))
    assert from_line(Answer, to_line(answer)) == answer
    assert json.loads(to_line(Answer(result={}))) == {"version": 1, "result": {}}


@pytest.mark.parametrize("line", [b"", b"GET /stats HTTP/1.1\r\n", b"[]", b"{", b'{"version":"1"}'])
def test_what_is_no_question_is_none(line: bytes) -> None:
    assert from_line(Question, line) is None
