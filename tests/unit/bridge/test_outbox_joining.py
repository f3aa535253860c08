"""Small rows become large ones where they lie: the same readings in a fraction of the bytes."""

from __future__ import annotations

from pathlib import Path

from strapline_bridge.outbox import Limits, Outbox, Place
from strapline_protocol.publishing import Rejected
from tests.integration.bridge_kit import Committed, Content, a_reading, an_outbox, readings_of

_LIMITS = Limits(join_rows=60)


async def _record(outbox: Outbox, seconds: int, devices: int = 3) -> str:
    """One commit a second with a reading of each device, as three straps give them."""
    for second in range(seconds):
        for device in range(devices):
            outbox.put(
                a_reading(60 + second % 90, device=f"strap-{device}", boot_ns=second * 10**9)
            )
        await outbox.flush()
    assert outbox.stream is not None
    return outbox.stream


async def _pending(outbox: Outbox, most: int = 500) -> Content:
    found: Content = {}
    at, end = Place(), False
    while not end:
        page = await outbox.page(at, outbox.behind(), most)
        for row in page.rows:
            new = readings_of(row.stream, [row.series])
            assert not new.keys() & found.keys()
            found |= new
        at, end = page.next, page.end
    return found


async def test_an_outbox_that_stays_offline_takes_a_fraction_of_the_bytes(tmp_path: Path) -> None:
    single, joined = Committed(), Committed()
    async with an_outbox(tmp_path / "a.db", single, limits=Limits(join_rows=10**9)) as outbox:
        await _record(outbox, 400)
        before = outbox.status().bytes / 1_200
    async with an_outbox(tmp_path / "b.db", joined, limits=_LIMITS) as outbox:
        await _record(outbox, 400)
        after = outbox.status().bytes / 1_200
        assert await _pending(outbox) == joined.content
    assert before > 180, "bytes a reading"
    assert after < before / 4
    # Weights are what the file says too.
    async with an_outbox(tmp_path / "b.db") as outbox:
        assert outbox.status().bytes / 1_200 == after
        assert await _pending(outbox, 7) == joined.content


async def test_what_is_acknowledged_and_what_is_not_stay_apart(tmp_path: Path) -> None:
    stored = Committed()
    async with an_outbox(tmp_path / "o.db", stored, limits=_LIMITS) as outbox:
        stream = await _record(outbox, 15)
        outbox.acknowledge(stream, [(0, 20)], "store-1")
        await _record(outbox, 60)
        pending = await _pending(outbox)
        assert {number for _, number in pending} == set(range(21, 225))
        # The server came back from a copy: what it lacks is still there, and is sent again.
        record = outbox.record(stream)
        assert record is not None
        outbox.answered(record.message(), [(0, 4)], "store-1")
        await outbox.flush()
        assert {number for _, number in await _pending(outbox)} == set(range(5, 225))


async def test_part_of_a_joined_row_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    stored = Committed()
    async with an_outbox(tmp_path / "o.db", stored, limits=_LIMITS) as outbox:
        stream = await _record(outbox, 60)
        outbox.reject(Rejected(stream=stream, ranges=[(10, 12), (40, 40)], code="no", message="no"))
        await outbox.flush()
        pending = await _pending(outbox)
        assert pending == {
            key: content
            for key, content in stored.content.items()
            if key[1] not in {10, 11, 12, 40}
        }
        letters = await outbox.dead_letters()
        dead = {key for letter in letters for key in readings_of(stream, [letter.series])}
        assert dead == {(stream, number) for number in (10, 11, 12, 40)}
        assert outbox.status().dead_letters == 4


async def test_what_is_acknowledged_of_joined_rows_goes_when_room_is_needed(tmp_path: Path) -> None:
    limits = Limits(join_rows=60, kept_bytes=3_000)
    async with an_outbox(tmp_path / "o.db", limits=limits) as outbox:
        stream = await _record(outbox, 100)
        outbox.acknowledge(stream, [(0, 299)], "store")
        await outbox.flush()
        assert await _pending(outbox) == {}
        assert outbox.status().bytes <= 3_000
