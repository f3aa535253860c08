"""Which server is meant: named, else the service's, else that of `strapline up`."""

from __future__ import annotations

from pathlib import Path

import pytest

from strapline.errors import CommandError
from strapline.folder import DataFolder
from strapline.marker import Marker, mark
from strapline.where import named, settings
from strapline_server import ConfigError, ServerConfig


def of(here: Path, config: Path | None = None, data: Path | None = None) -> ServerConfig:
    return settings(
        config, data, service=here / "server.toml", home=here / "home", demo=here / "demo"
    )


def started(folder: Path, port: int, *, simulated: bool = False) -> None:
    folder.mkdir()
    mark(DataFolder(folder), Marker(simulated=simulated, port=port))


def test_without_any_it_says_where_it_looked_and_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refused:
        of(tmp_path)
    for part in (str(tmp_path / "server.toml"), str(tmp_path / "home"), "--data", "--config"):
        assert part in str(refused.value)


def test_what_up_keeps_is_found_and_the_services_configuration_before_it(tmp_path: Path) -> None:
    started(tmp_path / "home", 8421)
    found = of(tmp_path)
    assert (found.state_folder, found.port) == (tmp_path / "home" / "server", 8421)
    assert found.hosts == ("127.0.0.1",)
    (tmp_path / "server.toml").write_text('[server]\nstate_folder = "/srv/strapline"\n')
    assert of(tmp_path).state_folder == Path("/srv/strapline")


def test_what_is_named_comes_first(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text('[server]\nstate_folder = "/srv/strapline"\n')
    started(tmp_path / "named", 1)
    assert of(tmp_path, data=tmp_path / "named").state_folder == tmp_path / "named" / "server"
    with pytest.raises(ConfigError, match="cannot be read"):
        of(tmp_path, config=tmp_path / "gone.toml")
    with pytest.raises(CommandError, match="either --config FILE or --data FOLDER"):
        of(tmp_path, tmp_path / "server.toml", tmp_path / "named")


def test_a_folder_in_which_nothing_was_started_is_not_filled(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"no server was started.*strapline up --data"):
        of(tmp_path, data=tmp_path / "named")
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_runs_alone_is_taken_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started(tmp_path / "demo", 8421, simulated=True)
    with DataFolder(tmp_path / "demo").held():
        found = of(tmp_path)
    assert (found.port, found.simulated) == (8421, True)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"About the demo that runs here, {tmp_path / 'demo'}")
    # What is real comes first, whether it runs or not.
    started(tmp_path / "home", 8420)
    with DataFolder(tmp_path / "demo").held():
        assert of(tmp_path).port == 8420
    assert capsys.readouterr().err == ""


def test_a_demo_that_does_not_run_is_named_ready_to_copy(tmp_path: Path) -> None:
    started(tmp_path / "demo", 8421, simulated=True)
    with pytest.raises(CommandError) as refused:
        of(tmp_path)
    assert str(refused.value).endswith(f" --data {tmp_path / 'demo'}")


def test_how_a_server_is_named_in_another_command(tmp_path: Path) -> None:
    assert named(None, None) == ""
    assert named(None, Path("/srv/my data")) == " --data '/srv/my data'"
    assert named(Path("/srv/server.toml"), None) == " --config /srv/server.toml"
