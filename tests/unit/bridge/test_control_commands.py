"""The registry of commands: what is not known, not understood or not possible is said."""

from __future__ import annotations

import pytest

from strapline_bridge.control import Command, Commands
from strapline_bridge.control.lines import VERSION, Question
from strapline_bridge.errors import BridgeError
from strapline_protocol.base import WireModel


class Twice(WireModel):
    number_of: int


class Doubled(WireModel):
    number_of: int


TWICE = Command("twice", Twice, Doubled)


async def _double(asked: Twice) -> Doubled:
    if asked.number_of < 0:
        raise BridgeError("a number is below zero", "Ask for another")
    if asked.number_of == 13:
        raise RuntimeError("a bug")
    return Doubled(number_of=2 * asked.number_of)


def _commands() -> Commands:
    commands = Commands()
    commands.add(TWICE, _double)
    return commands


def _question(number: object = 4, command: str = "twice", version: int = VERSION) -> Question:
    return Question.model_validate(
        {"version": version, "command": command, "params": {"numberOf": number}}
    )


async def test_a_command_takes_its_own_model_and_answers_with_its_own() -> None:
    answer = await _commands().answer(_question())
    assert (answer.result, answer.fault) == ({"numberOf": 8}, None)


@pytest.mark.parametrize(
    ("question", "what", "remedy"),
    [
        (None, "no question", "Ask with"),
        (_question(version=2), "another version", "Restart"),
        (_question(command="thrice"), "knows no `thrice`", "Restart"),
        (_question("4"), "takes something else (numberOf:", "Restart"),
        (_question(-1), "below zero", "Ask for another"),
    ],
)
async def test_what_cannot_be_is_said_with_a_remedy(
    question: Question | None, what: str, remedy: str
) -> None:
    answer = await _commands().answer(question)
    assert answer.result is None
    assert answer.fault is not None
    assert what in answer.fault.what
    assert remedy in answer.fault.remedy


async def test_an_error_of_the_bridge_keeps_its_name() -> None:
    fault = (await _commands().answer(_question(-1))).fault
    assert fault is not None
    assert fault.kind == "BridgeError"


async def test_a_bug_is_not_made_an_answer() -> None:
    with pytest.raises(RuntimeError):
        await _commands().answer(_question(13))


def test_no_two_commands_have_one_name() -> None:
    commands = _commands()
    with pytest.raises(ValueError, match="two commands"):
        commands.add(TWICE, _double)
    assert commands.names() == ["twice"]
