"""What runs on this machine is found by its lock, and watched with a token of its own."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from strapline.errors import CommandError
from strapline.folder import DataFolder
from strapline.joined import Place
from strapline.marker import mark
from strapline.tokens import Wanted, print_token
from strapline.watch.here import VIEWER, target_here
from strapline_server import ServerConfig, open_admin


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


@pytest.fixture
def running(home: Path) -> Iterator[ServerConfig]:
    """As `strapline up` holds its folder."""
    folder = DataFolder(home / "strapline")
    place = Place(folder, 8_555)
    with folder.held():
        mark(folder, place.marker(8_555))
        yield place.server_config


async def test_what_was_revoked_stays_so_and_says_how_it_is_granted_again(
    home: Path, running: ServerConfig
) -> None:
    await target_here(None, service=home / "none.toml")
    async with open_admin(running) as admin:
        await admin.revoke(VIEWER)
        with pytest.raises(CommandError, match="viewer-this-machine was revoked") as caught:
            await target_here(None, service=home / "none.toml")
        assert await admin.principals() == []
        command = str(caught.value).partition("strapline server token ")[2].partition(" (")[0]
        words = shlex.split(command)
        assert words == [
            *("--viewer", "this-machine", "--all", "--may-mark"),
            *("--data", str(home / "strapline")),
        ]
        wanted = Wanted(viewer=words[1], everyone=True, may_mark=True)
        assert wanted.principal == VIEWER
        await print_token(running, wanted)
        assert (await target_here(None, service=home / "none.toml")).token
        assert [one.may_mark for one in await admin.principals()] == [True]


async def test_rights_that_were_narrowed_stay_narrow(home: Path, running: ServerConfig) -> None:
    async with open_admin(running) as admin:
        await admin.add_user("ana", "Ana", "UTC")
        await admin.add_user("ben", "Ben", "UTC")
        await admin.grant(VIEWER, "viewer", ["ana"], name="Hall", metrics=["heart_rate"])
        assert (await target_here(None, service=home / "none.toml")).token
        (grant,) = await admin.principals()
    assert (grant.everyone, grant.ids, grant.metrics) == (
        False,
        frozenset({"ana"}),
        frozenset({"heart_rate"}),
    )
    assert (grant.name, grant.may_mark) == ("Hall", False)


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
