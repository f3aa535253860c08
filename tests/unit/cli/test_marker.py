"""What a data folder says of itself, and that the two kinds never mix."""

from __future__ import annotations

from pathlib import Path

import pytest

from strapline.errors import CommandError
from strapline.folder import DataFolder
from strapline.marker import Marker, mark, read_marker

REAL = Marker(simulated=False, port=8420)


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path)


def test_what_was_written_is_read_and_may_change_its_port(folder: DataFolder) -> None:
    assert read_marker(folder) is None
    mark(folder, REAL)
    assert read_marker(folder) == REAL
    elsewhere = Marker(simulated=False, port=8421, lan=True)
    mark(folder, elsewhere)
    assert read_marker(folder) == elsewhere
    assert [path.name for path in folder.path.iterdir()] == ["strapline.json"]


@pytest.mark.parametrize("simulated", [False, True])
def test_simulated_and_real_never_share_a_folder(folder: DataFolder, simulated: bool) -> None:
    first = Marker(simulated=simulated, port=1)
    mark(folder, first)
    with pytest.raises(CommandError, match=r"never mixed.*--data FOLDER") as refused:
        mark(folder, Marker(simulated=not simulated, port=1))
    assert str(folder.path) in str(refused.value)
    assert read_marker(folder) == first


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"simulated": 1, "port": 1}', '{"simulated": true, "port": 70000}']
)
def test_what_is_none_of_ours_is_named_with_the_remedy(folder: DataFolder, text: str) -> None:
    path = folder.path / "strapline.json"
    path.write_text(text)
    with pytest.raises(CommandError, match=r"strapline\.json.*not what strapline wrote.*Write"):
        mark(folder, REAL)
    assert path.read_text() == text


def test_what_cannot_be_read_or_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match=r"cannot be read.*--data FOLDER"):
        read_marker(DataFolder(tmp_path / "file"))
    with pytest.raises(CommandError, match=r"cannot be written.*--data FOLDER"):
        mark(DataFolder(tmp_path / "gone"), REAL)
