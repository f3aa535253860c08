"""How much is measured: the whole, a quick look, or next to nothing, to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Sizes of all benchmarks.

    Attributes:
        rounds: how often each is measured, in turn with its peers; medians count.
        warm_s: for how long messages go before they are measured.
        seconds: for how long they are measured.
        viewers: of one publisher.
        users: publishers of their own, each with two viewers.
        settle_s: what was in flight is let go of by then, before memory is looked at.
        held: numbers of idle viewers, ascending.
        ingested: readings that one publisher sends as fast as it may.
        drained: readings that wait in an outbox.
        line_s: for how long one strap sends, and ten of them.
        week: readings of three straps that wait in an outbox, or as messages at a peer's edge.
        synced: messages at the edge of a peer that synchronises each by itself.
        narrow_s: for how long readings are watched on a narrow link.
        calls: of a decoder.
    """

    rounds: int = 3
    warm_s: float = 1.0
    seconds: float = 3.0
    viewers: int = 1_000
    users: int = 1_000
    settle_s: float = 0.3
    held: tuple[int, ...] = (0, 500, 1_000, 2_000)
    ingested: int = 600_000
    drained: int = 200_000
    line_s: float = 26.0
    week: int = 3 * 604_800
    synced: int = 20_000
    narrow_s: float = 20.0
    calls: int = 10_000


FULL: Final = Scale()
QUICK: Final = Scale(
    rounds=1,
    warm_s=0.5,
    seconds=1.0,
    viewers=200,
    users=100,
    held=(0, 100, 200, 400),
    ingested=100_000,
    drained=20_000,
    line_s=4.0,
    week=90_000,
    synced=2_000,
    narrow_s=4.0,
    calls=2_000,
)
