"""`strapline bridge capture`: a file of its own, written whatever ends the capture."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from strapline.capturing import capture
from strapline.errors import CommandError
from strapline.main import main
from strapline_bridge.capturing import Recorder
from strapline_bridge.radio import Notification, RadioEvent
from strapline_bridge.radio.captures import loads
from strapline_bridge.wearables import Wearables
from strapline_simulator.profiles import DEMO_PROFILES

_NOBODY = Wearables()
_NAME = DEMO_PROFILES[0].name


async def test_what_was_heard_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "capture.jsonl"
    await capture(path, named=[_NAME], chosen=_NOBODY, seconds=3, simulate=True)
    (recorded,) = loads(path.read_text())
    assert len(recorded.offers) >= 4
    assert any(value.characteristic.startswith("00002a37") for value in recorded.values)
    assert _NAME not in path.read_text()


async def test_a_capture_that_is_stopped_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = asyncio.Event()

    class Watched(Recorder):
        def __call__(self, event: RadioEvent) -> None:
            super().__call__(event)
            if isinstance(event, Notification) and not event.was_read:
                heard.set()

    monkeypatch.setattr("strapline.capturing.Recorder", Watched)
    path = tmp_path / "capture.jsonl"
    task = asyncio.create_task(
        capture(path, named=[_NAME], chosen=_NOBODY, seconds=60, simulate=True)
    )
    async with asyncio.timeout(20):
        await heard.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert loads(path.read_text())[0].values


async def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "capture.jsonl"
    path.write_text("mine")
    with pytest.raises(CommandError, match="there already"):
        await capture(path, named=[_NAME], chosen=_NOBODY, seconds=1, simulate=True)
    assert path.read_text() == "mine"
    with pytest.raises(CommandError, match="cannot be written"):
        await capture(tmp_path / "no" / "f", named=[_NAME], chosen=_NOBODY, seconds=1)


async def test_without_a_wearable_there_is_nothing_to_record(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No wearable is chosen"):
        await capture(tmp_path / "f", named=[], chosen=_NOBODY, seconds=1)
    assert not (tmp_path / "f").exists()


async def test_nothing_heard_leaves_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen, _ = _NOBODY.add(address="D0:5E:00:00:77:77", user="ada", name="gone", added_at=1)
    await capture(tmp_path / "f", named=[], chosen=chosen, seconds=1, simulate=True)
    assert "Nothing was recorded" in capsys.readouterr().err
    assert not (tmp_path / "f").exists()


def test_without_a_device_and_a_configuration_it_says_how_to_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("strapline_bridge.config.DEFAULT_PATH", tmp_path / "none.toml")
    monkeypatch.setattr("sys.argv", ["strapline", "bridge", "capture"])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 1
    assert "--device takes a name or an address" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
