"""The measured run inside one process: fast straps, and a line that is cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from strapline import headless
from strapline.account import Account
from strapline.folder import DataFolder
from strapline.headless import measure
from strapline.joined import Place
from strapline_server import Server
from strapline_simulator import Pace


async def run(tmp_path: Path, pace: Pace) -> Account:
    here = Place(DataFolder(tmp_path), 0, simulated=True)
    with here.folder.held():
        return await measure(here, 2.0, pace)


async def test_straps_far_faster_than_life_lose_nothing(tmp_path: Path) -> None:
    account = await run(tmp_path, Pace(rate_hz=50.0))
    assert account.notified > 3 * 50
    assert account.holds
    assert account.acknowledged == account.notified


async def test_a_line_that_brings_nothing_does_not_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headless, "_REST_WITHIN_S", 0.3)
    # The server stores and acknowledges, and tells nobody.
    monkeypatch.setattr(Server, "_committed", lambda *_: None)
    account = await run(tmp_path, Pace())
    assert account.acknowledged == account.notified > 0
    assert (account.delivered, account.lost) == (0, account.notified)
    assert not account.holds


async def test_a_second_run_in_the_same_folder_counts_anew(tmp_path: Path) -> None:
    first = await run(tmp_path, Pace(rate_hz=5))
    second = await run(tmp_path, Pace(rate_hz=5))
    assert first.holds
    assert second.holds
