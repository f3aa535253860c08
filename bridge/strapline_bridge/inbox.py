"""The bounded queue between the radio's callbacks and the outbox's commits."""

from __future__ import annotations

import logging
from collections import deque
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_log = logging.getLogger(__name__)

#: A quarter of an hour of ten wearables at 1 Hz: a disk that stalls for longer costs readings.
DEFAULT_BOUND: Final = 10_000


class Inbox(Generic[T]):
    """A queue that is put into without waiting and taken from all at once.

    When it is full the oldest goes for the newest, and is counted.

    Attributes:
        dropped: how many items were dropped since the start.
    """

    def __init__(self, bound: int = DEFAULT_BOUND) -> None:
        if bound < 1:
            raise ValueError("an inbox holds at least one item")
        self._items: deque[T] = deque(maxlen=bound)
        self._bound = bound
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        """Take an item in, at once."""
        if len(self._items) == self._bound:
            self.dropped += 1
            self._say()
        self._items.append(item)

    def take_now(self) -> list[T]:
        """All that is there, oldest first, or nothing."""
        items = list(self._items)
        self._items.clear()
        return items

    def _say(self) -> None:
        # At 1, 2, 4, 8 …: a stalled disk is said at once and does not fill itself with the saying.
        if self.dropped & (self.dropped - 1) == 0:
            _log.error(
                "%d readings dropped unstored: the disk does not keep up (%d are waiting)",
                self.dropped,
                self._bound,
            )
