"""Which finished streams are told again in a connection, in which order, and how many at once."""

from __future__ import annotations

from pathlib import Path

from strapline_bridge.outbox import Limits, Outbox
from strapline_bridge.uplink.recalling import Recall
from tests.integration.bridge_kit import a_reading, an_outbox


async def _runs(path: Path, count: int, store: str = "s") -> list[str]:
    """Runs of which a store has acknowledged all; their streams."""
    streams = []
    for _ in range(count):
        async with an_outbox(path) as outbox:
            outbox.put(a_reading(60))
            await outbox.flush()
            assert outbox.stream is not None
            streams.append(outbox.stream)
            outbox.acknowledge(outbox.stream, [(0, 0)], store)
    return streams


async def _all(recall: Recall, told: set[str] | None = None) -> list[str]:
    found = []
    while (stream := await recall.next(told or set())) is not None:
        found.append(stream)
    return found


async def test_the_latest_come_first_and_each_once(tmp_path: Path) -> None:
    streams = await _runs(tmp_path / "o.db", 4)
    async with an_outbox(tmp_path / "o.db") as outbox:
        recall = Recall(outbox, "s")
        assert await _all(recall) == streams[::-1]
        assert await _all(recall) == []


async def test_so_many_at_once_and_then_one_from_time_to_time(tmp_path: Path) -> None:
    streams = (await _runs(tmp_path / "o.db", 5))[::-1]
    now_s = 100.0
    async with an_outbox(tmp_path / "o.db") as outbox:
        recall = Recall(outbox, "s", at_once=2, each_s=5, now_s=lambda: now_s)
        assert await _all(recall) == streams[:2]
        now_s = 104.9
        assert await _all(recall) == []
        now_s = 110.0
        assert await _all(recall) == streams[2:4]
        now_s = 1_000.0
        assert await _all(recall) == streams[4:]


async def test_what_was_told_already_is_passed_over_and_counts_for_nothing(tmp_path: Path) -> None:
    streams = await _runs(tmp_path / "o.db", 3)
    async with an_outbox(tmp_path / "o.db") as outbox:
        recall = Recall(outbox, "s", at_once=1)
        assert await _all(recall, {streams[2], streams[1]}) == [streams[0]]


async def test_a_store_is_told_of_what_it_has_acknowledged_and_nothing_else(tmp_path: Path) -> None:
    first = await _runs(tmp_path / "o.db", 1, "s")
    await _runs(tmp_path / "o.db", 2, "other")
    async with an_outbox(tmp_path / "o.db") as outbox:
        assert await _all(Recall(outbox, "s")) == first


async def _kept(outbox: Outbox) -> list[str]:
    return await _all(Recall(outbox, "s"))


async def test_a_stream_of_which_no_row_is_kept_is_not_told(tmp_path: Path) -> None:
    limits = Limits(kept_bytes=0)
    async with an_outbox(tmp_path / "o.db", limits=limits) as outbox:
        outbox.put(a_reading(60))
        await outbox.flush()
        assert outbox.stream is not None
        assert await _kept(outbox) == []
        outbox.acknowledge(outbox.stream, [(0, 0)], "s")
        await outbox.flush()
        assert await _kept(outbox) == []
