"""Which bridge a command is about, and whether it is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from strapline.errors import CommandError
from strapline.folder import DataFolder
from strapline.marker import Marker, mark
from strapline.reaching import Reached, find, opened, place_of
from strapline_bridge.config import BridgeConfig
from strapline_bridge.outbox import OutboxHeldError
from tests.integration.bridge_kit import an_outbox


def _config(folder: Path, name: str = "bridge.toml") -> Path:
    path = folder / name
    path.write_text(f'state_dir = "{folder / name}.state"\n')
    return path


def _up(folder: Path) -> Path:
    folder.mkdir()
    mark(DataFolder(folder), Marker(simulated=True, port=8_421))
    return folder


def test_what_is_named_is_meant_then_the_service_then_up(tmp_path: Path) -> None:
    service, home = _config(tmp_path), _up(tmp_path / "home")
    named = _config(tmp_path, "other.toml")
    nowhere = tmp_path / "nowhere.toml"
    assert find(named, None, service=service, home=home).outbox_path == Path(
        f"{named}.state", "outbox.db"
    )
    assert find(None, None, service=service, home=home).config.state_dir == Path(f"{service}.state")
    reached = find(None, None, service=nowhere, home=home)
    assert reached.config.state_dir == home / "bridge"
    assert reached.config.server.url == "ws://127.0.0.1:8421/ws"
    assert reached.place is not None
    assert reached.place.simulated
    other = _up(tmp_path / "other")
    assert find(None, other, service=service, home=home).config.state_dir == other / "bridge"


def test_none_and_two_are_errors(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    with pytest.raises(CommandError, match=r"either --config FILE or --data"):
        find(nowhere, nowhere)
    with pytest.raises(CommandError, match=r"There is no bridge here.*--config FILE"):
        find(None, None, service=nowhere, home=nowhere)
    with pytest.raises(CommandError, match=r"nothing was started in this folder"):
        find(None, nowhere)
    assert place_of(nowhere) is None


async def test_an_outbox_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    reached = Reached(BridgeConfig(state_dir=tmp_path / "state"))
    with pytest.raises(CommandError, match=r"there is no outbox yet.*bridge run"):
        async with opened(reached):
            pass
    assert not (tmp_path / "state").exists()


async def test_one_that_is_held_names_its_holder(tmp_path: Path) -> None:
    reached = Reached(BridgeConfig(state_dir=tmp_path))
    async with an_outbox(reached.outbox_path):
        with pytest.raises(OutboxHeldError, match=r"pid"):
            async with opened(reached):
                pass
