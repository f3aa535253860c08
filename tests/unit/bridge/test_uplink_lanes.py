"""The two lanes: bounded, in order, and together everything once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from strapline_bridge.outbox import Outbox, OutboxObserver, Place, Row
from strapline_bridge.uplink.lanes import Lanes
from strapline_protocol.intervals import IntervalSet
from tests.integration.bridge_kit import a_reading, an_outbox

_NOTHING = IntervalSet()


def _values(found: tuple[str, list[Row]] | None) -> list[float | None]:
    return [value for row in (found[1] if found else []) for value in row.series.value]


async def _put(outbox: Outbox, values: range) -> None:
    for value in values:
        outbox.put(a_reading(value))
        await outbox.flush()


async def _rows(outbox: Outbox) -> list[Row]:
    page = await outbox.page(Place(), outbox.behind(), 10_000)
    return list(page.rows)


async def _backlog(lanes: Lanes, room: int) -> list[float | None]:
    return _values(await lanes.backlog(lambda: room, lambda stream: _NOTHING))


async def test_what_was_there_is_the_past_and_what_comes_the_present(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        await _put(outbox, range(5))
        lanes = Lanes(outbox)
        outbox.observe(_Into(lanes))
        await _put(outbox, range(5, 8))
        assert _values(lanes.live(2)) == [5, 6]
        assert await _backlog(lanes, 3) == [0, 1, 2]
        assert not lanes.drained
        assert _values(lanes.live(10)) == [7]
        assert lanes.live(10) is None
        assert await _backlog(lanes, 10) == [3, 4]
        assert await _backlog(lanes, 10) == []
        assert lanes.drained


async def test_the_present_past_its_bound_becomes_the_past(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        lanes = Lanes(outbox, live_readings=3)
        outbox.observe(_Into(lanes))
        await _put(outbox, range(10))
        assert lanes.overflowed == 7
        assert _values(lanes.live(10)) == [7, 8, 9]
        assert await _backlog(lanes, 100) == [0, 1, 2, 3, 4, 5, 6]
        assert lanes.drained


async def test_what_is_under_way_or_accounted_for_is_passed_over(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        for value in range(10):
            outbox.put(a_reading(value))
        await outbox.flush()
        assert outbox.stream is not None
        lanes = Lanes(outbox)
        under_way = IntervalSet([(2, 3)])
        outbox.acknowledge(outbox.stream, [(5, 8)], "s")
        found = await lanes.backlog(lambda: 100, lambda stream: under_way)
        assert _values(found) == [0, 1, 4, 9]


async def test_a_stream_that_the_server_has_not_answered_waits(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        await _put(outbox, range(3))
        lanes = Lanes(outbox)
        assert await lanes.backlog(lambda: 100, lambda stream: None) is None
        assert await _backlog(lanes, 100) == [0, 1, 2]


async def test_room_that_shrinks_while_the_disk_is_read_is_respected(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        await _put(outbox, range(10))
        lanes = Lanes(outbox)
        rooms = [8, 3]
        found = await lanes.backlog(lambda: rooms.pop(0), lambda stream: _NOTHING)
        assert _values(found) == [0, 1, 2]
        gone = [8, 0, 0]
        assert await lanes.backlog(lambda: gone.pop(0), lambda stream: _NOTHING) is None
        assert await _backlog(lanes, 100) == [3, 4, 5, 6, 7, 8, 9]


async def test_each_message_is_of_one_stream(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        await _put(outbox, range(3))
    async with an_outbox(tmp_path / "o.db") as outbox:
        await _put(outbox, range(3, 6))
        lanes = Lanes(outbox)
        assert await _backlog(lanes, 100) == [0, 1, 2]
        assert await _backlog(lanes, 100) == [3, 4, 5]


async def test_what_did_not_fit_comes_first_again(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        await _put(outbox, range(4))
        lanes = Lanes(outbox)
        rows = await _rows(outbox)
        lanes.committed(rows)
        taken = lanes.live(3)
        assert taken is not None
        lanes.put_back(taken[1][1:], live=True)
        assert _values(lanes.live(10)) == [1, 2, 3]
        past = await lanes.backlog(lambda: 4, lambda stream: _NOTHING)
        assert past is not None
        lanes.put_back(past[1][2:], live=False)
        assert await _backlog(lanes, 10) == [2, 3]


async def test_what_a_server_lost_is_the_past_again(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        await _put(outbox, range(6))
        assert outbox.stream is not None
        lanes = Lanes(outbox)
        assert len(await _backlog(lanes, 100)) == 6
        lanes.returned(outbox.stream, IntervalSet([(2, 3)]))
        assert (await _backlog(lanes, 100))[:2] == [2, 3]
        lanes.returned(outbox.stream, IntervalSet())
        lanes.returned("x" * 22, IntervalSet([(0, 1)]))
        assert await _backlog(lanes, 100) == []


@pytest.mark.parametrize("room", [1, 3, 7])
async def test_a_row_that_fits_in_part_is_divided(tmp_path: Path, room: int) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        for value in range(10):
            outbox.put(a_reading(value))
        await outbox.flush()
        lanes = Lanes(outbox)
        found: list[float | None] = []
        while some := await _backlog(lanes, room):
            assert len(some) <= room
            found += some
        assert found == list(range(10))
        assert await _backlog(lanes, 0) == []
        assert lanes.live(0) is None


class _Into(OutboxObserver):
    """Passes commits on to lanes, as a conversation does."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes

    def committed(self, rows: Sequence[Row]) -> None:
        self._lanes.committed(rows)
