"""The command's end of the control socket: asks the bridge that runs, if one does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ValidationError

from strapline_bridge.control.commands import Command, model_of
from strapline_bridge.control.errors import ControlError
from strapline_bridge.control.lines import (
    LONGEST_ANSWER,
    VERSION,
    Answer,
    Question,
    from_line,
    to_line,
)
from strapline_bridge.control.place import NAME, reachable
from strapline_protocol.base import WireModel

P = TypeVar("P", bound=WireModel)
R = TypeVar("R", bound=WireModel)

#: For an answer that the bridge has at hand.
_WITHIN_S: Final = 60.0


async def ask(
    folder: Path, command: Command[P, R], params: P, *, within_s: float = _WITHIN_S
) -> R | None:
    """What the bridge of this state folder answers; None where none runs.

    Raises:
        ControlError: one runs, and it cannot be asked or does not do it; with cause and remedy.
    """
    try:
        async with asyncio.timeout(within_s):
            line = await _exchange(folder, command.name, params)
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except PermissionError:
        raise ControlError(
            f"the bridge at {folder / NAME} is another user's",
            "Ask as the user that runs it, with `runuser -u USER -- strapline bridge …`",
        ) from None
    except TimeoutError:
        raise ControlError(
            f"the bridge at {folder / NAME} does not answer", "Look into its log, or restart it"
        ) from None
    except OSError as error:
        raise ControlError(
            f"the bridge at {folder / NAME} cannot be asked ({error.strerror or error})",
            "Look into its log, or restart it",
        ) from None
    return _result(command, from_line(Answer, line))


async def _exchange(folder: Path, name: str, params: WireModel) -> bytes:
    with reachable(folder) as path:
        reader, writer = await asyncio.open_unix_connection(path, limit=LONGEST_ANSWER)
    try:
        content = params.model_dump(mode="json", by_alias=True)
        writer.write(to_line(Question(version=VERSION, command=name, params=content)))
        try:
            return await reader.readuntil(b"\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            raise ControlError(
                f"the bridge at {folder / NAME} went away or was busy before it answered",
                "Ask again once it runs",
            ) from None
    finally:
        writer.close()


def _result(command: Command[P, R], answer: Answer | None) -> R:
    if answer is not None and answer.fault is not None:
        fault = answer.fault
        raise ControlError(fault.what, fault.remedy, fault.kind)
    try:
        return model_of(command.result, answer.result if answer is not None else None)
    except ValidationError:
        raise ControlError(
            "the bridge that runs answers in another way than this command expects",
            "Restart the bridge, so that it is of the same version as this command",
        ) from None
