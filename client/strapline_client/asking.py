"""What a program asks by question: the past page by page, its gaps, sessions and marks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from itertools import zip_longest
from typing import TypeVar

from pydantic import JsonValue, ValidationError

from strapline_client.errors import NotConnectedError
from strapline_protocol.asking import (
    EndSessionParams,
    GapsPage,
    GapsParams,
    HistoryPage,
    HistoryParams,
    MarkParams,
    MarkResult,
    SessionMeasured,
    SessionResult,
    SessionsPage,
    SessionsParams,
    StartSessionParams,
)
from strapline_protocol.base import WireModel
from strapline_protocol.codec import faults_of
from strapline_protocol.metrics import MARK
from strapline_protocol.watching import Mark, Session

Ask = Callable[[str, Mapping[str, JsonValue]], Awaitable[WireModel]]
P = TypeVar("P", GapsPage, HistoryPage, SessionsPage)
M = TypeVar("M", bound=WireModel)


class Asking:
    """The questions of one service.

    Args:
        ask: puts one, in the session that stands.
        standing: returns once a session stands; raises once there will be none.
    """

    def __init__(self, ask: Ask, standing: Callable[[], Awaitable[None]]) -> None:
        self._ask = ask
        self._standing = standing

    async def history(self, question: HistoryParams) -> AsyncIterator[HistoryPage]:
        """All pages."""
        async for page in self._pages("history", question, HistoryPage):
            yield page

    async def gaps(self, question: GapsParams) -> AsyncIterator[GapsPage]:
        """All pages."""
        async for page in self._pages("gaps", question, GapsPage):
            yield page

    async def sessions(self, question: SessionsParams) -> AsyncIterator[SessionMeasured]:
        """By their start."""
        async for page in self._pages("sessions", question, SessionsPage):
            for session in page.sessions:
                yield session

    async def marks(self, user: str, from_ms: int, to_ms: int) -> AsyncIterator[Mark]:
        """By their moment: the history of what was said."""
        question = checked(HistoryParams, user=user, metric=MARK.name, from_ms=from_ms, to_ms=to_ms)
        async for page in self.history(question):
            found = [
                Mark(at_ms=at_ms, label=_text(label))
                for series in page.series
                for at_ms, label in zip_longest(series.at(), _labels(series.model_extra))
            ]
            for mark in sorted(found, key=lambda one: one.at_ms):
                yield mark

    async def start_session(self, question: StartSessionParams) -> Session:
        """The session as it is now."""
        answer = await self._ask("startSession", _params(question))
        assert isinstance(answer, SessionResult)
        return answer.session

    async def end_session(self, question: EndSessionParams) -> Session:
        """The session as it is now."""
        answer = await self._ask("endSession", _params(question))
        assert isinstance(answer, SessionResult)
        return answer.session

    async def mark(self, question: MarkParams) -> Mark:
        """The mark as it was stored."""
        answer = await self._ask("mark", _params(question))
        assert isinstance(answer, MarkResult)
        return answer.mark

    async def _pages(
        self, method: str, question: GapsParams | HistoryParams | SessionsParams, kind: type[P]
    ) -> AsyncIterator[P]:
        """Page after page; over connections, since the place where one ended stays true."""
        while True:
            await self._standing()
            try:
                page = await self._ask(method, _params(question))
            except NotConnectedError:
                # Whoever ends the connection gets a turn to say so, whatever stands until then.
                await asyncio.sleep(0)
                continue
            assert isinstance(page, kind)
            yield page
            if page.next is None:
                return
            question = question.model_copy(update={"after": page.next})


def checked(model: type[M], **fields: object) -> M:
    """The params, checked here, so that a mistake is told where it was made.

    Raises:
        ValueError: a field is not what the method takes.
    """
    try:
        # By the wire's names, since only those are told in a fault.
        named = {model.model_fields[name].alias or name: value for name, value in fields.items()}
        return model.model_validate(named)
    except ValidationError as error:
        raise ValueError(f"not asked: {faults_of(error)}") from None


def _params(question: WireModel) -> dict[str, JsonValue]:
    return question.model_dump(mode="json", by_alias=True)


def _labels(extra: Mapping[str, JsonValue] | None) -> list[JsonValue]:
    labels = (extra or {}).get("label")
    return labels if isinstance(labels, list) else []


def _text(label: JsonValue) -> str:
    return label if isinstance(label, str) else ""
