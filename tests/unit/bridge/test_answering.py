"""The list of what a running bridge can be asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from strapline_bridge.answering import commands_of
from strapline_bridge.control.lines import VERSION, Question
from strapline_bridge.uplink import NotConnectedError
from tests.integration.bridge_kit import a_reading, an_outbox


async def _nobody(method: str, params: Any, kind: type[Any]) -> Any:
    raise NotConnectedError("this bridge is not connected to its server", "Wait")


async def _asked(commands: Any, command: str, **params: Any) -> Any:
    return await commands.answer(Question(version=VERSION, command=command, params=params))


async def test_all_of_it_is_asked_of_the_open_outbox(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        outbox.put(a_reading())
        await outbox.flush()
        commands = commands_of(outbox, _nobody)
        assert commands.names() == ["deadLetters", "handleDeadLetters", "verify"]
        verified = await _asked(commands, "verify", offline=True)
        assert (verified.result["toSend"], verified.result["against"]) == (1, "nothing")
        assert (await _asked(commands, "deadLetters")).result["letters"] == []
        handled = await _asked(commands, "handleDeadLetters", discard=True)
        assert handled.result == {"readings": 0}


async def test_without_a_connection_it_cannot_be_compared(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        outbox.put(a_reading())
        await outbox.flush()
        answer = await _asked(commands_of(outbox, _nobody), "verify")
        assert answer.result is None
        assert (answer.fault.kind, answer.fault.remedy) == ("NotConnectedError", "Wait")
