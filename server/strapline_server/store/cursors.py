"""Where a page ended: told to whoever asked, who may go on there with the same question alone."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Final

from strapline_protocol.base import SAFE_INTEGER

#: What is said to a cursor that is none, or of another question.
OTHERS: Final = (
    "after: this ends no page of this question. It goes on with the next of its own pages, and "
    "begins anew without after."
)


class Cursor:
    """Where pages of one question end. Nobody else's business, and of no other question.

    Args:
        question: all that decides which rows the pages have, and in which order.
        after: what was told with the page before, or None at the beginning.
    """

    def __init__(self, question: Sequence[str | int], after: str | None) -> None:
        digest = hashlib.sha256(json.dumps(question).encode()).digest()
        self._question = base64.urlsafe_b64encode(digest[:6]).decode()
        self._after = after

    def at(self, place: Sequence[str | int]) -> str:
        """As the wire has it."""
        text = json.dumps([self._question, *place], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def told(self) -> list[object] | None:
        """Where the page before ended; None at the beginning.

        Raises:
            ValueError: it is another question's, or no cursor.
        """
        if self._after is None:
            return None
        padded = self._after + "=" * (-len(self._after) % 4)
        try:
            content = json.loads(base64.urlsafe_b64decode(padded))
        except (ValueError, RecursionError):
            content = None
        match content:
            case [self._question, *place]:
                return place
        raise ValueError(OTHERS)


def safe(*numbers: int) -> bool:
    """Whether the database takes them: SQLite's integers end at 64 bits."""
    return max(map(abs, numbers)) <= SAFE_INTEGER
