"""The backlog in pages: oldest first, bounded, each pending reading once."""

from __future__ import annotations

from pathlib import Path

import pytest

from strapline_bridge.outbox import Outbox, Place
from strapline_protocol.publishing import Rejected
from tests.integration.bridge_kit import a_reading, an_outbox


async def _fill(outbox: Outbox, count: int, first: int = 0) -> str:
    for at in range(count):
        outbox.put(a_reading(first + at, boot_ns=at * 1_000_000))
        await outbox.flush()
    assert outbox.stream is not None
    return outbox.stream


async def _values(outbox: Outbox, size: int, until: Place | None = None) -> list[float | None]:
    values: list[float | None] = []
    at, end = Place(), False
    while not end:
        page = await outbox.page(at, until or outbox.behind(), size)
        assert len(page.rows) <= size
        values += [value for row in page.rows for value in row.series.value]
        at, end = page.next, page.end
    return values


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
async def test_pages_of_any_size_give_each_reading_once_in_order(tmp_path: Path, size: int) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        await _fill(outbox, 150)
    async with an_outbox(tmp_path / "o.db") as outbox:
        await _fill(outbox, 5, first=150)
        assert await _values(outbox, size) == list(range(155))


@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_what_is_accounted_for_is_not_there(tmp_path: Path, size: int) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        for at in range(10):
            outbox.put(a_reading(at))
        await outbox.flush()
        stream = outbox.stream
        assert stream is not None
        outbox.acknowledge(stream, [(2, 3), (7, 7)], "store")
        outbox.reject(Rejected(stream=stream, ranges=[(5, 5)], code="bad", message="no"))
        assert await _values(outbox, size) == [0, 1, 4, 6, 8, 9]
        await outbox.flush()
        assert await _values(outbox, size) == [0, 1, 4, 6, 8, 9]


async def test_a_page_ends_where_it_is_told_to(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        await _fill(outbox, 10)
        key = outbox.behind().key
        assert await _values(outbox, 100, until=Place(key, 4)) == [0, 1, 2, 3]
        page = await outbox.page(Place(key, 6), Place(key, 8), 100)
        assert [row.first_seq for row in page.rows] == [6, 7]
        assert page.end


async def test_nothing_pending_is_from_before_the_oldest(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        assert await outbox.oldest_pending() is None
        zero_ns = 0
        outbox.put(a_reading(60, device="a", boot_ns=9_000_000_000))
        outbox.put(a_reading(60, device="b", boot_ns=7_000_000_000))
        await outbox.flush()
        stream = outbox.stream
        assert stream is not None
        record = outbox.record(stream)
        assert record is not None
        zero_ns = record.zero_ns
        oldest = await outbox.oldest_pending()
        assert oldest is not None
        assert oldest.elapsed_ms == (7_000_000_000 - zero_ns) // 1_000_000
        outbox.acknowledge(stream, [(1, 1)], "store")
        later = await outbox.oldest_pending()
        assert later is not None
        assert later.elapsed_ms <= (9_000_000_000 - zero_ns) // 1_000_000
        outbox.acknowledge(stream, [(0, 0)], "store")
        assert await outbox.oldest_pending() is None


async def test_dead_letters_keep_what_was_refused_and_why(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        stream = await _fill(outbox, 3, first=70)
        outbox.reject(
            Rejected(stream=stream, ranges=[(1, 1)], code="notGranted", message="not yours")
        )
        await outbox.flush()
    async with an_outbox(tmp_path / "o.db") as outbox:
        (letter,) = await outbox.dead_letters()
        assert (letter.stream, letter.code, letter.message) == (stream, "notGranted", "not yours")
        assert letter.series.value == [71]
        assert outbox.status().dead_letters == 1
        assert outbox.status().pending == 2
