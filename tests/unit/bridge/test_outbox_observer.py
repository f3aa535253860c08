"""Observers hear of what is durable, and may hear of what they care for alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from strapline_bridge.outbox import Limits, OutboxObserver, Row
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.publishing import ClockSource
from tests.integration.bridge_kit import a_moment, a_reading, an_outbox


class _Everything(OutboxObserver):
    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def committed(self, rows: Sequence[Row]) -> None:
        self.heard.append(("committed", [value for row in rows for value in row.series.value]))

    def acknowledged(self, stream: str, numbers: IntervalSet) -> None:
        self.heard.append(("acknowledged", numbers.ranges()))

    def returned(self, stream: str, numbers: IntervalSet) -> None:
        self.heard.append(("returned", numbers.ranges()))

    def changed(self, stream: str) -> None:
        self.heard.append(("changed",))


async def test_each_kind_of_news(tmp_path: Path) -> None:
    everything = _Everything()
    async with an_outbox(
        tmp_path / "o.db", OutboxObserver(), source=ClockSource.ESTIMATE
    ) as outbox:
        outbox.observe(everything)
        outbox.put(a_reading(60))
        outbox.put(a_reading(61))
        await outbox.flush()
        stream = outbox.stream
        assert stream is not None
        outbox.acknowledge(stream, [(0, 1)], "store")
        await outbox.flush()
        record = outbox.record(stream)
        assert record is not None
        outbox.answered(record.message(), [(0, 0)], "store")
        await outbox.flush()
        outbox.correct_time(a_moment(ClockSource.SYSTEM))
        assert everything.heard == [
            ("committed", [60, 61]),
            ("acknowledged", [(0, 1)]),
            ("returned", [(1, 1)]),
            ("changed",),
        ]
        outbox.ignore(everything)
        outbox.put(a_reading(62))
        await outbox.flush()
        assert len(everything.heard) == 4


async def test_a_hole_is_news_too(tmp_path: Path) -> None:
    everything = _Everything()
    limits = Limits(most_bytes=1_000, kept_bytes=0)
    async with an_outbox(tmp_path / "o.db", everything, limits=limits) as outbox:
        for rate in range(60, 70):
            outbox.put(a_reading(rate))
            await outbox.flush()
        assert ("changed",) in everything.heard
