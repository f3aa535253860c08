"""A damaged outbox: kept aside, read as far as it goes, and every number accounted for."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strapline_bridge.outbox import Outbox, OutboxError, Place
from strapline_bridge.outbox.salvage import DAMAGED, MOST_ASIDE, aside_files
from strapline_protocol.intervals import IntervalSet
from strapline_protocol.publishing import Rejected
from tests.integration.bridge_kit import Committed, a_reading, an_outbox, readings_of

_READINGS = 3_000
_PAGE = 1_024


async def _filled(path: Path, streams: int = 2, readings: int = _READINGS) -> Committed:
    """An outbox of several runs with many small rows, a few acknowledged and dead ones."""
    stored = Committed()
    for _ in range(streams):
        async with an_outbox(path, stored) as outbox:
            for start in range(0, readings, 20):
                for rate in range(20):
                    outbox.put(a_reading(60 + (start + rate) % 100))
                await outbox.flush()
            assert outbox.stream is not None
            outbox.acknowledge(outbox.stream, [(0, 99)], "store")
            refused = Rejected(stream=outbox.stream, ranges=[(200, 219)], code="no", message="no")
            outbox.reject(refused)
    return stored


def _spoil(path: Path, *pages: int) -> None:
    with path.open("r+b") as file:
        for page in pages:
            file.seek(page * _PAGE)
            file.write(hashlib.shake_128(b"%d" % page).digest(_PAGE))


async def _pending(outbox: Outbox) -> dict[tuple[str, int], str]:
    found: dict[tuple[str, int], str] = {}
    at = Place()
    while True:
        page = await outbox.page(at, outbox.behind(), 10_000)
        for row in page.rows:
            found |= readings_of(row.stream, [row.series])
        if page.end:
            return found
        at = page.next


async def _check_accounts(outbox: Outbox, stored: Committed) -> int:
    """Each number of each stream is here as it was written, or said to be lost; how many are."""
    pending = await _pending(outbox)
    lost = 0
    for record in outbox.records():
        spoilt = record.holes.get(DAMAGED, IntervalSet())
        for number in range(record.next_seq):
            key = (record.id, number)
            if key in pending:
                assert pending[key] == stored.content[key]
                assert number not in record.accounted()
            else:
                assert number in record.accounted(), "neither here nor accounted for"
        lost += sum(last - first + 1 for first, last in spoilt)
    return lost


def _large_leaf(path: Path) -> int:
    """A page in the middle of the readings."""
    return path.stat().st_size // _PAGE // 2


async def test_what_can_be_read_goes_on_and_what_cannot_is_said_to_be_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "o.db"
    stored = await _filled(path)
    _spoil(path, _large_leaf(path))
    before = path.read_bytes()
    with caplog.at_level(logging.ERROR):
        async with an_outbox(path, stored) as outbox:
            lost = await _check_accounts(outbox, stored)
            assert 0 < lost < 200, "one page of readings, no more"
            outbox.put(a_reading(99))
            await outbox.flush()
            assert len(outbox.records()) == 3
    (aside,) = aside_files(path)
    # The first page counts the openings.
    assert aside.read_bytes()[_PAGE:] == before[_PAGE:]
    assert str(aside) in caplog.text
    assert "go on in a new outbox" in caplog.text


async def test_readings_between_two_damaged_pages_are_found(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    stored = await _filled(path, streams=1, readings=6_000)
    middle = _large_leaf(path)
    _spoil(path, middle - 6, middle + 6)
    async with an_outbox(path) as outbox:
        lost = outbox.records()[0].holes[DAMAGED].ranges()
        assert len(lost) >= 2, "a stretch between the two was read"
        await _check_accounts(outbox, stored)


async def test_dead_letters_and_step_counters_survive(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    await _filled(path, streams=1)
    _spoil(path, _large_leaf(path))
    async with an_outbox(path) as outbox:
        letters = await outbox.dead_letters()
        assert sum(len(letter.series) for letter in letters) == 20
        assert outbox.status().dead_letters == 20


@pytest.mark.parametrize("spoilt", [b"", b"SQLite format 3\0", b"not a database at all" * 500])
async def test_a_file_of_which_nothing_can_be_read_is_kept_and_recording_goes_on(
    tmp_path: Path, spoilt: bytes
) -> None:
    path = tmp_path / "o.db"
    path.write_bytes(spoilt)
    async with an_outbox(path) as outbox:
        outbox.put(a_reading())
        await outbox.flush()
        assert outbox.status().pending == 1
    # An empty file is a new one.
    assert [file.read_bytes() for file in aside_files(path)] == ([spoilt] if spoilt else [])


async def test_a_file_that_spoils_while_it_is_open_costs_what_was_in_it_and_nothing_that_comes(
    tmp_path: Path,
) -> None:
    path = tmp_path / "o.db"
    stored = await _filled(path)
    told = _Changes()
    async with an_outbox(path, stored) as outbox:
        outbox.observe(told)
        with contextlib.closing(sqlite3.connect(path)) as plain:
            plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _spoil(path, *range(1, path.stat().st_size // _PAGE))
        for number in range(3):
            outbox.put(a_reading(100 + number))
            await outbox.flush()
        assert outbox.status().fault is None
        own = outbox.record(outbox.stream or "")
        assert own is not None
        assert own.next_seq == 3
        assert await _check_accounts(outbox, stored) > 0
        assert told.streams >= {record.id for record in outbox.records() if DAMAGED in record.holes}
    assert len(aside_files(path)) == 1
    async with an_outbox(path) as outbox:
        await _check_accounts(outbox, stored)


class _Changes(Committed):
    """Which streams were said to have changed."""

    def __init__(self) -> None:
        super().__init__()
        self.streams: set[str] = set()

    def changed(self, stream: str) -> None:
        self.streams.add(stream)


@pytest.mark.parametrize("renames", range(5))
async def test_a_power_cut_in_the_middle_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    path = tmp_path / "o.db"
    stored = await _filled(path)
    _spoil(path, _large_leaf(path))
    rename, left = Path.rename, [renames]

    def cut(self: Path, target: Path) -> Path:
        if not left[0]:
            raise OSError("power is gone")
        left[0] -= 1
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", cut)
        with contextlib.suppress(Exception):
            async with an_outbox(path):
                pass
    async with an_outbox(path) as outbox:
        assert 0 < await _check_accounts(outbox, stored) < 200
        assert len(outbox.records()) == 2
    assert len(aside_files(path)) == 1


async def test_only_so_many_damaged_files_stay(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    for number in range(MOST_ASIDE + 2):
        path.write_bytes(b"spoilt %d" % number * 100)
        async with an_outbox(path):
            pass
    kept = sorted(file.read_bytes()[:8] for file in aside_files(path))
    assert kept == [b"spoilt %d" % number for number in range(2, MOST_ASIDE + 2)]


@given(cuts=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=64)), max_size=6))
async def test_whatever_is_spoilt_the_outbox_opens_and_accounts_for_every_number(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[float, bytes]]
) -> None:
    folder = tmp_path_factory.mktemp("rot")
    path = folder / "o.db"
    template = tmp_path_factory.getbasetemp() / "template.db"
    if not template.exists():
        await _filled(template, readings=400)
    shutil.copy(template, path)
    content = bytearray(path.read_bytes())
    for where, rot in cuts:
        at = int(where * (len(content) - 1))
        content[at : at + len(rot)] = rot[: len(content) - at]
    path.write_bytes(content)
    async with an_outbox(path) as outbox:
        with contextlib.suppress(OutboxError):
            # What SQLite cannot see, the first look finds, and the next commit mends.
            await _pending(outbox)
        outbox.put(a_reading())
        await asyncio.wait_for(outbox.flush(), 10)
        assert outbox.status().fault is None
        pending = await _pending(outbox)
        for record in outbox.records():
            for number in range(record.next_seq):
                assert (number in record.accounted()) != ((record.id, number) in pending)
