"""What this process has sent, over all its connections: only that can have been received."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from strapline_protocol.intervals import IntervalSet, Range


@dataclass(frozen=True, slots=True, order=True)
class Alone:
    """A reading that filled a message beyond what was aimed at, all by itself."""

    size: int
    stream: str
    number: int


@dataclass(slots=True)
class Sent:
    """What has been sent of each stream.

    Attributes:
        unsolicited: numbers that a server accounted for without having been sent them; they
            are not believed.
    """

    unsolicited: int = 0
    _numbers: dict[str, IntervalSet] = field(default_factory=dict)
    _alone: dict[tuple[str, int], Alone] = field(default_factory=dict)

    def add(self, stream: str, ranges: Sequence[Range]) -> None:
        """These are on their way."""
        self._numbers.setdefault(stream, IntervalSet()).update(ranges)

    def known(self, stream: str, ranges: Sequence[Range]) -> IntervalSet:
        """Those of ``ranges`` that were sent; the others are counted."""
        told = IntervalSet(ranges)
        strange = told.minus(self._numbers.get(stream, IntervalSet()))
        self.unsolicited += len(strange)
        return told.minus(strange)

    def alone(self, stream: str, number: int, size: int) -> None:
        """One reading goes in a message that is larger than it should be."""
        self._alone[stream, number] = Alone(size, stream, number)

    def accounted(self, stream: str, numbers: IntervalSet) -> None:
        """What was too large for a server is not among these."""
        for key in [key for key in self._alone if key[0] == stream and key[1] in numbers]:
            del self._alone[key]

    def largest_alone(self) -> Alone | None:
        """What a message too large was about; the others are forgotten, since they come again."""
        largest = max(self._alone.values(), default=None)
        self._alone.clear()
        return largest
