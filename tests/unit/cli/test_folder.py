"""The data folder: made, and held by one."""

import os
import stat
from pathlib import Path

import pytest

from strapline.errors import CommandError
from strapline.folder import DataFolder, default_folder, is_running


def test_it_follows_xdg(tmp_path: Path) -> None:
    assert default_folder("strapline", {"XDG_DATA_HOME": str(tmp_path)}) == tmp_path / "strapline"
    assert default_folder("strapline", {}) == Path.home() / ".local/share/strapline"


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "a" / "b")
    with folder.held():
        assert folder.bridge.is_dir()
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_a_second_process_is_told_who_has_it(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    with (
        folder.held(),
        pytest.raises(CommandError, match=rf"process {os.getpid()}\).*--data"),
        DataFolder(tmp_path).held(),
    ):
        pass
    with folder.held():
        pass


def test_a_folder_that_cannot_be_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(CommandError, match=r"cannot be used.*--data"),
        DataFolder(tmp_path / "file" / "under").held(),
    ):
        pass


def test_whoever_holds_the_folder_runs(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    assert not is_running(folder)
    with folder.held():
        assert is_running(folder)
    assert not is_running(folder)
