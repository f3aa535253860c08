"""Dead letters as a person asks for them: page by page, by name, by run."""

from __future__ import annotations

from pathlib import Path

import pytest

from strapline_bridge.dead_letters import HandleParams, LettersParams, handle, page_of
from strapline_bridge.errors import BridgeError
from strapline_bridge.outbox import Outbox
from strapline_protocol.publishing import Rejected
from tests.integration.bridge_kit import DEVICE, a_reading, an_outbox


async def _refused(outbox: Outbox, *numbers: int) -> str:
    for at in range(10):
        outbox.put(a_reading(60 + at))
    await outbox.flush()
    assert outbox.stream is not None
    ranges = [(number, number) for number in numbers]
    outbox.reject(
        Rejected(stream=outbox.stream, ranges=ranges, code="noSuchUser", message="nobody")
    )
    await outbox.flush()
    return outbox.stream


async def test_a_letter_says_whose_it_is_when_and_why(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        stream = await _refused(outbox, 3, 4)
        page = await page_of(outbox, LettersParams())
        (letter,) = page.letters
        assert (letter.id, letter.stream, letter.first, letter.last) == ("1/3", stream, 3, 4)
        assert (letter.user, letter.device, letter.metric) == ("anna", DEVICE, "heart_rate")
        assert (letter.code, letter.message, letter.readings) == ("noSuchUser", "nobody", 2)
        record = outbox.record(stream)
        assert record is not None
        assert record.zero.wall_ms(0) <= letter.from_ms <= letter.to_ms
        assert (page.readings, page.next) == (2, None)


async def test_pages_follow_one_another(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        await _refused(outbox, 0, 2, 4, 6, 8)
        seen, after = [], None
        for _ in range(3):
            page = await page_of(outbox, LettersParams(limit=2, after=after))
            seen += [letter.id for letter in page.letters]
            after = page.next
        assert seen == ["1/0", "1/2", "1/4", "1/6", "1/8"]
        assert after is None


async def test_one_runs_letters_are_found_by_the_first_letters_of_its_id(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    async with an_outbox(path) as outbox:
        earlier = await _refused(outbox, 1)
    async with an_outbox(path) as outbox:
        later = await _refused(outbox, 2, 5)
        if earlier[:6] != later[:6]:
            page = await page_of(outbox, LettersParams(limit=1, stream=later[:6]))
            assert [letter.id for letter in page.letters] == ["2/2"]
            page = await page_of(outbox, LettersParams(stream=earlier))
            assert [letter.id for letter in page.letters] == ["1/1"]
        with pytest.raises(BridgeError, match=r"no run's id begins.*bridge dead-letters"):
            await page_of(outbox, LettersParams(stream="nobody-has-this"))
        for params in (HandleParams(discard=False, stream=later), HandleParams(discard=True)):
            await handle(outbox, params)
        assert outbox.status().dead_letters == 0
        first, second = outbox.records()
        assert (first.holes["discarded"].ranges(), "discarded" in second.holes) == ([(1, 1)], False)


async def test_only_those_that_are_named_are_handled(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        stream = await _refused(outbox, 1, 3, 5)
        handled = await handle(outbox, HandleParams(discard=False, ids=["1/1", "1/5"]))
        assert handled.readings == 2
        record = outbox.record(stream)
        assert record is not None
        assert record.dead.ranges() == [(3, 3)]


@pytest.mark.parametrize("name", ["1/2", "7/1", "1/9"])
async def test_one_that_is_not_there_stops_all(tmp_path: Path, name: str) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        await _refused(outbox, 1, 3)
        with pytest.raises(BridgeError, match=rf"no dead letter {name}.*List them"):
            await handle(outbox, HandleParams(discard=True, ids=["1/1", name]))
        assert outbox.status().dead_letters == 2


async def test_who_is_erased_has_no_letters(tmp_path: Path) -> None:
    async with an_outbox(tmp_path / "o.db") as outbox:
        stream = await _refused(outbox, 1)
        erased = Rejected(stream=stream, ranges=[(0, 9)], code="erased", message="")
        outbox.reject(erased)
        await outbox.flush()
        assert (await page_of(outbox, LettersParams())).letters == []
        assert (await handle(outbox, HandleParams(discard=False))).readings == 0
