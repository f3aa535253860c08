"""What is to be cut, and what came of it: said by the host, answered by the guest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from strapline_protocol.intervals import IntervalSet, Range

PLAN_NAME: Final = "plan.json"
OUTCOME_NAME: Final = "cuts.json"


class Kind(StrEnum):
    """Whose file the power is cut under."""

    OUTBOX = "outbox"
    STORE = "store"


class Told(StrEnum):
    """What a program says of readings while it runs."""

    TAKEN = "taken"
    COMMITTED = "committed"
    ACKNOWLEDGED = "acknowledged"


class Said(NamedTuple):
    """One such line.

    As long as readings are only taken, ``stream`` is empty, and ``first`` and ``last`` are their
    moments. ``at_ms`` is of the monotonic clock.
    """

    told: Told
    stream: str
    first: int
    last: int
    at_ms: int


class Series(BaseModel):
    """Cuts under one program that goes on after each.

    Attributes:
        synced: False: the same program without a single fsync, each time in a folder of its own.
        interval_ms: of commits; 0: at once.
        longest_s: each cut comes at a random moment within this.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    cuts: int
    synced: bool = True
    interval_ms: int = 0
    longest_s: float = 2.0


class Plan(BaseModel):
    """All that one guest does."""

    model_config = ConfigDict(frozen=True)

    seed: int
    series: tuple[Series, ...]


class Found(BaseModel):
    """What is in a file after a cut.

    Attributes:
        held: by stream, the numbers of the readings that are there.
        acknowledged: by stream, those that a server is noted to have.
        last_moment: by stream, the moment of its latest reading.
        merged: rows or blocks that were made of smaller ones.
        faults: whatever is not as it has to be.
    """

    held: dict[str, list[Range]] = {}
    acknowledged: dict[str, list[Range]] = {}
    last_moment: dict[str, int] = {}
    merged: int = 0
    faults: list[str] = []


class Cut(BaseModel):
    """One cut and what it came to.

    Attributes:
        series: its place in the plan.
        after_s: how long the program had run.
        committed, acknowledged: readings that were said to be durable before.
        missing: those of them that are not, as said.
        held: readings in the file, of all runs.
        merged: rows or blocks in it that were made of smaller ones.
        lost_ms: how old the oldest reading was that was taken and is not there; 0: none.
    """

    series: int
    after_s: float
    committed: int
    acknowledged: int
    missing: int
    held: int
    merged: int
    lost_ms: int
    faults: list[str]


class Outcome(BaseModel):
    """Of a whole plan."""

    cuts: list[Cut]


@dataclass(frozen=True, slots=True)
class Before:
    """All that was said before a cut."""

    said: tuple[Said, ...]

    def numbers(self, told: Told) -> dict[str, IntervalSet]:
        """By stream."""
        found: dict[str, IntervalSet] = {}
        for one in self.said:
            if one.told is told:
                found.setdefault(one.stream, IntervalSet()).add(one.first, one.last)
        return found

    def missing(self, told: Told, held: Mapping[str, list[Range]]) -> int:
        """How many of them are not held."""
        return sum(
            len(numbers.minus(IntervalSet(held.get(stream, ()))))
            for stream, numbers in self.numbers(told).items()
        )

    def lost_ms(self, last_moment: int, cut_ms: int) -> int:
        """The age of the oldest reading after this moment; 0 where there is none."""
        lost = [one.at_ms for one in self.said if one.told is Told.TAKEN and one.last > last_moment]
        return cut_ms - min(lost) if lost else 0
