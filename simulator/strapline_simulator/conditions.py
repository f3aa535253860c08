"""How good the air is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions on the virtual air; the defaults are kind and quick.

    Attributes:
        advertising_interval_ms: how often a strap advertises, 20 or more.
        latency_s: how long a packet is under way.
        supervision_timeout_s: how long a link outlives the loss of range.
    """

    advertising_interval_ms: float = 100.0
    latency_s: float = 0.0
    supervision_timeout_s: float = 0.0

    def __post_init__(self) -> None:
        if self.advertising_interval_ms < 20:
            raise ValueError(
                f"advertising_interval_ms is {self.advertising_interval_ms}: give 20 or more"
            )
        if self.latency_s < 0 or self.supervision_timeout_s < 0:
            raise ValueError("latency_s and supervision_timeout_s: give 0 or more")
