"""A bridge's outbox as the protocol needs it: what is kept, acknowledged, dropped and forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field

from strapline_protocol.intervals import IntervalSet


@dataclass(frozen=True)
class Reading:
    """One reading; ``value`` is unique in a world, so that two are never taken for one."""

    user: str
    metric: str
    value: int


@dataclass
class Kept:
    """What is kept of one stream."""

    rows: dict[int, Reading] = field(default_factory=dict)
    next_seq: int = 0
    acknowledged: IntervalSet = field(default_factory=IntervalSet)
    #: Discarded, and the server has not confirmed yet that it knows.
    dropped: IntervalSet = field(default_factory=IntervalSet)

    def pending(self) -> list[int]:
        """What is to be sent."""
        return [number for number in self.rows if number not in self.acknowledged]


@dataclass
class Outbox:
    """All streams of one disk. A deep copy of it is a backup, or a cloned card."""

    streams: dict[str, Kept] = field(default_factory=dict)

    def add(self, stream: str, reading: Reading) -> int:
        """Commit a reading; its number."""
        kept = self.streams.setdefault(stream, Kept())
        number = kept.next_seq
        kept.rows[number] = reading
        kept.next_seq = number + 1
        return number

    def bound(self, most: int, *, silently: bool = False) -> None:
        """Keep at most so many rows: the acknowledged go first, then the oldest, with a record."""
        over = sum(len(kept.rows) for kept in self.streams.values()) - most
        for wanted in (True, False):
            for kept in self.streams.values():
                for number in list(kept.rows):
                    if over > 0 and (number in kept.acknowledged) is wanted:
                        del kept.rows[number]
                        over -= 1
                        if not wanted and not silently:
                            kept.dropped.add(number, number)
