"""Step totals: from a device's running total to counters whose differences can be added up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Counter:
    """A count that can be added up: ``{id, from}`` beside a series of steps.

    Attributes:
        id: random, new for each count.
        counted_from: the total it counts from; negative after the device's field wrapped.
    """

    id: str
    counted_from: int


@dataclass(frozen=True, slots=True)
class StepState:
    """What is remembered of a device's steps from one total to the next, across runs.

    Attributes:
        device: the wearable's id.
        user: who wore it.
        total: the last total that it reported.
        counter: the count that this total belongs to.
        wall_ms: wall clock at that total, milliseconds since 1970 UTC.
        boot_ns: boot clock at that total; comparable only within ``boot_id``.
        boot_id: the boot of this machine that ``boot_ns`` belongs to.
    """

    device: str
    user: str
    total: int
    counter: Counter
    wall_ms: int
    boot_ns: int
    boot_id: str


class StepMemory(Protocol):
    """Where step states outlive the process; the outbox saves one with its reading."""

    def load(self) -> dict[str, StepState]:
        """The last state of each device, by device id."""
        ...
