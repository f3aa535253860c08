"""What the outbox tells those who listen: the uplink, counters, a demonstration."""

from __future__ import annotations

from collections.abc import Sequence

from strapline_bridge.outbox.rows import Row
from strapline_protocol.intervals import IntervalSet


class OutboxObserver:
    """Hears of commits, after they are durable; overrides what it cares for. Nothing may block."""

    def committed(self, rows: Sequence[Row]) -> None:
        """These readings are safe."""

    def acknowledged(self, stream: str, numbers: IntervalSet) -> None:
        """A server accounts for these numbers, and the outbox has noted it."""

    def returned(self, stream: str, numbers: IntervalSet) -> None:
        """A server has lost these; they are to be sent again."""

    def changed(self, stream: str) -> None:
        """A stream's time, its end, or its holes are no longer what they were."""
