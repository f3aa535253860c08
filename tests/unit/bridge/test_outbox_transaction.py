"""What one commit does to the file: settled, refused, erased, returned, and the size bound."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from strapline_bridge.outbox import Limits, Outbox
from strapline_protocol.publishing import Rejected
from tests.integration.bridge_kit import a_reading, an_outbox


def _rows(path: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as plain:
        found = plain.execute(
            "SELECT first_seq, last_seq, store FROM series_row ORDER BY stream, first_seq"
        )
        rows = [tuple(row) for row in found]
    plain.close()
    return rows


async def _ten(outbox: Outbox) -> str:
    for at in range(10):
        outbox.put(a_reading(60 + at))
    await outbox.flush()
    assert outbox.stream is not None
    return outbox.stream


async def test_a_row_is_kept_until_all_of_it_is_settled(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path) as outbox:
        stream = await _ten(outbox)
        outbox.acknowledge(stream, [(0, 3), (5, 9)], "store-1")
        await outbox.flush()
        assert _rows(path) == [(0, 9, None)]
        assert outbox.status().pending == 1
        outbox.acknowledge(stream, [(4, 4)], "store-2")
        await outbox.flush()
        assert _rows(path) == [(0, 9, "store-2")]


async def test_many_rows_are_settled_by_one_range(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path) as outbox:
        for at in range(20):
            outbox.put(a_reading(60 + at))
            await outbox.flush()
        assert outbox.stream is not None
        outbox.acknowledge(outbox.stream, [(3, 15)], "s")
        await outbox.flush()
        stores = [store for _, _, store in _rows(path)]
        assert stores == [None] * 3 + ["s"] * 13 + [None] * 4


async def test_acknowledged_rows_are_the_first_to_go(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    limits = Limits(most_bytes=3_000, kept_bytes=3_000)
    async with an_outbox(path, limits=limits) as outbox:
        for at in range(10):
            outbox.put(a_reading(60 + at))
            await outbox.flush()
        assert outbox.stream is not None
        outbox.acknowledge(outbox.stream, [(0, 9)], "s")
        for at in range(10):
            outbox.put(a_reading(70 + at))
            await outbox.flush()
        assert outbox.status().pending == 10
        assert outbox.status().bytes <= 3_000
        record = outbox.record(outbox.stream)
        assert record is not None
        assert not record.holes


async def test_at_the_bound_the_oldest_goes_and_leaves_a_record(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    limits = Limits(most_bytes=2_000, kept_bytes=0)
    async with an_outbox(path, limits=limits) as outbox:
        for at in range(30):
            outbox.put(a_reading(60 + at))
            await outbox.flush()
        assert outbox.stream is not None
        record = outbox.record(outbox.stream)
        assert record is not None
        (hole,) = record.holes.values()
        ((first, last),) = hole.ranges()
        assert first == 0
        assert 15 < last < 29
        assert outbox.status().pending == 29 - last
    async with an_outbox(path, limits=limits) as outbox:
        (record,) = outbox.records()
        assert record.holes["sizeBound"].ranges() == [(0, last)]
        outbox.acknowledge(record.id, [(0, last)], "s")
    async with an_outbox(path, limits=limits) as outbox:
        assert not any(outbox.records()[0].holes.values())


async def test_a_partly_settled_row_that_goes_leaves_only_its_pending_part(tmp_path: Path) -> None:
    limits = Limits(most_bytes=800, kept_bytes=0)
    async with an_outbox(tmp_path / "o.db", limits=limits) as outbox:
        stream = await _ten(outbox)
        outbox.acknowledge(stream, [(4, 6)], "s")
        for _ in range(3):
            outbox.put(a_reading(80))
            await outbox.flush()
        record = outbox.record(stream)
        assert record is not None
        assert record.holes["sizeBound"].ranges()[:2] == [(0, 3), (7, 9)]


async def test_what_is_refused_leaves_its_row_and_its_neighbours_stay(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path) as outbox:
        stream = await _ten(outbox)
        outbox.reject(Rejected(stream=stream, ranges=[(2, 3), (9, 9)], code="bad", message="no"))
        await outbox.flush()
        assert _rows(path) == [(0, 1, None), (4, 8, None)]
        letters = await outbox.dead_letters()
        assert [letter.series.value for letter in letters] == [[62, 63], [69]]


async def test_dead_letters_have_a_bound_of_their_own(tmp_path: Path) -> None:
    path, limits = tmp_path / "o.db", Limits(dead_letters=3)
    async with an_outbox(path, limits=limits) as outbox:
        stream = await _ten(outbox)
        for first in (0, 4, 8):
            outbox.reject(
                Rejected(stream=stream, ranges=[(first, first + 1)], code="bad", message="no")
            )
            await outbox.flush()
        letters = await outbox.dead_letters()
        assert [letter.series.value for letter in letters] == [[68, 69]]
        assert outbox.status().dead_letters == 2


async def test_an_erased_user_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path) as outbox:
        stream = await _ten(outbox)
        outbox.acknowledge(stream, [(0, 4)], "s")
        outbox.reject(Rejected(stream=stream, ranges=[(7, 8)], code="bad", message="no"))
        await outbox.flush()
        outbox.reject(Rejected(stream=stream, ranges=[(0, 7)], code="erased", message=""))
        await outbox.flush()
        assert _rows(path) == [(9, 9, None)]
        (letter,) = await outbox.dead_letters()
        assert letter.series.value == [68]
        assert outbox.status().dead_letters == 1
        assert outbox.status().pending == 1


async def test_what_a_restored_server_lacks_is_pending_again(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path) as outbox:
        stream = await _ten(outbox)
        outbox.put(a_reading(99))
        await outbox.flush()
        outbox.acknowledge(stream, [(0, 10)], "s")
        await outbox.flush()
        record = outbox.record(stream)
        assert record is not None
        outbox.answered(record.message(), [(0, 7), (10, 10)], "another store")
        await outbox.flush()
        assert outbox.status().pending == 0, "another store never had it"
        outbox.answered(record.message(), [(0, 7), (10, 10)], "s")
        await outbox.flush()
        assert record.pending() == [(8, 9)]
        assert _rows(path) == [(0, 9, None), (10, 10, "s")]
    async with an_outbox(path) as outbox:
        assert outbox.records()[0].pending() == [(8, 9)]
