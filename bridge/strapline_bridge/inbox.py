"""The bounded queue between the radio's callbacks and the outbox's commits."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_log = logging.getLogger(__name__)

#: Ten minutes of ten wearables at 1 Hz and then some: a disk that stalls longer is said to.
DEFAULT_BOUND: Final = 10_000


def everything(_item: object) -> bool:
    """The rule that any item may be dropped."""
    return True


class Inbox(Generic[T]):
    """A queue that is put into without waiting and taken from all at once.

    When full, the oldest item that ``droppable`` allows is dropped for the new one, and
    counted; where none may be dropped, the oldest of all is.

    Attributes:
        dropped: how many items were dropped since the start.
        most: the greatest number of items that were ever held.
    """

    def __init__(
        self, bound: int = DEFAULT_BOUND, droppable: Callable[[T], bool] = everything
    ) -> None:
        if bound < 1:
            raise ValueError("an inbox holds at least one item")
        self._bound = bound
        self._droppable = droppable
        self._items: deque[T] = deque()
        self._filled = asyncio.Event()
        self.dropped = 0
        self.most = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        """Take an item in, at once."""
        if len(self._items) >= self._bound:
            self._drop_oldest()
        self._items.append(item)
        self.most = max(self.most, len(self._items))
        self._filled.set()

    async def take(self) -> list[T]:
        """All that is there, oldest first; waits until there is at least one item."""
        await self._filled.wait()
        return self.take_now()

    def take_now(self) -> list[T]:
        """All that is there, oldest first, or nothing: for the end of a run."""
        items = list(self._items)
        self._items.clear()
        self._filled.clear()
        return items

    def _drop_oldest(self) -> None:
        for at, item in enumerate(self._items):
            if self._droppable(item):
                del self._items[at]
                break
        else:
            self._items.popleft()
        self.dropped += 1
        # At 1, 2, 4, 8 …: a stalled disk is said at once and does not fill itself with the saying.
        if self.dropped & (self.dropped - 1) == 0:
            _log.error(
                "%d readings dropped unstored: the disk does not keep up (%d are waiting)",
                self.dropped,
                len(self._items),
            )
