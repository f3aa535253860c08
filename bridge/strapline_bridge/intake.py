"""From a notification to readings that say whose they are and when they arrived."""

from __future__ import annotations

from dataclasses import dataclass

from strapline_bridge.readings import Reading
from strapline_bridge.steps import Counter, StepState


@dataclass(frozen=True, slots=True)
class Arrived:
    """A reading as the outbox takes it.

    Attributes:
        user: who wore the device when it arrived.
        device: the wearable's random id.
        boot_ns: boot clock at arrival.
        on_change: the device speaks only when something changes.
        counter: for steps, the count that this total belongs to.
        step_state: for steps, what to save in the same transaction as the reading.
    """

    user: str
    device: str
    boot_ns: int
    reading: Reading
    on_change: bool = False
    counter: Counter | None = None
    step_state: StepState | None = None
