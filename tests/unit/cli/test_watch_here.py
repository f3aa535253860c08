"""What runs on this machine is found by its lock, and watched with a token of its own."""

from pathlib import Path

import pytest

from strapline.errors import CommandError
from strapline.folder import DataFolder
from strapline.joined import Place
from strapline.marker import mark
from strapline.watch.here import VIEWER, target_here
from strapline_server import open_admin


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path


async def test_without_anything_running_it_says_what_to_start(home: Path) -> None:
    with pytest.raises(CommandError, match="No strapline runs here") as caught:
        await target_here(None, service=home / "none.toml")
    assert "strapline demo" in str(caught.value)


async def test_a_folder_that_nobody_has_is_not_running(home: Path) -> None:
    with pytest.raises(CommandError, match="no strapline runs in this folder"):
        await target_here(home / "mine", service=home / "none.toml")


@pytest.mark.parametrize("name", ["strapline", "strapline-demo"])
async def test_the_running_one_is_found_and_grants_a_viewer(home: Path, name: str) -> None:
    folder = DataFolder(home / name)
    place = Place(folder, 8_555, lan=True, simulated=name == "strapline-demo")
    with folder.held():
        mark(folder, place.marker(8_555))
        target = await target_here(None, service=home / "none.toml")
        again = await target_here(home / name, service=home / "none.toml")
    assert target.url == again.url == "ws://127.0.0.1:8555/ws"
    assert target.token
    async with open_admin(place.server_config) as admin:
        grants = await admin.principals()
    assert [(one.sub, one.role, one.may_mark) for one in grants] == [(VIEWER, "viewer", True)]


async def test_up_comes_before_the_demo(home: Path) -> None:
    demo, up = DataFolder(home / "strapline-demo"), DataFolder(home / "strapline")
    with demo.held(), up.held():
        mark(demo, Place(demo, 8_001, simulated=True).marker(8_001))
        mark(up, Place(up, 8_002).marker(8_002))
        target = await target_here(None, service=home / "none.toml")
    assert target.url == "ws://127.0.0.1:8002/ws"


async def test_a_service_is_found_by_its_configuration(home: Path) -> None:
    config = home / "server.toml"
    config.write_text(f'[server]\nstate_folder = "{home / "state"}"\nhost = "::1"\nport = 8003\n')
    target = await target_here(None, service=config)
    assert target.url == "ws://[::1]:8003/ws"
