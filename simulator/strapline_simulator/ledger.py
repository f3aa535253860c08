"""What a strap really sent: the truth that every count further down the line is held against."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

#: An hour of a strap that sends its rate each second, its steps as often, and its battery.
DEFAULT_LEDGER_SIZE: Final = 16_384


@dataclass(frozen=True, slots=True)
class Sent:
    """One notification that the central's radio took.

    Attributes:
        characteristic: UUID, 128 bits, lower case.
        value: the bytes as they went over the air.
        at_monotonic_ns: ``time.monotonic_ns()`` when the strap handed it to its radio.
    """

    characteristic: str
    value: bytes
    at_monotonic_ns: int


class Ledger:
    """The notifications that arrived, in order, and the number of those that did not.

    A notification is entered once the radio of the central, subscribed at that moment, has
    taken it. From there it goes to the notification callback in the same order and ahead of
    any word of a lost link, so an entry is certain: no entry is missing at the callback, and
    nothing reaches the callback without an entry. (A client that is cancelled in the middle of
    subscribing has no callback, though the strap may think otherwise, until it disconnects.)
    A notification that was in the air when its
    link broke is counted in ``lost`` and has no entry; it never arrives later.

    It keeps the newest ``size`` entries; ``total`` counts all of them, for ever.
    """

    def __init__(self, size: int = DEFAULT_LEDGER_SIZE) -> None:
        self._entries: deque[Sent] = deque(maxlen=size)
        self.total = 0
        self.lost = 0

    @property
    def entries(self) -> list[Sent]:
        return list(self._entries)

    @property
    def forgotten(self) -> int:
        """Entries that made room for newer ones."""
        return self.total - len(self._entries)

    def enter(self, sent: Sent) -> None:
        self._entries.append(sent)
        self.total += 1
