"""Dead letters: seen, sent again, thrown away, each in one commit with all that it changes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from strapline_bridge.outbox import DeadLetter, Limits, Outbox, Place, StreamRecord
from strapline_bridge.outbox.letters import DISCARDED
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.publishing import Rejected
from tests.integration.bridge_kit import Committed, a_reading, an_outbox


def _all(letter: DeadLetter) -> bool:
    return True


def _refused(stream: str, *ranges: tuple[int, int], code: str = "noSuchUser") -> Rejected:
    return Rejected(stream=stream, ranges=list(ranges), code=code, message="nobody of that name")


async def _with_letters(outbox: Outbox, *ranges: tuple[int, int]) -> StreamRecord:
    """Ten readings, of which a server refuses these and takes the others."""
    for at in range(10):
        outbox.put(a_reading(60 + at))
    await outbox.flush()
    assert outbox.stream is not None
    outbox.reject(_refused(outbox.stream, *ranges))
    dead = IntervalSet(ranges)
    outbox.acknowledge(outbox.stream, dead.missing(0, 9), "s")
    await outbox.flush()
    record = outbox.record(outbox.stream)
    assert record is not None
    return record


async def _to_send(outbox: Outbox) -> list[int]:
    page = await outbox.page(Place(), outbox.behind(), 1_000)
    return [number for row in page.rows for number in row.series.numbers()]


def _in_file(path: Path, query: str) -> object:
    """What stands on the disk at this moment, whatever memory says."""
    with sqlite3.connect(path) as plain:
        (found,) = plain.execute(query).fetchone()
    plain.close()
    return found


_WEIGHT = "SELECT sum(length(payload) + 64) FROM series_row"


async def test_a_letter_names_whose_it_is_why_and_its_numbers(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        await _with_letters(outbox, (2, 3), (7, 7))
        first, second = await outbox.dead_letters()
        assert (first.id, first.numbers, first.code) == ("1/2", (2, 3), "noSuchUser")
        assert (second.id, second.numbers) == ("1/7", (7, 7))
        assert first.message == "nobody of that name"
        assert await outbox.dead_letters(1, Place(1, 3)) == [second]


async def test_what_is_sent_again_is_pending_and_a_letter_no_more(tmp_path: Path) -> None:
    path, heard = tmp_path / "o.db", Returned()
    async with an_outbox(path, heard) as outbox:
        record = await _with_letters(outbox, (2, 3), (7, 7))
        assert await outbox.settle_letters(lambda one: one.id == "1/2", discard=False) == 2
        assert record.pending() == [(2, 3)]
        assert record.dead.ranges() == [(7, 7)]
        assert await _to_send(outbox) == [2, 3]
        assert (outbox.status().dead_letters, outbox.status().pending) == (1, 2)
        assert heard.numbers[record.id].ranges() == [(2, 3)]
        assert outbox.status().bytes == _in_file(path, _WEIGHT)
        assert _in_file(path, "SELECT dead FROM stream") == "[[7,7]]"
    async with an_outbox(path) as outbox:
        (record,) = outbox.records()
        assert (record.pending(), record.dead.ranges()) == ([(2, 3)], [(7, 7)])
        outbox.acknowledge(record.id, [(2, 3)], "s")
        await outbox.flush()
        assert outbox.status().pending == 0


async def test_what_is_thrown_away_leaves_a_record_until_a_server_has_it(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path) as outbox:
        record = await _with_letters(outbox, (2, 3), (7, 7))
        assert await outbox.settle_letters(_all, discard=True) == 3
        assert record.holes[DISCARDED].ranges() == [(2, 3), (7, 7)]
        assert not record.dead
        assert _in_file(path, "SELECT dead FROM stream") == "[]"
        assert not record.pending()
        assert await outbox.dead_letters() == []
        assert outbox.status().dead_letters == 0
    async with an_outbox(path) as outbox:
        (record,) = outbox.records()
        assert record.holes[DISCARDED].ranges() == [(2, 3), (7, 7)]
        assert not record.dead
        outbox.acknowledge(record.id, [(2, 3), (7, 7)], "s")
        await outbox.flush()
    async with an_outbox(path) as outbox:
        assert not any(record.holes.values() for record in outbox.records())


async def test_one_that_a_clone_has_delivered_is_not_sent_again(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path) as outbox:
        record = await _with_letters(outbox, (2, 5))
        outbox.acknowledge(record.id, [(3, 3)], "s")
        await outbox.settle_letters(_all, discard=False)
        assert await _to_send(outbox) == [2, 4, 5]
        assert record.pending() == [(2, 2), (4, 5)]
        there = "SELECT count(*) FROM series_row WHERE first_seq <= 3 AND last_seq >= 3"
        assert _in_file(path, there) == 0
        assert not record.dead


async def test_one_that_a_clone_has_delivered_is_not_said_to_be_missing(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        record = await _with_letters(outbox, (2, 3))
        outbox.acknowledge(record.id, [(3, 3)], "s")
        await outbox.settle_letters(_all, discard=True)
        assert record.holes[DISCARDED].ranges() == [(2, 2)]


async def test_a_part_of_a_letter_leaves_the_rest_as_it_was(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        record = await _with_letters(outbox, (2, 6))
        outbox.reject(_refused(record.id, (4, 4), code="erased"))
        await outbox.flush()
        letters = await outbox.dead_letters()
        assert [one.numbers for one in letters] == [(2, 3), (5, 6)]
        assert outbox.status().dead_letters == 4
        await outbox.settle_letters(lambda one: one.id == "1/5", discard=False)
        assert await _to_send(outbox) == [5, 6]
        # What was erased is accounted for, and never comes back.
        assert record.dead.ranges() == [(2, 4)]


async def test_many_letters_go_in_parts(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        for at in range(400):
            outbox.put(a_reading(60 + at % 100))
        await outbox.flush()
        assert outbox.stream is not None
        outbox.reject(_refused(outbox.stream, *[(at, at) for at in range(0, 400, 2)]))
        await outbox.flush()
        commits = outbox.status().counters.commits
        assert await outbox.settle_letters(_all, discard=False) == 200
        assert outbox.status().counters.commits > commits + 2
        record = outbox.record(outbox.stream)
        assert record is not None
        assert record.pending() == [(0, 399)]
        assert outbox.status().dead_letters == 0


async def test_sent_again_the_size_bound_holds_all_the_same(tmp_path: Path) -> None:
    limits = Limits(most_bytes=4_000, kept_bytes=0)
    async with an_outbox(tmp_path / "o.db", limits=limits) as outbox:
        for at in range(40):
            outbox.put(a_reading(60 + at))
        await outbox.flush()
        assert outbox.stream is not None
        outbox.reject(_refused(outbox.stream, *[(at, at) for at in range(0, 40, 2)]))
        await outbox.flush()
        await outbox.settle_letters(_all, discard=False)
        record = outbox.record(outbox.stream)
        assert record is not None
        outbox.put(a_reading())
        await outbox.flush()
        assert outbox.status().bytes <= 4_000
        assert record.holes["sizeBound"]
        assert not record.dead


class Returned(Committed):
    """What was said to be pending again."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[str, IntervalSet] = {}

    def returned(self, stream: str, numbers: IntervalSet) -> None:
        self.numbers.setdefault(stream, IntervalSet()).update(numbers)
