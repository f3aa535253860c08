"""What can be asked at the control socket: a registry, each command with its own models."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from strapline_bridge.control.lines import VERSION, Answer, Fault, Question
from strapline_bridge.errors import BridgeError
from strapline_protocol.base import WireModel
from strapline_protocol.codec import faults_of

P = TypeVar("P", bound=WireModel)
R = TypeVar("R", bound=WireModel)

_JSON: TypeAdapter[object] = TypeAdapter(object)
_SAME: str = "Restart the bridge, so that it is of the same version as this command"


@dataclass(frozen=True, slots=True)
class Command(Generic[P, R]):
    """One command: its name, what it takes, and what it answers."""

    name: str
    params: type[P]
    result: type[R]


class Commands:
    """The commands that a running bridge carries out."""

    def __init__(self) -> None:
        self._known: dict[str, Callable[[object], Awaitable[WireModel]]] = {}

    def add(self, command: Command[P, R], work: Callable[[P], Awaitable[R]]) -> None:
        """Carry out this command from now on.

        Raises:
            ValueError: there is one of that name.
        """
        if command.name in self._known:
            raise ValueError(f"two commands are called {command.name}")

        async def carry_out(params: object) -> WireModel:
            return await work(model_of(command.params, params))

        self._known[command.name] = carry_out

    def names(self) -> Iterable[str]:
        """The commands, by name."""
        return sorted(self._known)

    async def answer(self, question: Question | None) -> Answer:
        """Carry out one command. What goes wrong is the answer; a bug of ours is raised."""
        if question is None:
            return refused("this is no question for a bridge", "Ask with the `strapline` command")
        if question.version != VERSION:
            return refused("the bridge that runs speaks another version", _SAME)
        work = self._known.get(question.command)
        if work is None:
            return refused(f"the bridge that runs knows no `{question.command[:64]}`", _SAME)
        try:
            result = await work(question.params)
        except ValidationError as error:
            return refused(f"{question.command} takes something else ({faults_of(error)})", _SAME)
        except BridgeError as error:
            return refused(error.what, error.remedy, type(error).__name__)
        return Answer(result=_plain(result))


def refused(what: str, remedy: str, kind: str = "") -> Answer:
    """An answer that says why not."""
    return Answer(fault=Fault(what=what, remedy=remedy, kind=kind))


def model_of(kind: type[R], content: object) -> R:
    """Content of a line as a model: through JSON, since strict models take an enum's text there.

    Raises:
        ValidationError: it is something else.
    """
    return kind.model_validate_json(_JSON.dump_json(content), by_alias=True, by_name=False)


def _plain(result: WireModel) -> dict[str, Any]:
    return result.model_dump(mode="json", by_alias=True)
